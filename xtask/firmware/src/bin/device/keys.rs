//! The keys that are published: signed JSON, as `/keys/upload` wants it.

use core::fmt;

use firmware::link::Link;
use mx_types::{Curve25519PublicKey, base64};

use crate::{device::DeviceAccount, fields::Answer};

#[inline(never)]
pub fn device_keys(account: &DeviceAccount, answer: &mut Answer<'_>) -> Result<(), &'static str> {
    let (curve25519, ed25519) = (account.curve25519_key(), account.ed25519_key());
    signed(
        account,
        answer,
        format_args!(
            "{{\"algorithms\":[\"m.olm.v1.curve25519-aes-sha2\",\"m.megolm.v1.aes-sha2\"],\"device_id\":\"SENSOR\",\
             \"keys\":{{\"curve25519:SENSOR\":\"{curve25519}\",\"ed25519:SENSOR\":\"{ed25519}\"}},\
             \"user_id\":\"@sensor:example.org\"}}"
        ),
    )
}

#[inline(never)]
pub fn generate(
    account: &mut DeviceAccount,
    link: &mut Link,
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let keys = account.one_time_keys_mut();
    let count = keys.needed(0);
    for _ in 0..count {
        let generated = keys.generate(link).map_err(|_| "no one-time key was generated")?;
        assert!(generated.evicted.is_none());
    }
    let generated = keys.generate_fallback(link).map_err(|_| "no fallback key was generated")?;
    assert!(generated.evicted.is_none());
    answer.bytes(&[u8::try_from(count).unwrap_or(u8::MAX)])
}

#[inline(never)]
pub fn one_time_key(
    account: &DeviceAccount,
    position: u8,
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let keys = account.one_time_keys();
    let (key, fallback) = match position {
        u8::MAX => (keys.unpublished_fallback(), true),
        position => (keys.unpublished().nth(position.into()), false),
    };
    let key = key.ok_or("there is no such key")?;
    answer.text(format_args!("{}", key.id))?;
    signed(account, answer, format_args!("{}", KeyObject { fallback, key: key.key }))
}

struct KeyObject {
    fallback: bool,
    key: Curve25519PublicKey,
}

impl fmt::Display for KeyObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fallback = if self.fallback { "\"fallback\":true," } else { "" };
        write!(f, "{{{fallback}\"key\":\"{}\"}}", self.key)
    }
}

/// The object as canonical JSON, and its signature.
fn signed(
    account: &DeviceAccount,
    answer: &mut Answer<'_>,
    object: fmt::Arguments<'_>,
) -> Result<(), &'static str> {
    let mut signature = None;
    answer.text_seen(object, |text| signature = Some(account.sign(text)))?;
    let signature = signature.ok_or("nothing was signed")?;
    answer.field(|out| base64::encode(signature.as_bytes(), out).ok().map(str::len))
}
