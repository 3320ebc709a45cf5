use crate::SasError;

/// How MACs are spelt. Both are the same HMAC-SHA-256 under a key from HKDF.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MacMethod {
    /// `hkdf-hmac-sha256.v2`: as Base64.
    HkdfHmacSha256V2,
    /// `hkdf-hmac-sha256`: as what libolm once took for Base64. Deprecated, and only used where the other side has nothing
    /// else.
    #[cfg(feature = "legacy-mac")]
    HkdfHmacSha256,
}

impl MacMethod {
    /// The name in `start` and `accept`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HkdfHmacSha256V2 => "hkdf-hmac-sha256.v2",
            #[cfg(feature = "legacy-mac")]
            Self::HkdfHmacSha256 => "hkdf-hmac-sha256",
        }
    }

    /// Those that we have, the best first.
    const ALL: &[Self] = &[
        Self::HkdfHmacSha256V2,
        #[cfg(feature = "legacy-mac")]
        Self::HkdfHmacSha256,
    ];
}

/// The ways to display a short authentication string.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ShortStrings {
    /// As three numbers. Every client has that.
    pub decimal: bool,
    /// As seven emoji.
    pub emoji: bool,
}

impl ShortStrings {
    /// Both.
    pub const ALL: Self = Self { decimal: true, emoji: true };

    /// The names in `start` and `accept`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [(self.decimal, DECIMAL), (self.emoji, EMOJI)]
            .into_iter()
            .filter_map(|(has, name)| has.then_some(name))
    }

    fn of_names(names: &[&str]) -> Self {
        Self { decimal: names.contains(&DECIMAL), emoji: names.contains(&EMOJI) }
    }

    const fn common(self, other: Self) -> Result<Self, SasError> {
        let common = Self { decimal: self.decimal & other.decimal, emoji: self.emoji & other.emoji };
        if common.decimal | common.emoji { Ok(common) } else { Err(SasError::NoCommonMethod) }
    }
}

/// The lists of an `m.key.verification.start`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Offer<'o> {
    /// `key_agreement_protocols`.
    pub key_agreement_protocols: &'o [&'o str],
    /// `hashes`.
    pub hashes: &'o [&'o str],
    /// `message_authentication_codes`.
    pub message_authentication_codes: &'o [&'o str],
    /// `short_authentication_string`.
    pub short_authentication_string: &'o [&'o str],
}

impl Offer<'static> {
    /// What we offer.
    pub const OURS: Self = Self {
        key_agreement_protocols: &[Choice::KEY_AGREEMENT_PROTOCOL],
        hashes: &[Choice::HASH],
        message_authentication_codes: &[
            MacMethod::HkdfHmacSha256V2.as_str(),
            #[cfg(feature = "legacy-mac")]
            MacMethod::HkdfHmacSha256.as_str(),
        ],
        short_authentication_string: &[DECIMAL, EMOJI],
    };
}

/// What both sides use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Choice {
    /// `message_authentication_code`.
    pub mac: MacMethod,
    /// `short_authentication_string`.
    pub short_strings: ShortStrings,
}

impl Choice {
    /// `key_agreement_protocol`: the only one. The deprecated `curve25519` does not bind the keys to the string.
    pub const KEY_AGREEMENT_PROTOCOL: &str = "curve25519-hkdf-sha256";
    /// `hash`: the only one.
    pub const HASH: &str = "sha256";

    /// The accepting side's choice from the other's offer: always the best that is there. `able` is what its user can
    /// compare.
    ///
    /// # Errors
    ///
    /// [`SasError::NoCommonMethod`].
    pub fn of_offer(offer: &Offer<'_>, able: ShortStrings) -> Result<Self, SasError> {
        let has =
            |list: &[&str], name| if list.contains(&name) { Ok(()) } else { Err(SasError::NoCommonMethod) };
        has(offer.key_agreement_protocols, Self::KEY_AGREEMENT_PROTOCOL)?;
        has(offer.hashes, Self::HASH)?;
        let macs = offer.message_authentication_codes;
        let mac = MacMethod::ALL.iter().find(|mac| macs.contains(&mac.as_str()));
        let mac = *mac.ok_or(SasError::NoCommonMethod)?;
        let short_strings = ShortStrings::of_names(offer.short_authentication_string).common(able)?;
        Ok(Self { mac, short_strings })
    }

    /// The starting side's look at what the `accept` says, after it has sent `offer`. Ways to display the string that it
    /// did not offer are left out: matrix-sdk-crypto always adds `decimal`.
    ///
    /// # Errors
    ///
    /// [`SasError::NotOffered`], and [`SasError::NoCommonMethod`] if no way to display the string is left.
    pub fn of_accept(
        offer: &Offer<'_>,
        key_agreement_protocol: &str,
        hash: &str,
        message_authentication_code: &str,
        short_authentication_string: &[&str],
    ) -> Result<Self, SasError> {
        let offered = offer.key_agreement_protocols.contains(&key_agreement_protocol)
            && offer.hashes.contains(&hash)
            && offer.message_authentication_codes.contains(&message_authentication_code);
        let known = key_agreement_protocol == Self::KEY_AGREEMENT_PROTOCOL && hash == Self::HASH;
        let mac = MacMethod::ALL.iter().find(|method| method.as_str() == message_authentication_code);
        let mac = *mac.filter(|_| offered && known).ok_or(SasError::NotOffered)?;
        let offered = ShortStrings::of_names(offer.short_authentication_string);
        let short_strings = ShortStrings::of_names(short_authentication_string).common(offered)?;
        Ok(Self { mac, short_strings })
    }
}

const DECIMAL: &str = "decimal";
const EMOJI: &str = "emoji";
