//! Megolm messages and session keys as they come: parsed or refused, and never decrypted.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use mx_megolm::{InboundGroupSession, MegolmMessage, OutboundGroupSession, decrypt_buffer_len};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

thread_local! {
    static SESSION: RefCell<InboundGroupSession> = RefCell::new({
        let outbound = OutboundGroupSession::new(&mut ChaCha20Rng::from_seed([1; 32])).expect("this generator never fails");
        InboundGroupSession::new(&outbound.session_key())
    });
}

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = MegolmMessage::try_from(data) {
        assert!(!message.ciphertext().is_empty() && message.ciphertext().len() % 16 == 0);
        assert!(message.ciphertext().len() <= decrypt_buffer_len(data.len()));
    }
    let decrypted = SESSION.with_borrow_mut(|session| session.decrypt_to_vec(data));
    assert!(decrypted.is_err(), "a message that nobody signed was decrypted");
});
