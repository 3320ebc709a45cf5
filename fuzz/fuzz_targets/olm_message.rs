//! Olm messages as they come: parsed or refused; nobody's message begins no session.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use mx_olm::{Account, MAX_MESSAGE_TEXT_LEN, MessageType, OlmMessage, OlmMessageBuf, PreKeyMessage};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

thread_local! {
    static ACCOUNT: RefCell<Account> = RefCell::new({
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut account = Account::new(&mut rng).expect("this generator never fails");
        assert!(account.one_time_keys_mut().generate(&mut rng).is_ok());
        account
    });
}

fuzz_target!(|data: &[u8]| {
    for message_type in [MessageType::PreKey, MessageType::Normal] {
        if let Ok(message) = OlmMessage::parse(message_type, data) {
            let ciphertext = message.normal().ciphertext();
            assert!(!ciphertext.is_empty() && ciphertext.len() % 16 == 0);
        }
        if let Ok(text) = str::from_utf8(data) {
            let message = OlmMessageBuf::from_base64(message_type, text, MAX_MESSAGE_TEXT_LEN);
            assert!(message.is_err() || text.len() <= MAX_MESSAGE_TEXT_LEN);
            let _ = message.map(|message| message.parse().map(|message| message.message_type()));
        }
    }
    if let Ok(message) = PreKeyMessage::parse(data) {
        let identity_key = message.keys().identity_key;
        let mut out = vec![0; data.len()];
        let begun = ACCOUNT.with_borrow_mut(|account| {
            account.inbound_session::<8>(&identity_key, &message, &mut out).is_ok()
        });
        assert!(!begun, "a forged message began a session");
    }
});
