//! The flash of a device, which outlives its power: erasing sets all bits of a page, writing clears some.

use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;

use crate::protocol::PAGE_LEN;

pub(crate) struct Flash(Vec<u8>);

impl Flash {
    pub(crate) fn new() -> Self {
        Self(vec![0xff; 2 * PAGE_LEN])
    }

    pub(crate) fn read(&self, offset: usize, len: usize) -> Option<&[u8]> {
        self.0.get(offset..offset.checked_add(len)?)
    }

    pub(crate) fn erase(&mut self, page: u8) -> Option<()> {
        self.page(page)?.fill(0xff);
        Some(())
    }

    /// Power fails while a page is erased: some of it is, from one end, and a byte is in between.
    pub(crate) fn erase_torn(&mut self, page: u8, rng: &mut ChaCha20Rng) -> Option<()> {
        let page = self.page(page)?;
        let done = rng.next_u32() as usize % (PAGE_LEN + 1);
        let erased = if rng.next_u32() & 1 == 0 { &mut page[..done] } else { &mut page[PAGE_LEN - done..] };
        erased.fill(0xff);
        if let Some(byte) = erased.last_mut() {
            *byte = rng.next_u32() as u8;
        }
        Some(())
    }

    /// Writes to bytes that were erased; anything else is a mistake of the firmware.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) -> Option<()> {
        let place = self.0.get_mut(offset..offset.checked_add(bytes.len())?)?;
        if place.iter().any(|byte| *byte != 0xff) {
            return None;
        }
        place.copy_from_slice(bytes);
        Some(())
    }

    /// Power fails while bytes are written: the first are, one has only some of its bits.
    pub(crate) fn write_torn(&mut self, offset: usize, bytes: &[u8], rng: &mut ChaCha20Rng) -> Option<()> {
        let done = rng.next_u32() as usize % bytes.len().max(1);
        self.write(offset, &bytes[..done])?;
        let torn = self.0.get_mut(offset + done)?;
        *torn &= bytes.get(done)? | rng.next_u32() as u8;
        Some(())
    }

    fn page(&mut self, page: u8) -> Option<&mut [u8]> {
        let start = usize::from(page) * PAGE_LEN;
        self.0.get_mut(start..start + PAGE_LEN)
    }
}
