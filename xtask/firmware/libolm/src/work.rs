//! An account of eight one-time keys, a session in each direction, group sessions in each direction, and their pickles.

use core::hint::black_box;

use crate::{
    ffi,
    object::{Kind, Memory, good},
};

/// Does an operation, and perhaps says what it took. Operations that our measuring image has, too, have the same names.
pub trait Take {
    fn take<T>(&mut self, name: &str, operation: impl FnOnce() -> T) -> T;
}

const PLAINTEXT: [u8; 160] = [b'x'; 160];
const PICKLE_KEY: [u8; 32] = [7; 32];

/// A Curve25519 or Ed25519 key in Base64.
const KEY_LEN: usize = 43;

/// Bytes that count, in place of a generator: libolm wipes what it was given.
fn random<const N: usize>(first: u8) -> [u8; N] {
    core::array::from_fn(|at| black_box(first).wrapping_add(at as u8))
}

/// Calls a function of libolm: its arguments, with `&mut [u8]` and `&[u8]` as pointer and length.
macro_rules! call {
    ($name:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: objects are of the kinds that the function takes, and lengths are those of the buffers.
        good(unsafe { ffi::$name($($argument),*) })
    }};
}

pub fn run(take: &mut impl Take) {
    let mut memory = Memory::new();
    let account = memory.object(Kind::Account);
    let (curve25519, ed25519, one_time_key) = keys(take, account);
    olm(take, account, &curve25519, &one_time_key);
    signatures(take, account, &ed25519);
    megolm(take);
}

type Key = [u8; KEY_LEN];

/// The key behind this text.
fn key_after(json: &[u8], before: &[u8]) -> Key {
    let at = json.windows(before.len()).position(|window| window == before).expect("libolm writes it");
    let start = at + before.len();
    json.get(start..start + KEY_LEN).and_then(|key| key.try_into().ok()).expect("libolm writes it whole")
}

#[inline(never)]
fn keys(take: &mut impl Take, account: *mut core::ffi::c_void) -> (Key, Key, Key) {
    let mut seed = random::<64>(1);
    take.take("account, new", || call!(olm_create_account(account, seed.as_mut_ptr().cast(), 64)));
    let mut seed = random::<32>(2);
    take.take("one-time key", || {
        call!(olm_account_generate_one_time_keys(account, 1, seed.as_mut_ptr().cast(), 32))
    });
    let mut json = [0; 128];
    let len = call!(olm_account_one_time_keys(account, json.as_mut_ptr().cast(), json.len()));
    // {"curve25519":{"AAAAAQ":"..."}}
    let one_time_key = key_after(&json[16..len], b"\":\"");
    let mut seed = random::<224>(3);
    call!(olm_account_generate_one_time_keys(account, 7, seed.as_mut_ptr().cast(), 224));
    let mut seed = random::<32>(4);
    call!(olm_account_generate_fallback_key(account, seed.as_mut_ptr().cast(), 32));
    call!(olm_account_mark_keys_as_published(account));
    let len = call!(olm_account_identity_keys(account, json.as_mut_ptr().cast(), json.len()));
    let json = &json[..len];
    (key_after(json, b"curve25519\":\""), key_after(json, b"ed25519\":\""), one_time_key)
}

#[inline(never)]
fn olm(take: &mut impl Take, account: *mut core::ffi::c_void, identity: &Key, one_time: &Key) {
    let (mut ours, mut theirs) = (Memory::new(), Memory::new());
    let (ours, theirs) = (ours.object(Kind::Session), theirs.object(Kind::Session));
    let mut seed = random::<64>(5);
    take.take("Olm session, begun", || {
        let (identity, one_time) = (identity.as_ptr().cast(), one_time.as_ptr().cast());
        let seed = seed.as_mut_ptr().cast();
        call!(olm_create_outbound_session(ours, account, identity, KEY_LEN, one_time, KEY_LEN, seed, 64))
    });
    let (mut message, mut copy, mut plaintext) = ([0_u8; 600], [0_u8; 600], [0_u8; 512]);
    let encrypt = |take: &mut _, name: Option<&str>, session, message: &mut [u8; 600]| {
        let mut seed = random::<32>(6);
        let call = || {
            let (text, seed) = (PLAINTEXT.as_ptr().cast(), seed.as_mut_ptr().cast());
            call!(olm_encrypt(session, text, 160, seed, 32, message.as_mut_ptr().cast(), 600))
        };
        named(take, name, call)
    };
    let mut decrypt = |session, message_type, message: &mut [u8; 600], len| {
        let out = plaintext.as_mut_ptr().cast();
        call!(olm_decrypt(session, message_type, message.as_mut_ptr().cast(), len, out, 512))
    };
    let len = encrypt(take, Some("Olm encrypt 160 B"), ours, &mut message);
    copy.copy_from_slice(&message);
    take.take("Olm session, of a message", || {
        let identity = identity.as_ptr().cast();
        let text = message.as_mut_ptr().cast();
        call!(olm_create_inbound_session_from(theirs, account, identity, KEY_LEN, text, len));
        assert!(decrypt(theirs, 0, &mut copy, len) == 160);
        call!(olm_remove_one_time_keys(account, theirs))
    });
    let len = encrypt(take, Some("Olm encrypt, new chain"), theirs, &mut message);
    take.take("Olm decrypt, new chain", || decrypt(ours, 1, &mut message, len));
    let len = encrypt(take, None, theirs, &mut message);
    take.take("Olm decrypt, same chain", || decrypt(ours, 1, &mut message, len));

    let mut flash = [0_u8; 3_000];
    let flash = flash.as_mut_ptr().cast();
    let key = black_box(PICKLE_KEY);
    let key = key.as_ptr().cast();
    let mut read = Memory::new();
    let len =
        take.take("account of 8 keys, pickled", || call!(olm_pickle_account(account, key, 32, flash, 3_000)));
    let object = read.object(Kind::Account);
    take.take("account, unpickled", || call!(olm_unpickle_account(object, key, 32, flash, len)));
    let len = take.take("Olm session, pickled", || call!(olm_pickle_session(ours, key, 32, flash, 3_000)));
    let object = read.object(Kind::Session);
    take.take("Olm session, unpickled", || call!(olm_unpickle_session(object, key, 32, flash, len)));
}

/// Does it without saying so if it has no name.
fn named<T>(take: &mut impl Take, name: Option<&str>, operation: impl FnOnce() -> T) -> T {
    match name {
        Some(name) => take.take(name, operation),
        None => operation(),
    }
}

#[inline(never)]
fn signatures(take: &mut impl Take, account: *mut core::ffi::c_void, key: &Key) {
    let mut signature = [0_u8; 86];
    let text = PLAINTEXT.as_ptr().cast();
    take.take("Ed25519 signature of 160 B", || {
        call!(olm_account_sign(account, text, 160, signature.as_mut_ptr().cast(), 86))
    });
    let mut memory = Memory::new();
    let utility = memory.object(Kind::Utility);
    take.take("verified, key seen first", || {
        let (key, signature) = (key.as_ptr().cast(), signature.as_mut_ptr().cast());
        call!(olm_ed25519_verify(utility, key, KEY_LEN, text, 160, signature, 86))
    });
}

#[inline(never)]
fn megolm(take: &mut impl Take) {
    let (mut outbound, mut inbound, mut read) = (Memory::new(), Memory::new(), Memory::new());
    let outbound = outbound.object(Kind::OutboundGroupSession);
    let mut seed = random::<160>(7);
    take.take("room session, begun", || {
        call!(olm_init_outbound_group_session(outbound, seed.as_mut_ptr().cast(), 160))
    });
    let mut text = [0_u8; 306];
    take.take("session key, signed", || {
        call!(olm_outbound_group_session_key(outbound, text.as_mut_ptr().cast(), 306))
    });
    let inbound = inbound.object(Kind::InboundGroupSession);
    take.take("session key, read", || {
        call!(olm_init_inbound_group_session(inbound, text.as_ptr().cast(), 306))
    });
    let (mut message, mut plaintext, mut index) = ([0_u8; 400], [0_u8; 400], 0);
    let len = take.take("Megolm encrypt 160 B", || {
        call!(olm_group_encrypt(outbound, PLAINTEXT.as_ptr().cast(), 160, message.as_mut_ptr().cast(), 400))
    });
    let found = take.take("Megolm decrypt", || {
        let (message, out) = (message.as_mut_ptr().cast(), plaintext.as_mut_ptr().cast());
        call!(olm_group_decrypt(inbound, message, len, out, 400, &raw mut index))
    });
    assert!(plaintext.get(..found) == Some(&PLAINTEXT[..]) && index == 0);
    let mut exported = [0_u8; 229];
    call!(olm_export_inbound_group_session(inbound, exported.as_mut_ptr().cast(), 229, black_box(5)));

    let mut flash = [0_u8; 600];
    let flash = flash.as_mut_ptr().cast();
    let key = black_box(PICKLE_KEY);
    let key = key.as_ptr().cast();
    let len = take.take("outbound, pickled", || {
        call!(olm_pickle_outbound_group_session(outbound, key, 32, flash, 600))
    });
    let object = read.object(Kind::OutboundGroupSession);
    take.take("outbound, unpickled", || {
        call!(olm_unpickle_outbound_group_session(object, key, 32, flash, len))
    });
    let len = take
        .take("inbound, pickled", || call!(olm_pickle_inbound_group_session(inbound, key, 32, flash, 600)));
    let object = read.object(Kind::InboundGroupSession);
    take.take("inbound, unpickled", || {
        call!(olm_unpickle_inbound_group_session(object, key, 32, flash, len))
    });
}
