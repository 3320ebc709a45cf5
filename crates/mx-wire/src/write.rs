/// Appends fields to a slice. When one does not fit nothing more is written, and [`Writer::finish`] says so.
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut [u8],
    written: Option<usize>,
}

impl<'o> Writer<'o> {
    /// Begins at the first byte of `out`.
    #[must_use]
    pub const fn new(out: &'o mut [u8]) -> Self {
        Self { out, written: Some(0) }
    }

    /// Appends bytes as they are: a version, or a MAC.
    pub fn raw(&mut self, bytes: &[u8]) {
        if let Some(out) = self.raw_in_place(bytes.len()) {
            out.copy_from_slice(bytes);
        }
    }

    /// Appends bytes to be filled in by the caller. `None` when they do not fit.
    pub fn raw_in_place(&mut self, len: usize) -> Option<&mut [u8]> {
        let start = self.written.take()?;
        let end = start.checked_add(len)?;
        let out = self.out.get_mut(start..end)?;
        self.written = Some(end);
        Some(out)
    }

    /// Appends a number with its tag, 0 included, in the shortest form.
    pub fn number(&mut self, tag: u32, value: u32) {
        self.varint(u64::from(tag));
        self.varint(u64::from(value));
    }

    /// Appends a byte string with its tag.
    pub fn bytes(&mut self, tag: u32, value: &[u8]) {
        if let Some(out) = self.bytes_in_place(tag, value.len()) {
            out.copy_from_slice(value);
        }
    }

    /// Appends a byte string with its tag, to be filled in by the caller. `None` when it does not fit.
    pub fn bytes_in_place(&mut self, tag: u32, len: usize) -> Option<&mut [u8]> {
        self.varint(u64::from(tag));
        self.varint(len as u64);
        self.raw_in_place(len)
    }

    /// All that was written; `None` when something did not fit.
    #[must_use]
    pub fn finish(self) -> Option<&'o mut [u8]> {
        self.out.get_mut(..self.written?)
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            let [low, ..] = value.to_le_bytes();
            self.raw(&[low | 0x80]);
            value >>= 7;
        }
        let [low, ..] = value.to_le_bytes();
        self.raw(&[low]);
    }
}

/// The length in bytes of a number in its shortest form.
#[must_use]
pub const fn varint_len(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}
