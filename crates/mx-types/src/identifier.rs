use core::fmt;

/// The longest identifier, in bytes of UTF-8 (appendices, "Common Identifier Format").
pub const MAX_IDENTIFIER_LEN: usize = 255;

/// A borrowed identifier: compared and handed on as it is, never taken apart, never made part of another text.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name<'a>(&'a str);

        impl<'a> $name<'a> {
            /// Takes a text that can be such an identifier.
            ///
            /// # Errors
            ///
            /// An [`InvalidIdentifier`].
            pub fn parse(text: &'a str) -> Result<Self, InvalidIdentifier> {
                check_opaque(text)?;
                let check: fn(&str) -> Result<(), InvalidIdentifier> = $check;
                check(text)?;
                Ok(Self(text))
            }

            /// The text as it was parsed.
            #[must_use]
            pub const fn as_str(&self) -> &'a str {
                self.0
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }

        impl<'a> TryFrom<&'a str> for $name<'a> {
            type Error = InvalidIdentifier;

            fn try_from(text: &'a str) -> Result<Self, InvalidIdentifier> {
                Self::parse(text)
            }
        }
    };
}

identifier!(
    /// A user ID: `@`, a localpart, `:` and a server name; at most 255 bytes, no control characters.
    ///
    /// Nothing else is asked of it: IDs from the time before the present grammar are in use.
    UserId,
    |text| {
        sigil(text, '@')?;
        match text.split_once(':') {
            Some((_, server_name)) if !server_name.is_empty() => Ok(()),
            _ => Err(InvalidIdentifier::NoServerName),
        }
    }
);

identifier!(
    /// A device ID: any text of 1 to 255 bytes without control characters.
    DeviceId,
    |_| Ok(())
);

identifier!(
    /// A room ID: `!` and any text, with a server name (room versions up to 11) or without; at most 255 bytes.
    RoomId,
    |text| sigil(text, '!')
);

identifier!(
    /// A session ID: any text of 1 to 255 bytes without control characters.
    ///
    /// That of an Olm or Megolm session is 43 characters of Base64, but IDs in events are what somebody wrote.
    SessionId,
    |_| Ok(())
);

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidIdentifier {
    /// The text, or the part before or after the colon of a key ID, is empty.
    Empty,
    /// The text is longer than [`MAX_IDENTIFIER_LEN`].
    TooLong {
        /// The length found, in bytes.
        len: usize,
    },
    /// There is a control character in it, such as NUL or a line break.
    ControlCharacter,
    /// It does not begin with the character that such identifiers begin with.
    WrongSigil {
        /// The character that must stand first.
        expected: char,
    },
    /// There is no colon with a server name in it.
    NoServerName,
    /// There is no colon between algorithm and name in it.
    NoAlgorithm,
}

impl fmt::Display for InvalidIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("identifier is empty, or a part of it is"),
            Self::TooLong { len } => {
                write!(f, "identifier has {len} bytes, at most {MAX_IDENTIFIER_LEN} are allowed")
            }
            Self::ControlCharacter => f.write_str("identifier has a control character in it"),
            Self::WrongSigil { expected } => write!(f, "identifier does not begin with {expected}"),
            Self::NoServerName => f.write_str("identifier has no server name"),
            Self::NoAlgorithm => f.write_str("key identifier has no algorithm"),
        }
    }
}

impl core::error::Error for InvalidIdentifier {}

pub(crate) fn check_opaque(text: &str) -> Result<(), InvalidIdentifier> {
    if text.is_empty() {
        Err(InvalidIdentifier::Empty)
    } else if text.len() > MAX_IDENTIFIER_LEN {
        Err(InvalidIdentifier::TooLong { len: text.len() })
    } else if text.chars().any(char::is_control) {
        Err(InvalidIdentifier::ControlCharacter)
    } else {
        Ok(())
    }
}

fn sigil(text: &str, expected: char) -> Result<(), InvalidIdentifier> {
    if text.starts_with(expected) { Ok(()) } else { Err(InvalidIdentifier::WrongSigil { expected }) }
}
