use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use mx_sas::{Choice, Commitment, MAX_MACS, Offer, ReceivedMac, SasError, ShortStrings};
use mx_types::base64::TrailingBits;

use super::members::{Max, Members, base64_of_32};
use super::start::borrowed;
use super::{Fault, MessageLimits};

/// `m.key.verification.accept`
#[derive(Debug)]
pub(crate) struct Accept {
    pub(super) key_agreement_protocol: String,
    pub(super) hash: String,
    pub(super) message_authentication_code: String,
    pub(super) short_authentication_string: Vec<String>,
    pub(crate) commitment: Commitment,
}

impl Accept {
    /// Ours.
    pub(crate) fn new(choice: &Choice, commitment: Commitment) -> Self {
        Self {
            key_agreement_protocol: Choice::KEY_AGREEMENT_PROTOCOL.to_owned(),
            hash: Choice::HASH.to_owned(),
            message_authentication_code: choice.mac.as_str().to_owned(),
            short_authentication_string: choice.short_strings.names().map(str::to_owned).collect(),
            commitment,
        }
    }

    /// `method` is not looked at: some require it, some do not send it.
    pub(super) fn read(members: &Members<'_>, limits: &MessageLimits) -> Result<Self, Fault> {
        let text = |field| members.text(field, limits.text_len);
        let max = Max { count: limits.options, text_len: limits.text_len };
        Ok(Self {
            key_agreement_protocol: text("key_agreement_protocol")?,
            hash: text("hash")?,
            message_authentication_code: text("message_authentication_code")?,
            short_authentication_string: members.some_texts("short_authentication_string", max)?,
            commitment: Commitment::from_base64(&text("commitment")?)
                .map_err(|_| Fault::Invalid { field: "commitment" })?,
        })
    }

    /// What the other side has chosen, if it was offered. `able` is what our user can compare.
    pub(crate) fn choice(&self, able: ShortStrings) -> Result<Choice, SasError> {
        let short_strings: Vec<&str> = able.names().collect();
        Choice::of_accept(
            &Offer { short_authentication_string: &short_strings, ..Offer::OURS },
            &self.key_agreement_protocol,
            &self.hash,
            &self.message_authentication_code,
            &borrowed(&self.short_authentication_string),
        )
    }
}

/// `m.key.verification.mac`
#[derive(Debug)]
pub(crate) struct Mac {
    /// IDs of keys, and MACs, in the order in which they came. An ID that stands there twice is there twice: `mx-sas` refuses that.
    pub(crate) mac: Vec<(String, String)>,
    pub(crate) keys: String,
}

impl Mac {
    pub(super) fn read(members: &Members<'_>, limits: &MessageLimits) -> Result<Self, Fault> {
        let max = Max { count: limits.macs.min(MAX_MACS), text_len: limits.text_len };
        let mac = members.named_texts("mac", max)?;
        let mac = mac.into_iter().map(|(key_id, mac)| {
            let mac = base64_of_32(mac, "mac", TrailingBits::Ignored)?;
            Ok((key_id, mac))
        });
        let keys = members.text("keys", limits.text_len)?;
        Ok(Self {
            mac: mac.collect::<Result<_, _>>()?,
            keys: base64_of_32(keys, "keys", TrailingBits::Ignored)?,
        })
    }

    /// Gives it to `f` as `mx-sas` takes it.
    pub(crate) fn received<T>(&self, f: impl FnOnce(&ReceivedMac<'_>) -> T) -> T {
        let mac: Vec<(&str, &str)> =
            self.mac.iter().map(|(key_id, mac)| (key_id.as_str(), mac.as_str())).collect();
        f(&ReceivedMac { mac: &mac, keys: &self.keys })
    }
}
