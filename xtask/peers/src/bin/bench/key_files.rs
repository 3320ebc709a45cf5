//! Key export files and the derivation of their keys.

use std::{hint::black_box, num::NonZeroU32, time::Duration};

use mx_aes_sha2::Pbkdf2Sha512;
use mx_key_export::{ExportKeys, KeyDerivation, KeyExport, KeyExportWriter, MAX_ROUNDS};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_key::{BackedUpSessionData, ExportedSessionData};
use mx_types::{Curve25519PublicKey, RoomId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

use crate::{
    measure::{Case, on_each},
    table::{Row, Table},
};

pub const PASSPHRASE: &str = "passphrase";
const SESSIONS: usize = 10_000;

pub fn rows(table: &mut Table) {
    const ROUNDS: NonZeroU32 = NonZeroU32::new(500_000).expect("not zero");
    let ours: Case<'_> =
        Box::new(|n| on_each(0..n, |_| Pbkdf2Sha512::new(PASSPHRASE.as_bytes(), &[7; 16], ROUNDS).finish()));
    table.row(Row {
        work: "PBKDF2-HMAC-SHA-512, 500,000 rounds",
        target: if cfg!(feature = "openssl") { 1.3 } else { 1.0 },
        ours,
        peers: peers::derive(ROUNDS.get()),
    });

    // The table leaves rows out that were not asked for; their preparation takes a second.
    let [write, read] = ["key file of 10,000 sessions, written", "key file of 10,000 sessions, read"];
    if ![write, read].into_iter().any(|work| table.wants(work)) {
        return;
    }
    let keys = keys();
    let sessions: Vec<_> = sessions(SESSIONS).collect();
    let text = text(&keys, &sessions);
    let ours: Case<'_> = Box::new(|n| on_each(0..n, |_| self::text(&keys, &sessions)));
    table.row(Row { work: write, target: 2.5, ours, peers: peers::write(&text) });
    let ours: Case<'_> = Box::new(|n| on_each(0..n, |_| self::read(&keys, &text)));
    table.row(Row { work: read, target: 8.0, ours, peers: peers::read(&text) });
}

/// Keys of one round: what is measured is the file.
pub fn keys() -> ExportKeys {
    KeyDerivation::new(&mut rng(), PASSPHRASE, NonZeroU32::MIN).expect("random").finish()
}

pub fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(11)
}

/// Sessions as a client has them: some in each room, each from its beginning.
pub fn sessions(count: usize) -> impl Iterator<Item = ExportedSessionData<'static>> {
    let mut rng = rng();
    (0..count).map(move |n| {
        let outbound = OutboundGroupSession::new(&mut rng).expect("random");
        let session_key =
            InboundGroupSession::new(&outbound.session_key()).export_at(0).expect("the first index");
        let sender_key = Curve25519PublicKey::from_base64("hPQNcabIABgGnx3/ACv/jmMmiQHoeFfuLB17tzWp6Hw");
        let mut session = BackedUpSessionData::new(session_key, sender_key.expect("a key"));
        session.sender_claimed_ed25519 = Some(outbound.public_key());
        let room = format!("!{:018}:matrix.example.org", n / 50);
        ExportedSessionData::new(RoomId::parse(&room).expect("a room ID"), session).into_owned()
    })
}

fn text(keys: &ExportKeys, sessions: &[ExportedSessionData<'_>]) -> Vec<u8> {
    let mut writer = KeyExportWriter::new(&mut rng(), keys, Vec::new()).expect("random");
    for session in sessions {
        writer.write(session).expect("there is room");
    }
    writer.finish().expect("there is room")
}

fn read(keys: &ExportKeys, text: &[u8]) -> usize {
    let mut file = KeyExport::from_slice(text).expect("a key file");
    assert!(file.derive(PASSPHRASE, MAX_ROUNDS).is_ok());
    let mut sessions = file.sessions(keys).expect("the right keys");
    let mut count = 0;
    while let Some(session) = sessions.next_session().expect("a list") {
        black_box(session.expect("a session"));
        count += 1;
    }
    assert_eq!(count, SESSIONS);
    count
}

mod peers {
    #[cfg(feature = "matrix-sdk-crypto")]
    use {
        super::black_box,
        matrix_sdk_crypto::{decrypt_room_key_export, encrypt_room_key_export},
    };

    use super::{Case, Duration, PASSPHRASE, on_each};

    pub fn derive(rounds: u32) -> Vec<(&'static str, Case<'static>)> {
        let by = |derive: fn(u32, &mut [u8])| -> Case<'static> {
            Box::new(move |n| -> Duration {
                on_each(0..n, |_| {
                    let mut key = [0; 64];
                    derive(rounds, &mut key);
                    key
                })
            })
        };
        vec![
            #[cfg(feature = "openssl")]
            (
                "OpenSSL",
                by(|rounds, key| {
                    let hash = openssl::hash::MessageDigest::sha512();
                    openssl::pkcs5::pbkdf2_hmac(PASSPHRASE.as_bytes(), &[7; 16], rounds as usize, hash, key)
                        .expect("derived");
                }),
            ),
            (
                "RustCrypto",
                by(|rounds, key| {
                    pbkdf2::pbkdf2_hmac::<pbkdf2::sha2::Sha512>(PASSPHRASE.as_bytes(), &[7; 16], rounds, key)
                }),
            ),
        ]
    }

    #[cfg(feature = "matrix-sdk-crypto")]
    pub fn write(text: &[u8]) -> Vec<(&'static str, Case<'static>)> {
        let sessions = decrypt_room_key_export(text, PASSPHRASE).expect("a key file");
        let write =
            move |n| on_each(0..n, |_| encrypt_room_key_export(&sessions, PASSPHRASE, 1).expect("written"));
        vec![("matrix-sdk-crypto", Box::new(write))]
    }

    #[cfg(feature = "matrix-sdk-crypto")]
    pub fn read(text: &[u8]) -> Vec<(&'static str, Case<'_>)> {
        let read = move |n| {
            on_each(0..n, |_| decrypt_room_key_export(black_box(text), PASSPHRASE).expect("a key file"))
        };
        vec![("matrix-sdk-crypto", Box::new(read))]
    }

    #[cfg(not(feature = "matrix-sdk-crypto"))]
    pub fn write(_: &[u8]) -> Vec<(&'static str, Case<'static>)> {
        Vec::new()
    }

    #[cfg(not(feature = "matrix-sdk-crypto"))]
    pub fn read(_: &[u8]) -> Vec<(&'static str, Case<'static>)> {
        Vec::new()
    }
}
