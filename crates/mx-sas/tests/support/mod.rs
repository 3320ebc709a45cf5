//! Two parties and their keys.
#![allow(dead_code, clippy::unwrap_used, reason = "tests, of which each uses a part of this")]

use core::convert::Infallible;

use mx_sas::{Flow, Party};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{SeedableRng, TryCryptoRng, TryRng},
};

pub(crate) const START: &[u8] = br#"{"from_device":"ALICEDEVICE","hashes":["sha256"],"key_agreement_protocols":["curve25519-hkdf-sha256"],"message_authentication_codes":["hkdf-hmac-sha256.v2"],"method":"m.sas.v1","short_authentication_string":["decimal","emoji"],"transaction_id":"txn-0001"}"#;
pub(crate) const START_IN_ROOM: &[u8] = br#"{"from_device":"ALICEDEVICE","hashes":["sha256"],"key_agreement_protocols":["curve25519-hkdf-sha256"],"m.relates_to":{"event_id":"$evt:example.org","rel_type":"m.reference"},"message_authentication_codes":["hkdf-hmac-sha256.v2"],"method":"m.sas.v1","short_authentication_string":["decimal","emoji"]}"#;

pub(crate) fn alice() -> Party<'static> {
    party("@alice:example.org", "ALICEDEVICE")
}

pub(crate) fn bob() -> Party<'static> {
    party("@bob:example.org", "BOBDEVICE")
}

pub(crate) fn party<'p>(user_id: &'p str, device_id: &'p str) -> Party<'p> {
    Party { user_id: UserId::parse(user_id).unwrap(), device_id: DeviceId::parse(device_id).unwrap() }
}

pub(crate) fn flow() -> Flow<&'static str> {
    Flow::new("txn-0001", alice(), bob()).unwrap()
}

/// Ed25519 keys of the seeds of 32 times 1 and 2, and two others.
pub(crate) fn keys() -> [Ed25519PublicKey; 4] {
    [
        "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w",
        "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q",
        "a1MgL5JpHjbNJ2f5IxHYiqL2MQUbNu/8pCWAGgzS6AQ",
        "vVJ8+G4HpB+0zDMOQlTnW379h9A2Qt9vVnYlm4auvE0",
    ]
    .map(|text| Ed25519PublicKey::from_base64(text).unwrap())
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// Gives consecutive numbers, from this one on.
pub(crate) struct CountingRng(pub(crate) u8);

impl TryRng for CountingRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unimplemented!("keys are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unimplemented!("keys are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
        Ok(())
    }
}

impl TryCryptoRng for CountingRng {}
