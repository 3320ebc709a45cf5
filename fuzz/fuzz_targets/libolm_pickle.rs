//! libolm's pickles with a right envelope, around any bytes and around valid state with bytes changed: what is taken
//! and written again stays as it is.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use mx_aes_sha2::cbc_hmac::{CbcHmacKeys, padded_len};
use mx_libolm_pickle::{
    read_account, read_decryption_key, read_inbound_group_session, read_outbound_group_session, read_session,
    write_account, write_decryption_key, write_inbound_group_session, write_outbound_group_session,
    write_session,
};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_olm::{Account, Session};
use mx_types::base64::{TrailingBits, decode_to_vec, encode_to_string};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const PICKLE_KEY: &[u8] = b"secret_key";

fuzz_target!(|data: &[u8]| {
    static TEMPLATES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let templates = TEMPLATES.get_or_init(templates);
    let Some((choice, data)) = data.split_first() else { return };
    let state = match templates.get(usize::from(choice % 8)) {
        Some(template) => changed(template, data),
        None => data.to_vec(),
    };
    let pickle = seal(&state);

    if let Ok(account) = read_account::<100, 8>(&pickle, PICKLE_KEY) {
        let written = write_account(&account, PICKLE_KEY);
        let again = read_account::<100, 8>(&written, PICKLE_KEY).expect("what we write we read");
        assert_eq!(write_account(&again, PICKLE_KEY), written);
    }
    if let Ok(session) = read_session::<200>(&pickle, PICKLE_KEY) {
        let written = write_session(&session, PICKLE_KEY);
        let again = read_session::<200>(&written, PICKLE_KEY).expect("what we write we read");
        assert_eq!(write_session(&again, PICKLE_KEY), written);
    }
    if let Ok(session) = read_outbound_group_session(&pickle, PICKLE_KEY) {
        let written = write_outbound_group_session(&session, PICKLE_KEY);
        let again = read_outbound_group_session(&written, PICKLE_KEY).expect("what we write we read");
        assert_eq!(write_outbound_group_session(&again, PICKLE_KEY), written);
    }
    if let Ok(session) = read_inbound_group_session(&pickle, PICKLE_KEY) {
        let written = write_inbound_group_session(&session, PICKLE_KEY);
        let again = read_inbound_group_session(&written, PICKLE_KEY).expect("what we write we read");
        assert_eq!(write_inbound_group_session(&again, PICKLE_KEY), written);
    }
    if let Ok(key) = read_decryption_key(&pickle, PICKLE_KEY) {
        assert_eq!(write_decryption_key(&key, PICKLE_KEY), pickle);
    }
});

/// One state of each type, as it lies in the envelope.
fn templates() -> Vec<Vec<u8>> {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut account = Account::<100, 8>::new(&mut rng).expect("this generator never fails");
    let one_time_key = account.one_time_keys_mut().generate(&mut rng).expect("there is room").key.key;
    assert!(account.one_time_keys_mut().generate_fallback(&mut rng).is_ok());
    let session =
        Session::<200>::outbound(&mut rng, account.identity(), &account.curve25519_key(), &one_time_key)
            .expect("the keys are honest");
    let outbound = OutboundGroupSession::new(&mut rng).expect("this generator never fails");
    let inbound = InboundGroupSession::new(&outbound.session_key());
    let pickles = [
        write_account(&account, PICKLE_KEY),
        write_session(&session, PICKLE_KEY),
        write_outbound_group_session(&outbound, PICKLE_KEY),
        write_inbound_group_session(&inbound, PICKLE_KEY),
        write_decryption_key(account.identity(), PICKLE_KEY),
    ];
    pickles.iter().map(|pickle| open(pickle)).collect()
}

/// `template` with bytes changed: triples of an offset and a value; what is left over is appended.
fn changed(template: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state = template.to_vec();
    let (changes, rest) = data.as_chunks::<3>();
    for [low, high, value] in changes {
        let at = usize::from(u16::from_le_bytes([*low, *high])) % state.len();
        state[at] = *value;
    }
    state.extend(rest);
    state
}

fn keys() -> CbcHmacKeys {
    CbcHmacKeys::expand(PICKLE_KEY, b"Pickle")
}

fn seal(state: &[u8]) -> String {
    let mut bytes = state.to_vec();
    bytes.resize(padded_len(state.len()), 0);
    let ciphertext = keys().encrypt_in_place(&mut bytes, state.len()).expect("there is room for the padding");
    let mac = keys().mac(ciphertext);
    bytes.extend(mac.as_bytes());
    encode_to_string(&bytes)
}

fn open(pickle: &str) -> Vec<u8> {
    let mut bytes = decode_to_vec(pickle, TrailingBits::Refused).expect("it was just written");
    bytes.truncate(bytes.len() - 8);
    keys().decrypt_in_place(&mut bytes).expect("the padding is right").to_vec()
}
