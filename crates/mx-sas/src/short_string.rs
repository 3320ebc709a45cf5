use mx_aes_sha2::hkdf_sha256_of_parts;
use mx_curve25519::SharedSecret;
use mx_types::Curve25519PublicKey;
use zeroize::Zeroizing;

use crate::{Emoji, Flow, MacMethod, MacText};

/// The ephemeral keys by side.
pub(crate) struct Keys {
    pub(crate) starter: Curve25519PublicKey,
    pub(crate) accepter: Curve25519PublicKey,
}

impl Keys {
    /// Encoded anew, whatever the spelling was in which they came.
    pub(crate) fn texts(&self) -> [MacText; 2] {
        [&self.starter, &self.accepter].map(|key| MacText::new(key.as_bytes(), MacMethod::HkdfHmacSha256V2))
    }
}

/// Six bytes, of which the users compare 39 or 42 bits.
pub(crate) struct ShortString(Zeroizing<[u8; 6]>);

impl ShortString {
    pub(crate) fn derive(secret: &SharedSecret, flow: &Flow<impl AsRef<str>>, keys: &Keys) -> Self {
        let keys = keys.texts();
        let info = info(flow, &keys).map(str::as_bytes);
        Self(hkdf_sha256_of_parts(&[], secret.as_bytes(), &info))
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }

    /// Three numbers of 13 bits, to each of which 1000 is added.
    pub(crate) fn decimal(&self) -> [u16; 3] {
        [35, 22, 9].map(|shift| ((self.number() >> shift) & 0x1fff) as u16 + 1000)
    }

    /// Seven numbers of 6 bits.
    pub(crate) fn emoji(&self) -> [Emoji; 7] {
        [42, 36, 30, 24, 18, 12, 6].map(|shift| Emoji::of_bits(self.number() >> shift))
    }

    /// The six bytes, big-endian.
    fn number(&self) -> u64 {
        self.0.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// What the string is derived from, in parts.
pub(crate) fn info<'i>(flow: &'i Flow<impl AsRef<str>>, keys: &'i [MacText; 2]) -> [&'i str; 14] {
    let [starter, accepter] = keys;
    [
        "MATRIX_KEY_VERIFICATION_SAS|",
        flow.starter.user_id.as_ref(),
        "|",
        flow.starter.device_id.as_ref(),
        "|",
        starter.as_str(),
        "|",
        flow.accepter.user_id.as_ref(),
        "|",
        flow.accepter.device_id.as_ref(),
        "|",
        accepter.as_str(),
        "|",
        flow.id.as_ref(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: [u8; 6]) -> ([u16; 3], [u8; 7]) {
        let string = ShortString(Zeroizing::new(bytes));
        (string.decimal(), string.emoji().map(Emoji::index))
    }

    // SAS-23, SAS-24
    #[test]
    fn vectors() {
        assert_eq!(of([0; 6]), ([1000; 3], [0; 7]));
        assert_eq!(of([0xff; 6]), ([9191; 3], [63; 7]));
        assert_eq!(
            of([0xca, 0xf2, 0x6d, 0xea, 0x9a, 0x8a]),
            ([7494, 3487, 6453], [50, 47, 9, 45, 58, 41, 42])
        );
    }

    // SAS-23, SAS-24: each bit stands where the formulas have it, and the last ones nowhere.
    #[test]
    fn attack_110_every_bit_alone() {
        for bit in 0..48_usize {
            let mut bytes = [0; 6];
            bytes[bit / 8] = 0x80 >> (bit % 8);
            let (decimal, emoji) = of(bytes);
            let expected = |count: usize, width: usize| {
                (0..count).map(move |i| {
                    if bit / width == i && bit < count * width {
                        1 << (width - 1 - bit % width)
                    } else {
                        0_u16
                    }
                })
            };
            assert!(decimal.into_iter().eq(expected(3, 13).map(|number| number + 1000)), "bit {bit}");
            assert!(emoji.into_iter().map(u16::from).eq(expected(7, 6)), "bit {bit}");
        }
    }
}
