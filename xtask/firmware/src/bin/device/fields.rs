//! Fields of a request, and texts that are made piece by piece.

use core::fmt;

/// What is left of a request.
#[derive(Debug)]
pub struct Fields<'r>(&'r [u8]);

impl<'r> Fields<'r> {
    /// Operation, number, and the fields behind them.
    pub fn of(request: &'r [u8]) -> Option<(u8, u32, Self)> {
        let (&operation, rest) = request.split_first()?;
        let (number, rest) = rest.split_first_chunk()?;
        Some((operation, u32::from_le_bytes(*number), Self(rest)))
    }

    pub fn bytes(&mut self) -> Result<&'r [u8], &'static str> {
        let split = |rest: &'r [u8]| {
            let (len, rest) = rest.split_first_chunk()?;
            rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))
        };
        let (field, rest) = split(self.0).ok_or("a field is missing")?;
        self.0 = rest;
        Ok(field)
    }

    pub fn byte(&mut self) -> Result<u8, &'static str> {
        self.bytes()?.first().copied().ok_or("a field is empty")
    }

    pub fn text(&mut self) -> Result<&'r str, &'static str> {
        str::from_utf8(self.bytes()?).map_err(|_| "a field is no text")
    }
}

/// Fields of an answer, written to a buffer.
#[derive(Debug)]
pub struct Answer<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl<'o> Answer<'o> {
    pub const fn new(out: &'o mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// Appends a field; `fill` writes it to the start of what is left and says how long it is.
    pub fn field(&mut self, fill: impl FnOnce(&mut [u8]) -> Option<usize>) -> Result<(), &'static str> {
        let rest = self.out.get_mut(self.len..).unwrap_or_default();
        let (head, body) = rest.split_first_chunk_mut::<2>().ok_or("the answer is too long")?;
        let len = fill(body).ok_or("the answer is too long")?;
        *head = u16::try_from(len).map_err(|_| "the answer is too long")?.to_le_bytes();
        self.len += 2 + len;
        Ok(())
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        self.field(|out| {
            out.get_mut(..bytes.len())?.copy_from_slice(bytes);
            Some(bytes.len())
        })
    }

    pub fn text(&mut self, text: fmt::Arguments<'_>) -> Result<(), &'static str> {
        self.text_seen(text, |_| ())
    }

    /// Appends a text and shows its bytes as they were written.
    pub fn text_seen(
        &mut self,
        text: fmt::Arguments<'_>,
        see: impl FnOnce(&[u8]),
    ) -> Result<(), &'static str> {
        self.field(|out| {
            let mut written = Text { out, len: 0 };
            fmt::write(&mut written, text).ok()?;
            see(written.out.get(..written.len)?);
            Some(written.len)
        })
    }

    pub const fn len(&self) -> usize {
        self.len
    }
}

struct Text<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.out.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
