//! The link to the host, by semihosting: frames both ways, random bytes, and the flash that the host plays.

use core::{convert::Infallible, fmt};

use rand_core::{TryCryptoRng, TryRng};
use semihosting::{
    fs::File,
    io::{self, Read as _, Write as _},
};

use crate::protocol::from_device::{FLASH_ERASE, FLASH_READ, FLASH_WRITE, RANDOM};

/// A device without its host can do nothing: whatever fails here ends the run.
#[derive(Debug)]
pub struct Link {
    input: File,
    output: File,
}

impl Link {
    /// Opens both directions: as files, because the console of QEMU 7.2 loses what comes faster than it is read.
    ///
    /// # Errors
    ///
    /// An [`io::Error`] when the image runs without semihosting.
    pub fn open() -> io::Result<Self> {
        Ok(Self { input: File::open(c"/dev/stdin")?, output: File::create(c"/dev/stdout")? })
    }

    /// Sends a frame of several parts.
    pub fn send(&mut self, kind: u8, parts: &[&[u8]]) {
        let len = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
        let [low, high, ..] = len.to_le_bytes();
        self.write(&[low, high, kind]);
        for part in parts {
            self.write(part);
        }
    }

    /// Prints a line: what an image says that talks to no host.
    pub fn print(&mut self, line: fmt::Arguments<'_>) {
        fmt::Write::write_fmt(self, format_args!("{line}\n")).expect("the host is there");
    }

    /// Waits for a frame and puts it to the start of `buffer`, which must have room for it.
    pub fn receive<'b>(&mut self, buffer: &'b mut [u8]) -> &'b [u8] {
        let mut len = [0; 2];
        self.read(&mut len);
        let frame = buffer.get_mut(..usize::from(u16::from_le_bytes(len))).expect("the host knows the limit");
        self.read(frame);
        frame
    }

    /// Fills `out` with flash from `offset` on.
    pub fn flash_read(&mut self, offset: usize, out: &mut [u8]) {
        self.send(FLASH_READ, &[&(offset as u32).to_le_bytes(), &(out.len() as u16).to_le_bytes()]);
        assert!(self.receive(out).len() == out.len());
    }

    /// Erases a page.
    pub fn flash_erase(&mut self, page: u8) {
        self.send(FLASH_ERASE, &[&[page]]);
        self.receive(&mut []);
    }

    /// Writes to erased flash.
    pub fn flash_write(&mut self, offset: usize, bytes: &[u8]) {
        self.send(FLASH_WRITE, &[&(offset as u32).to_le_bytes(), bytes]);
        self.receive(&mut []);
    }

    fn read(&mut self, mut out: &mut [u8]) {
        while !out.is_empty() {
            let count = self.input.read(out).expect("the host is there");
            assert!(count > 0, "the host has gone");
            out = out.get_mut(count..).expect("no more than asked for is read");
        }
    }

    fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = self.output.write(bytes).expect("the host is there");
            bytes = bytes.get(count..).expect("no more than asked for is written");
        }
    }
}

impl fmt::Write for Link {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}

/// The host stands for the generator of random numbers: it draws from a seed that it prints, so that a run can be had again.
/// A device of yours has a generator in hardware, or a seed from one that is never used twice.
impl TryRng for Link {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.send(RANDOM, &[&(out.len() as u16).to_le_bytes()]);
        assert!(self.receive(out).len() == out.len());
        Ok(())
    }
}

impl TryCryptoRng for Link {}
