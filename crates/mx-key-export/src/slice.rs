use core::convert::Infallible;

use embedded_io::{ErrorType, Read, Seek, SeekFrom};

/// A text in memory as a source.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'t> {
    text: &'t [u8],
    position: u64,
}

impl<'t> Slice<'t> {
    pub(crate) const fn new(text: &'t [u8]) -> Self {
        Self { text, position: 0 }
    }
}

impl ErrorType for Slice<'_> {
    type Error = Infallible;
}

impl Read for Slice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let position = usize::try_from(self.position).unwrap_or(usize::MAX);
        let rest = self.text.get(position..).unwrap_or_default();
        let now = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..now), rest.get(..now)) {
            to.copy_from_slice(from);
        }
        self.position += now as u64;
        Ok(now)
    }
}

impl Seek for Slice<'_> {
    /// Positions before the start are the start.
    fn seek(&mut self, position: SeekFrom) -> Result<u64, Infallible> {
        self.position = match position {
            SeekFrom::Start(position) => position,
            SeekFrom::End(distance) => (self.text.len() as u64).saturating_add_signed(distance),
            SeekFrom::Current(distance) => self.position.saturating_add_signed(distance),
        };
        Ok(self.position)
    }
}
