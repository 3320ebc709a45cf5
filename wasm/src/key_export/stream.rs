//! Files that JavaScript reads and writes.

use core::fmt;

use embedded_io::{Error, ErrorKind, ErrorType, Read, Seek, SeekFrom, Write};
use js_sys::{Function, Uint8Array};
use mx_key_export::{ReadError, WriteError};
use wasm_bindgen::prelude::*;

use crate::failure::{coded, thrown};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/**
 * Reads at most `length` bytes of a file from `position` on, at once; none are its end. In a worker `FileReaderSync`
 * does it for a `Blob` of any size, in Node.js `fs.readSync`, and for bytes in memory
 * `(position, length) => bytes.subarray(position, position + length)`.
 */
export type ReadAt = (position: number, length: number) => Uint8Array;

/** Takes the next bytes of a file that is written. They are the callee's to keep. */
export type Sink = (bytes: Uint8Array) => void;
";

/// A file, by a function that reads of it.
pub(crate) struct Source {
    read_at: Function,
    position: u64,
}

impl Source {
    pub(crate) const fn new(read_at: Function) -> Self {
        Self { read_at, position: 0 }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("position", &self.position).finish_non_exhaustive()
    }
}

/// What JavaScript threw.
pub(crate) struct Thrown(JsValue);

impl fmt::Debug for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thrown")
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reading or writing failed")
    }
}

impl core::error::Error for Thrown {}

impl Error for Thrown {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for Source {
    type Error = Thrown;
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Thrown> {
        let (position, length) = (self.position as f64, buffer.len() as f64);
        let read =
            self.read_at.call2(&JsValue::UNDEFINED, &position.into(), &length.into()).map_err(Thrown)?;
        let read: Uint8Array =
            read.dyn_into().map_err(|_| Thrown(coded("NotBytes", "a file is read as Uint8Array")))?;
        let len = read.length() as usize;
        let to = buffer.get_mut(..len);
        let to = to.ok_or_else(|| Thrown(coded("NotBytes", "more bytes were read than asked for")))?;
        read.copy_to(to);
        self.position += len as u64;
        Ok(len)
    }
}

impl Seek for Source {
    fn seek(&mut self, position: SeekFrom) -> Result<u64, Thrown> {
        self.position = match position {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(distance) => self.position.saturating_add_signed(distance),
            SeekFrom::End(_) => return Err(Thrown(coded("NoEnd", "the length of the file is not known"))),
        };
        Ok(self.position)
    }
}

/// A file that is written.
pub(crate) struct Sink(Function);

impl Sink {
    pub(crate) const fn new(write: Function) -> Self {
        Self(write)
    }
}

impl ErrorType for Sink {
    type Error = Thrown;
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Thrown> {
        self.0.call1(&JsValue::UNDEFINED, &Uint8Array::from(bytes)).map_err(Thrown)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Thrown> {
        Ok(())
    }
}

/// What JavaScript threw is thrown on as it is.
impl From<Thrown> for JsValue {
    fn from(Thrown(value): Thrown) -> Self {
        value
    }
}

pub(crate) fn read_failed(error: ReadError<Thrown>) -> JsValue {
    if let ReadError::Source(error) = error { error.into() } else { thrown(error) }
}

pub(crate) fn write_failed(error: WriteError<Thrown>) -> JsValue {
    if let WriteError::Sink(error) = error { error.into() } else { thrown(error) }
}
