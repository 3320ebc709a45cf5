//! Sessions, keys and objects for the tests of this crate.
#![allow(dead_code, reason = "each test file uses its own part")]
#![expect(clippy::unwrap_used, reason = "tests")]

use mx_megolm::{
    InboundGroupSession, OutboundGroupSession, SessionKey,
    hazmat::{OutboundState, RatchetState},
};
use mx_room_key::{
    BackedUpSessionData, ExportedSessionData, ForwardedRoomKeyContent, Forwarder, RoomKey, RoomKeyContent,
};
use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, RoomId, UserId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub(crate) const ROOM: &str = "!room:example.org";

pub(crate) fn room() -> RoomId<'static> {
    RoomId::parse(ROOM).unwrap()
}

pub(crate) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([9; 32])
}

/// Sessions of different numbers are different.
pub(crate) fn outbound(number: u8) -> OutboundGroupSession {
    OutboundGroupSession::new(&mut ChaCha20Rng::from_seed([number; 32])).unwrap()
}

/// Another ratchet under the signing key of a session, as its owner could make it.
pub(crate) fn two_faced(number: u8) -> OutboundGroupSession {
    let state = OutboundState::from(&outbound(number));
    let ratchet = RatchetState { index: 0, parts: Zeroizing::new([0x77; 128]) };
    OutboundGroupSession::try_from(&OutboundState { ratchet, ..state }).unwrap()
}

/// Session 1 in the sharing format, as its owner would give it out at an index.
pub(crate) fn shared_at(index: u32) -> SessionKey {
    at(outbound(1), index).session_key()
}

fn at(mut session: OutboundGroupSession, index: u32) -> OutboundGroupSession {
    let mut out = [0; 128];
    while session.message_index() < index {
        session.encrypt(b"", &mut out).unwrap();
    }
    session
}

pub(crate) fn curve25519(number: u8) -> Curve25519PublicKey {
    Curve25519PublicKey::from_bytes([number.max(2); 32]).unwrap()
}

pub(crate) fn ed25519(number: u8) -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes([number.max(2); 32]).unwrap()
}

pub(crate) fn device(user_id: &str) -> Forwarder {
    Forwarder::new(UserId::parse(user_id).unwrap(), DeviceId::parse("DEVICE").unwrap())
}

/// Session 1 from an index on, as unsigned formats carry it.
pub(crate) fn data_at(index: u32) -> BackedUpSessionData {
    data_of(&outbound(1), index)
}

pub(crate) fn data_of(session: &OutboundGroupSession, index: u32) -> BackedUpSessionData {
    let exported = InboundGroupSession::new(&session.session_key()).export_at(index).unwrap();
    BackedUpSessionData {
        sender_claimed_ed25519: Some(ed25519(8)),
        ..BackedUpSessionData::new(exported, curve25519(9))
    }
}

pub(crate) fn exported_at(index: u32) -> ExportedSessionData<'static> {
    ExportedSessionData::new(room(), data_at(index))
}

pub(crate) fn first_hand_at(index: u32) -> RoomKey {
    first_hand_of(shared_at(index))
}

pub(crate) fn first_hand_of(key: SessionKey) -> RoomKey {
    RoomKey::first_hand(RoomKeyContent::new(room(), key, false), curve25519(9), ed25519(8))
}

pub(crate) fn from_file_at(index: u32) -> RoomKey {
    RoomKey::from_file(exported_at(index))
}

pub(crate) fn from_bundle_at(index: u32, user_id: &str) -> RoomKey {
    RoomKey::from_bundle(room(), data_at(index), device(user_id))
}

pub(crate) fn forwarded_content_at(index: u32) -> ForwardedRoomKeyContent {
    ForwardedRoomKeyContent::new(room(), data_at(index).session_key, curve25519(9), ed25519(8))
}

/// An entry of a file, as others write it.
pub(crate) fn entry() -> Value {
    json!({
        "algorithm": "m.megolm.v1.aes-sha2",
        "room_id": ROOM,
        "sender_key": curve25519(9).to_string(),
        "session_id": data_at(3).session_id().as_str(),
        "session_key": *data_at(3).session_key.to_base64_string(),
        "sender_claimed_keys": { "ed25519": ed25519(8).to_string() },
        "forwarding_curve25519_key_chain": [curve25519(4).to_string(), curve25519(5).to_string()],
        "shared_history": true,
    })
}

/// `value` with a member replaced, or without it for `Null`.
pub(crate) fn with(mut value: Value, member: &str, replacement: Value) -> Value {
    let object = value.as_object_mut().unwrap();
    if replacement.is_null() {
        object.remove(member)
    } else {
        object.insert(member.to_owned(), replacement)
    };
    value
}
