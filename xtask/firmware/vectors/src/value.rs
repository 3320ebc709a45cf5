//! JSON as constants, which build.rs writes.
#![cfg_attr(not(feature = "mechanisms"), allow(dead_code, reason = "the others need less of it"))]

/// What a file of vectors has, but for what says where a vector comes from.
#[derive(Debug)]
pub enum Value {
    Text(&'static str),
    Number(u32),
    List(&'static [Self]),
    Object(&'static [(&'static str, Self)]),
}

impl Value {
    pub fn get(&self, name: &str) -> Option<&'static Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(member, _)| *member == name).map(|(_, value)| value)
    }

    pub fn text(&self, name: &str) -> Option<&'static str> {
        match self.get(name)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn list(&self, name: &str) -> Option<&'static [Self]> {
        match self.get(name)? {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// Whether it is a list of these numbers.
    pub fn is_numbers(&self, numbers: impl Iterator<Item = u32>) -> bool {
        let Self::List(list) = self else { return false };
        let number = |value: &Self| match value {
            Self::Number(number) => Some(*number),
            _ => None,
        };
        list.iter().map(number).eq(numbers.map(Some))
    }

    /// A member in hexadecimal, of a length that is known.
    pub fn hex<const N: usize>(&self, name: &str) -> Option<[u8; N]> {
        let mut out = [0; N];
        let found = hex(self.text(name)?, &mut out)?;
        (found.len() == N).then_some(out)
    }
}

/// Bytes in hexadecimal, to the start of `out`.
pub fn hex<'o>(text: &str, out: &'o mut [u8]) -> Option<&'o mut [u8]> {
    let out = out.get_mut(..text.len() / 2)?;
    for (pair, byte) in text.as_bytes().chunks_exact(2).zip(out.iter_mut()) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

/// Whether `holds`, for functions that end with the first thing that does not.
pub fn check(holds: bool) -> Option<()> {
    holds.then_some(())
}
