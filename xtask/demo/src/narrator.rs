//! What the user sees: a story, or the wire objects themselves.

use std::io::{self, Write};

use serde_json::Value;

/// Writes one of two outputs.
pub struct Narrator<'o> {
    out: &'o mut dyn Write,
    wire_only: bool,
}

impl core::fmt::Debug for Narrator<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Narrator").field("wire_only", &self.wire_only).finish_non_exhaustive()
    }
}

impl<'o> Narrator<'o> {
    /// Tells the story, or, when `wire_only`, prints nothing but wire objects.
    pub fn new(out: &'o mut dyn Write, wire_only: bool) -> Self {
        Self { out, wire_only }
    }

    /// Begins a new part of the story.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn chapter(&mut self, title: &str) -> io::Result<()> {
        if self.wire_only { Ok(()) } else { writeln!(self.out, "\n{title}") }
    }

    /// One step in one line.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn step(&mut self, who: &str, what: &str) -> io::Result<()> {
        if self.wire_only { Ok(()) } else { writeln!(self.out, "  {who:<8}{what}") }
    }

    /// An object as it goes over the wire.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn wire(&mut self, object: &Value) -> io::Result<()> {
        if self.wire_only { writeln!(self.out, "{object}") } else { Ok(()) }
    }
}

/// The first characters of a key, enough for people to tell two apart.
#[must_use]
pub fn short(key: &str) -> String {
    let mut text: String = key.chars().take(8).collect();
    text.push('…');
    text
}

/// A number of bytes with thousands separated.
#[must_use]
pub fn bytes(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + if count == 1 { " byte" } else { " bytes" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(65_536), "65,536 bytes");
        assert_eq!(bytes(1_234_567), "1,234,567 bytes");
    }
}
