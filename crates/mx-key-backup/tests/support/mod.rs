//! Keys, sessions and backups for the tests.
#![allow(dead_code, reason = "not every test file needs all of it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use mx_curve25519::Ed25519SecretKey;
use mx_key_backup::{
    ALGORITHM, AuthData, BackupDecryptionKey, EncryptedSessionData, KeySource, ServerBackup, TrustAnchors,
    TrustedBackup,
};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_key::{BackedUpSessionData, RoomKey, RoomKeyContent};
use mx_types::{Curve25519PublicKey, Ed25519PublicKey, RoomId, UserId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};

pub(crate) const ROOM: &str = "!room:example.org";
pub(crate) const ALICE: &str = "@alice:example.org";

pub(crate) fn room() -> RoomId<'static> {
    RoomId::parse(ROOM).unwrap()
}

pub(crate) fn alice() -> UserId<'static> {
    UserId::parse(ALICE).unwrap()
}

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub(crate) fn key() -> BackupDecryptionKey {
    BackupDecryptionKey::from_bytes(&core::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap()))
}

pub(crate) fn sender_key() -> Curve25519PublicKey {
    Curve25519PublicKey::from_bytes([9; 32]).unwrap()
}

pub(crate) fn claimed() -> Ed25519PublicKey {
    Ed25519SecretKey::from_seed(&[8; 32]).public_key()
}

/// The answer of a server that has a backup with this `auth_data`.
pub(crate) fn answer(auth_data: &str) -> String {
    let auth_data: Value = serde_json::from_str(auth_data).unwrap();
    json!({"algorithm": ALGORITHM, "auth_data": auth_data, "version": "7", "etag": "0", "count": 3})
        .to_string()
}

pub(crate) fn server_backup(auth_data: &AuthData) -> ServerBackup {
    ServerBackup::parse(&answer(auth_data.as_str())).unwrap()
}

/// Nothing is trusted but the key.
pub(crate) fn by_key(key: &BackupDecryptionKey) -> TrustAnchors<'_> {
    TrustAnchors {
        user_id: alice(),
        master_signing_key: None,
        devices: &[],
        decryption_key: Some((key, KeySource::TypedIn)),
    }
}

pub(crate) fn trusted(key: &BackupDecryptionKey) -> TrustedBackup {
    server_backup(&AuthData::new(key.public_key())).trust(&by_key(key)).unwrap()
}

/// A session that came first-hand, known from this index on.
pub(crate) fn first_hand(seed: u8, room_id: RoomId<'_>, index: u32) -> RoomKey {
    let mut outbound = OutboundGroupSession::new(&mut rng(seed)).unwrap();
    for _ in 0..index {
        outbound.encrypt_to_vec(b"before").unwrap();
    }
    let json = RoomKeyContent::new(room_id, outbound.session_key(), true).emit_to_vec();
    RoomKey::first_hand(RoomKeyContent::parse(&json).unwrap(), sender_key(), claimed())
}

pub(crate) fn session_data(seed: u8) -> BackedUpSessionData {
    let outbound = OutboundGroupSession::new(&mut rng(seed)).unwrap();
    let session = InboundGroupSession::new(&outbound.session_key());
    let mut data = BackedUpSessionData::new(session.export(), sender_key());
    data.sender_claimed_ed25519 = Some(claimed());
    data
}

/// An entry of a backup around encrypted session data.
pub(crate) fn entry(data: &EncryptedSessionData) -> Value {
    let session_data: Value = serde_json::from_str(&data.emit()).unwrap();
    json!({"first_message_index": 0, "forwarded_count": 0, "is_verified": false, "session_data": session_data})
}

/// An answer with all of these sessions in one room.
pub(crate) fn whole_answer(key: &BackupDecryptionKey, seeds: impl IntoIterator<Item = u8>) -> Value {
    let mut sessions = serde_json::Map::new();
    for seed in seeds {
        let data = session_data(seed);
        let encrypted = trusted(key).encrypt_session_data(&mut rng(seed), &data).unwrap();
        sessions.insert(data.session_id().to_string(), entry(&encrypted));
    }
    json!({"rooms": {ROOM: {"sessions": sessions}}})
}
