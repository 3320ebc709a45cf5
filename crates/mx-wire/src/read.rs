use core::fmt;

/// The fields of a payload, in the order in which they stand in it. After an error there are none.
#[derive(Clone, Debug)]
pub struct Fields<'m> {
    rest: &'m [u8],
}

impl<'m> Fields<'m> {
    /// Begins at the first byte of a payload, without the message's version and MAC.
    #[must_use]
    pub const fn new(payload: &'m [u8]) -> Self {
        Self { rest: payload }
    }

    /// Puts the fields of these tags into their slots and passes over all others.
    ///
    /// ```
    /// use mx_wire::{Fields, Slot};
    ///
    /// let (mut numbers, mut bytes) = ([(0x08, Slot::empty())], [(0x12, Slot::empty()), (0x1a, Slot::empty())]);
    /// Fields::new(b"\x08\xac\x02\x12\x04text\x22\x00").put_into(&mut numbers, &mut bytes)?;
    /// let ([(_, number)], [(_, text), (_, missing)]) = (numbers, bytes);
    /// assert_eq!((number.take()?, text.take()?), (300, &b"text"[..]));
    /// assert_eq!(missing.take(), Err(mx_wire::FieldError::Missing));
    /// # Ok::<(), mx_wire::FieldError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A [`FieldError`] of any field, [`FieldError::Repeated`] of one that has a slot.
    pub fn put_into(
        self,
        numbers: &mut [(u32, Slot<u32>)],
        bytes: &mut [(u32, Slot<&'m [u8]>)],
    ) -> Result<(), FieldError> {
        for field in self {
            match field? {
                Field::Number { tag, value } => put(numbers, tag, value)?,
                Field::Bytes { tag, value } => put(bytes, tag, value)?,
            }
        }
        Ok(())
    }

    fn field(&mut self) -> Result<Field<'m>, FieldError> {
        let tag = self.number(MAX_NUMBER_LEN)?;
        let tag = u32::try_from(tag).map_err(|_| FieldError::Varint)?;
        if tag >> 3 == 0 {
            return Err(FieldError::FieldNumber);
        }
        match tag & 7 {
            0 => {
                let value = self.number(MAX_NUMBER_LEN)?;
                let value = u32::try_from(value).map_err(|_| FieldError::Varint)?;
                Ok(Field::Number { tag, value })
            }
            2 => {
                let len = self.number(MAX_LENGTH_LEN)?;
                let len = usize::try_from(len).map_err(|_| FieldError::Truncated)?;
                let (value, rest) = self.rest.split_at_checked(len).ok_or(FieldError::Truncated)?;
                self.rest = rest;
                Ok(Field::Bytes { tag, value })
            }
            _ => Err(FieldError::WireType),
        }
    }

    /// Seven bits a byte, the lowest first, the high bit set in all bytes but the last.
    fn number(&mut self, max_len: u32) -> Result<u64, FieldError> {
        let mut value = 0_u64;
        for position in 0..max_len {
            let (byte, rest) = self.rest.split_first().ok_or(FieldError::Truncated)?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits << (7 * position);
            if shifted >> (7 * position) != bits {
                return Err(FieldError::Varint);
            }
            value |= shifted;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(FieldError::Varint)
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = Result<Field<'m>, FieldError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// One field. The tag is the whole of it, field number and wire type: the same number with another type is another,
/// unknown field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field<'m> {
    /// Wire type 0.
    Number {
        /// The field number times 8.
        tag: u32,
        /// The value.
        value: u32,
    },
    /// Wire type 2.
    Bytes {
        /// The field number times 8, plus 2.
        tag: u32,
        /// The value.
        value: &'m [u8],
    },
}

/// Where a known field is put: it must come, and must not come twice.
#[derive(Clone, Copy, Debug)]
pub struct Slot<T>(Option<T>);

impl<T> Slot<T> {
    /// Nothing has come.
    #[must_use]
    pub const fn empty() -> Self {
        Self(None)
    }

    /// Puts a value in.
    ///
    /// # Errors
    ///
    /// [`FieldError::Repeated`] when there is one already.
    pub fn put(&mut self, value: T) -> Result<(), FieldError> {
        match self.0.replace(value) {
            None => Ok(()),
            Some(_) => Err(FieldError::Repeated),
        }
    }

    /// Takes the value out.
    ///
    /// # Errors
    ///
    /// [`FieldError::Missing`] when none has come.
    pub fn take(self) -> Result<T, FieldError> {
        self.0.ok_or(FieldError::Missing)
    }
}

fn put<T>(slots: &mut [(u32, Slot<T>)], tag: u32, value: T) -> Result<(), FieldError> {
    slots.iter_mut().find(|(known, _)| *known == tag).map_or(Ok(()), |(_, slot)| slot.put(value))
}

/// Why a payload is not a sequence of fields, or not of the wanted ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FieldError {
    /// A number is longer than it may be, or too large.
    Varint,
    /// A number or a byte string goes past the end.
    Truncated,
    /// A field of a type that no Olm or Megolm message has.
    WireType,
    /// Field number 0.
    FieldNumber,
    /// A field that must come once came twice.
    Repeated,
    /// A field that must come is not there.
    Missing,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Varint => "a number in the message is too long or too large",
            Self::Truncated => "the message ends in the middle of a field",
            Self::WireType => "the message has a field of an unsupported type",
            Self::FieldNumber => "the message has a field with number 0",
            Self::Repeated => "a field comes twice in the message",
            Self::Missing => "a field is missing in the message",
        })
    }
}

impl core::error::Error for FieldError {}

/// Tags and values: 32 bits.
const MAX_NUMBER_LEN: u32 = 5;
/// Lengths: 64 bits.
const MAX_LENGTH_LEN: u32 = 10;
