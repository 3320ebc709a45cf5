use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use mx_canonical_json::{CanonicalizeError, Limits, canonicalize};
use mx_qr_code::ReciprocateSecret;
use mx_sas::{Choice, Offer, SasError, ShortStrings};
use zeroize::Zeroizing;

use super::members::{Max, Members};
use super::{Fault, MessageLimits};

/// `m.key.verification.start`, with its content exactly as it was sent.
pub(crate) struct Start {
    pub(crate) from_device: String,
    pub(crate) method: StartMethod,
    /// See [`canonical`](Self::canonical).
    pub(super) canonical: String,
}

impl Start {
    pub(super) fn read(
        from_device: String,
        members: &Members<'_>,
        content: &str,
        limits: &MessageLimits,
    ) -> Result<Self, Fault> {
        let max = limits.start_len;
        let canonical = canonicalize(content, &Limits { len: max, ..Limits::DEFAULT });
        let canonical = canonical.map_err(|error| match error {
            CanonicalizeError::TooLong { .. } => Fault::StartTooLong { max },
            error => Fault::NotCanonical(error),
        })?;
        Ok(Self { from_device, method: StartMethod::read(members, limits)?, canonical })
    }

    /// The canonical JSON of the whole content, members that nobody knows included: what a commitment is over. Of one that came
    /// in, it is made from the text that came.
    pub(crate) fn canonical(&self) -> &str {
        &self.canonical
    }
}

/// How to verify.
#[derive(Debug)]
pub(crate) enum StartMethod {
    /// `m.sas.v1`
    Sas(SasOffer),
    /// `m.reciprocate.v1`
    Reciprocate(ReciprocateSecret),
    /// A name that nobody here knows.
    Other,
}

impl StartMethod {
    fn read(members: &Members<'_>, limits: &MessageLimits) -> Result<Self, Fault> {
        let method = members.text("method", limits.text_len)?;
        Ok(match method.as_str() {
            SAS => Self::Sas(SasOffer::read(members, limits)?),
            RECIPROCATE => {
                let secret = Zeroizing::new(members.text("secret", limits.text_len)?);
                let secret = ReciprocateSecret::from_base64(&secret);
                Self::Reciprocate(secret.map_err(|_| Fault::Invalid { field: "secret" })?)
            }
            _ => Self::Other,
        })
    }
}

/// What the other side offers for `m.sas.v1`. None of the lists is empty.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct SasOffer {
    pub(super) key_agreement_protocols: Vec<String>,
    pub(super) hashes: Vec<String>,
    pub(super) message_authentication_codes: Vec<String>,
    pub(super) short_authentication_string: Vec<String>,
}

impl SasOffer {
    fn read(members: &Members<'_>, limits: &MessageLimits) -> Result<Self, Fault> {
        let max = Max { count: limits.options, text_len: limits.text_len };
        Ok(Self {
            key_agreement_protocols: members.some_texts("key_agreement_protocols", max)?,
            hashes: members.some_texts("hashes", max)?,
            message_authentication_codes: members.some_texts("message_authentication_codes", max)?,
            short_authentication_string: members.some_texts("short_authentication_string", max)?,
        })
    }

    /// The best of it. `able` is what our user can compare.
    pub(crate) fn choose(&self, able: ShortStrings) -> Result<Choice, SasError> {
        let offer = Offer {
            key_agreement_protocols: &borrowed(&self.key_agreement_protocols),
            hashes: &borrowed(&self.hashes),
            message_authentication_codes: &borrowed(&self.message_authentication_codes),
            short_authentication_string: &borrowed(&self.short_authentication_string),
        };
        Choice::of_offer(&offer, able)
    }
}

/// Without the text of the content, in which there may be the secret of a code.
impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from_device, method, canonical: _ } = self;
        f.debug_struct("Start")
            .field("from_device", from_device)
            .field("method", method)
            .finish_non_exhaustive()
    }
}

pub(super) fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

pub(super) const SAS: &str = "m.sas.v1";
pub(super) const RECIPROCATE: &str = "m.reciprocate.v1";
