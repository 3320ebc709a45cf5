//! Olm messages with a right MAC around any fields: past it, whatever is wrong inside is an error that changes
//! nothing, and whatever is right is read once.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use mx_aes_sha2::{HmacKey, cbc_hmac::CbcHmacKeys};
use mx_olm::{
    Account, InboundSession, MAX_MESSAGE_GAP, MessageType, NormalMessage, OlmMessage, PreKeyMessage, Session,
    hazmat,
};
use mx_pickle::{Generation, PickleKey};
use mx_wire::Writer;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const RATCHET_KEY: u32 = 0x0a;
const INDEX: u32 = 0x10;
const CIPHERTEXT: u32 = 0x22;

/// Bob's session as it is stored, and what Alice's next messages need.
struct Setup {
    pickle: Vec<u8>,
    ratchet_key: [u8; 32],
    chain_key: [u8; 32],
    chain_index: u32,
}

fuzz_target!(|data: &[u8]| {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    let setup = SETUP.get_or_init(Setup::new);
    let Some(payload) = setup.payload(data) else { return };
    let mut message = [&[3], payload.as_slice(), &[0; 8]].concat();
    let Ok(index) = NormalMessage::parse(&message).map(|message| message.index()) else { return };
    let Some(keys) = setup.message_keys(index) else { return };
    let (authenticated, mac) = message.split_last_chunk_mut().expect("there is room for the MAC");
    *mac = *keys.mac(authenticated).as_bytes();

    let mut session = setup.session();
    let parsed = OlmMessage::parse(MessageType::Normal, &message).expect("it parsed with another MAC");
    match session.decrypt_to_vec(&parsed) {
        Ok(plaintext) => {
            assert!(plaintext.len() < message.len());
            assert!(session.decrypt_to_vec(&parsed).is_err(), "one message was read twice");
        }
        Err(_) => assert_eq!(state(session), state(setup.session()), "a failure changed the session"),
    }
});

impl Setup {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let alice = Account::<8, 8>::new(&mut rng).expect("this generator never fails");
        let mut bob = Account::<8, 8>::new(&mut rng).expect("this generator never fails");
        let one_time_key = bob.one_time_keys_mut().generate(&mut rng).expect("there is room").key.key;
        let mut session =
            Session::<8>::outbound(&mut rng, alice.identity(), &bob.curve25519_key(), &one_time_key)
                .expect("the keys are honest");
        let (_, message) = session.encrypt_to_vec(&mut rng, b"hello").expect("the chain is fresh");
        let message = PreKeyMessage::parse(&message).expect("it was just made");
        let mut out = [0; 64];
        let InboundSession { session: mut bobs, .. } = bob
            .inbound_session::<8>(&alice.curve25519_key(), &message, &mut out)
            .expect("the message is honest");
        let (ratchet_key, chain) =
            hazmat::session_state(&session).sender.expect("an outbound session can send");
        let mut pickle = vec![0; bobs.pickle_len()];
        bobs.pickle(&mut rng, &key(), &mut pickle).expect("the buffer is large enough");
        Self {
            pickle,
            ratchet_key: *ratchet_key.public_key().as_bytes(),
            chain_key: *chain.key,
            chain_index: chain.index,
        }
    }

    /// The fields of a message, more or less in the fuzzer's hands: all of them, all but the ratchet key, or only the
    /// index and the ciphertext.
    fn payload(&self, data: &[u8]) -> Option<Vec<u8>> {
        let (framing, data) = data.split_first()?;
        let mut payload = vec![0; data.len() + 64];
        let mut writer = Writer::new(&mut payload);
        if framing % 3 > 0 {
            writer.bytes(RATCHET_KEY, &self.ratchet_key);
        }
        if framing % 3 > 1 {
            let (index, data) = data.split_first_chunk()?;
            writer.number(INDEX, u32::from(u16::from_le_bytes(*index) & 0xfff));
            writer.bytes(CIPHERTEXT, &data[..data.len() / 16 * 16]);
        } else {
            writer.raw(data);
        }
        writer.finish().map(|payload| payload.to_vec())
    }

    fn session(&self) -> Session<8> {
        Session::from_pickle(&key(), Generation::NEVER_PICKLED, &self.pickle).expect("it was just made")
    }

    /// The keys of Alice's message `index`, if Bob may still take it.
    fn message_keys(&self, index: u32) -> Option<CbcHmacKeys> {
        let steps = index.checked_sub(self.chain_index).filter(|steps| *steps <= MAX_MESSAGE_GAP + 1)?;
        let mut chain_key = self.chain_key;
        for _ in 0..steps {
            chain_key = HmacKey::new(&chain_key).mac(&[2]);
        }
        Some(CbcHmacKeys::expand(&HmacKey::new(&chain_key).mac(&[1]), b"OLM_KEYS"))
    }
}

fn key() -> PickleKey {
    PickleKey::new(&[7; 32])
}

/// All of the state, in a form that can be compared.
fn state(mut session: Session<8>) -> Vec<u8> {
    let mut out = vec![0; session.pickle_len()];
    session
        .pickle(&mut ChaCha20Rng::from_seed([9; 32]), &key(), &mut out)
        .expect("the buffer is large enough");
    out
}
