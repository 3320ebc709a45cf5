use core::fmt;

use crate::base64::{self, DecodeError, TrailingBits};

/// A type of 32 public bytes with one spelling: parsed from bytes or Base64, written as Base64.
macro_rules! public_key {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The length in bytes.
            pub const LEN: usize = 32;

            /// Takes the 32 bytes of a key, unless they are an encoding that no honest key has.
            ///
            /// # Errors
            ///
            /// [`InvalidKey::NonCanonical`] and [`InvalidKey::SmallOrder`].
            pub const fn from_bytes(bytes: [u8; 32]) -> Result<Self, InvalidKey> {
                match $check(&bytes) {
                    Ok(()) => Ok(Self(bytes)),
                    Err(error) => Err(error),
                }
            }

            /// Reads 43 characters of unpadded Base64, or 44 with the padding.
            ///
            /// # Errors
            ///
            /// An [`InvalidKey`].
            pub fn from_base64(text: &str) -> Result<Self, InvalidKey> {
                let bytes = base64::decode_array(text, TrailingBits::Refused).map_err(InvalidKey::Base64)?;
                Self::from_bytes(bytes)
            }

            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            /// 43 characters of unpadded Base64.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(base64::encode(&self.0, &mut [0; 43]).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = InvalidKey;

            fn try_from(bytes: &[u8]) -> Result<Self, InvalidKey> {
                let array = bytes.try_into().map_err(|_| {
                    InvalidKey::Base64(DecodeError::UnexpectedLength { expected: Self::LEN, found: bytes.len() })
                })?;
                Self::from_bytes(array)
            }
        }
    };
}

public_key!(
    /// A Curve25519 public key: identity, one-time, fallback, base or ratchet key.
    ///
    /// The u-coordinate as RFC 7748 encodes it, below 2^255 - 19, and of no point of small order.
    Curve25519PublicKey,
    check_curve25519
);

public_key!(
    /// An Ed25519 public key: fingerprint of a device, Megolm session, or cross-signing key.
    ///
    /// The y-coordinate below 2^255 - 19 and a sign bit as RFC 8032 encodes them, and of no point of small order.
    /// Whether there is a point with that y-coordinate is found at the first verification.
    Ed25519PublicKey,
    check_ed25519
);

/// Why bytes or a text are not a public key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidKey {
    /// It is not the Base64 of 32 bytes.
    Base64(DecodeError),
    /// The coordinate is 2^255 - 19 or above: a second spelling of another key.
    NonCanonical,
    /// The point has small order: everybody knows its "secret", and what it signs or agrees on.
    SmallOrder,
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64(error) => error.fmt(f),
            Self::NonCanonical => f.write_str("public key is not in its canonical encoding"),
            Self::SmallOrder => f.write_str("public key is a point of small order"),
        }
    }
}

impl core::error::Error for InvalidKey {}

const fn check_curve25519(bytes: &[u8; 32]) -> Result<(), InvalidKey> {
    if !is_field_element(bytes) {
        return Err(InvalidKey::NonCanonical);
    }
    check_order(
        bytes,
        &[
            &ZERO,
            &ONE,
            &MINUS_ONE,
            const { &hex(b"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800") },
            const { &hex(b"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157") },
        ],
    )
}

const fn check_ed25519(bytes: &[u8; 32]) -> Result<(), InvalidKey> {
    let mut y = *bytes;
    y[31] &= 0x7f;
    if !is_field_element(&y) {
        return Err(InvalidKey::NonCanonical);
    }
    // Orders 4, 1, 2, 8 and 8. With either sign: for the first three one of the signs is a second spelling.
    check_order(
        &y,
        &[
            &ZERO,
            &ONE,
            &MINUS_ONE,
            const { &hex(b"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05") },
            const { &hex(b"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a") },
        ],
    )
}

const ZERO: [u8; 32] = [0; 32];
const ONE: [u8; 32] = {
    let mut bytes = ZERO;
    bytes[0] = 1;
    bytes
};
/// 2^255 - 20.
const MINUS_ONE: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xec;
    bytes[31] = 0x7f;
    bytes
};

/// Whether a little-endian number is below 2^255 - 19.
const fn is_field_element(bytes: &[u8; 32]) -> bool {
    let (first, rest) = bytes.split_at(1);
    let [low] = first else { return false };
    let (middle, last) = rest.split_at(30);
    let [high] = last else { return false };
    if *high != 0x7f {
        return *high < 0x7f; // nearly always, and the bytes are public
    }
    let mut all_ones = true;
    let mut rest = middle;
    while let Some((byte, others)) = rest.split_first() {
        all_ones &= *byte == 0xff;
        rest = others;
    }
    !all_ones || *low < 0xed
}

const fn check_order(bytes: &[u8; 32], small: &[&[u8; 32]]) -> Result<(), InvalidKey> {
    let mut rest = small;
    while let Some((point, others)) = rest.split_first() {
        if equal(bytes, point) {
            return Err(InvalidKey::SmallOrder);
        }
        rest = others;
    }
    Ok(())
}

#[expect(clippy::indexing_slicing, reason = "both arrays have 32 bytes; iterators are not const")]
const fn equal(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let mut i = 0;
    while i < 32 {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[expect(clippy::indexing_slicing, reason = "64 digits for 32 bytes; iterators are not const")]
const fn hex(digits: &[u8; 64]) -> [u8; 32] {
    const fn digit(c: u8) -> u8 {
        if c <= b'9' { c - b'0' } else { c - b'a' + 10 }
    }
    let mut bytes = [0; 32];
    let mut i = 0;
    while i < 32 {
        bytes[i] = digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]);
        i += 1;
    }
    bytes
}
