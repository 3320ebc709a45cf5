use core::fmt;

use crate::{MalformedObject, Value, reader::Reader};

/// Hands the values of the members of an object that have these names to `take`, with the place of the name, in the order
/// in which they stand; all others are checked and left out. Unlike [`members`](crate::members), it reads what is nested in
/// one pass.
///
/// # Errors
///
/// [`MalformedObject`], of `take` too. What was handed out before may be part of what is no object.
pub fn read_members<'a, const N: usize>(
    json: &'a [u8],
    names: &[&'static str; N],
    take: impl FnMut(usize, Unread<'_, 'a>) -> Result<(), MalformedObject>,
) -> Result<(), MalformedObject> {
    let mut reader = Reader { text: json, position: 0 };
    reader.object(names, take)?;
    reader.end().map_err(|fault| reader.error(fault))
}

/// A value that was not read yet. Where it is dropped, it is checked and left out.
pub struct Unread<'r, 'a> {
    pub(crate) reader: &'r mut Reader<'a>,
}

impl<'a> Unread<'_, 'a> {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`MalformedObject`].
    #[inline]
    pub fn value(self) -> Result<Value<'a>, MalformedObject> {
        self.reader.value().map_err(|fault| self.reader.error(fault))
    }

    /// Reads its members as [`read_members`] does.
    ///
    /// # Errors
    ///
    /// [`MalformedObject`]; that it is no object is said of `member`.
    pub fn members<const N: usize>(
        self,
        member: &'static str,
        names: &[&'static str; N],
        take: impl FnMut(usize, Unread<'_, 'a>) -> Result<(), MalformedObject>,
    ) -> Result<(), MalformedObject> {
        match self.reader.peek() {
            Some(b'{') => self.reader.object(names, take),
            _ => self.value().and(Err(MalformedObject::WrongType { member })),
        }
    }

    /// Hands its elements to `take`, or gives it back if it is no array.
    ///
    /// # Errors
    ///
    /// [`MalformedObject`].
    pub fn elements(self, take: impl FnMut(Value<'a>)) -> Result<Option<Self>, MalformedObject> {
        if self.reader.peek() != Some(b'[') {
            return Ok(Some(self));
        }
        self.reader.array(take).map_err(|fault| self.reader.error(fault))?;
        Ok(None)
    }
}

impl fmt::Debug for Unread<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unread").field("position", &self.reader.position).finish_non_exhaustive()
    }
}
