//! What several test files need.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

use core::convert::Infallible;

use mx_curve25519::Curve25519SecretKey;
use mx_olm::{Account, InboundSession, MessageType, OlmMessage, PreKeyMessage, Session};
use mx_pickle::PickleKey;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{SeedableRng, TryCryptoRng, TryRng};

pub fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// Gives the bytes of a script, and panics when it is at its end.
pub struct Script(pub Vec<u8>);

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Script {}

/// Fails after some draws, or gives zeros.
pub struct Failing {
    pub good: usize,
    pub zeros: bool,
}

impl TryRng for Failing {
    type Error = core::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(core::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(core::fmt::Error)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        if let Some(left) = self.good.checked_sub(1) {
            self.good = left;
            out.fill(7 + u8::try_from(left).unwrap());
            return Ok(());
        }
        out.fill(0);
        if self.zeros { Ok(()) } else { Err(core::fmt::Error) }
    }
}

impl TryCryptoRng for Failing {}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Sent {
    pub message_type: MessageType,
    pub bytes: Vec<u8>,
    pub plaintext: Vec<u8>,
}

impl Sent {
    pub fn parse(&self) -> OlmMessage<'_> {
        OlmMessage::parse(self.message_type, &self.bytes).unwrap()
    }

    pub fn pre_key(&self) -> PreKeyMessage<'_> {
        PreKeyMessage::parse(&self.bytes).unwrap()
    }
}

pub fn send<const N: usize>(session: &mut Session<N>, rng: &mut ChaCha20Rng, plaintext: &[u8]) -> Sent {
    let mut out = vec![0; session.encrypted_len(plaintext.len())];
    let message = session.encrypt(rng, plaintext, &mut out).unwrap();
    Sent { message_type: message.message_type, bytes: message.bytes.to_vec(), plaintext: plaintext.to_vec() }
}

pub fn receive<const N: usize>(
    session: &mut Session<N>,
    sent: &Sent,
) -> Result<Vec<u8>, mx_olm::DecryptError> {
    let mut out = vec![0; sent.bytes.len()];
    session.decrypt(&sent.parse(), &mut out).map(<[u8]>::to_vec)
}

/// The state of a session as its pickle encrypts it, without what counts the pickles.
pub fn state<const N: usize>(session: &mut Session<N>) -> Vec<u8> {
    let mut out = vec![0; session.pickle_len()];
    let pickle = session.pickle(&mut rng(99), &PickleKey::new(&[1; 32]), &mut out).unwrap();
    pickle[27..pickle.len() - 32].to_vec()
}

/// The state of an account, likewise.
pub fn account_state<const A: usize, const B: usize>(account: &mut Account<A, B>) -> Vec<u8> {
    let mut out = vec![0; account.pickle_len()];
    let pickle = account.pickle(&mut rng(99), &PickleKey::new(&[1; 32]), &mut out).unwrap();
    pickle[27..pickle.len() - 32].to_vec()
}

/// Alice, who began the session, and Bob, who has decrypted her first message.
pub struct Pair<const N: usize = 200> {
    pub alice_account: Account,
    pub bob_account: Account,
    pub alice: Session<N>,
    pub bob: Session<N>,
    pub first: Sent,
    pub rng: ChaCha20Rng,
}

impl<const N: usize> Pair<N> {
    pub fn new(seed: u8) -> Self {
        let mut rng = rng(seed);
        let alice_account: Account = Account::new(&mut rng).unwrap();
        let mut bob_account: Account = Account::new(&mut rng).unwrap();
        let one_time_key = bob_account.one_time_keys_mut().generate(&mut rng).unwrap().key.key;
        let identity = alice_account.identity();
        let mut alice =
            Session::outbound(&mut rng, identity, &bob_account.curve25519_key(), &one_time_key).unwrap();
        let first = send(&mut alice, &mut rng, b"first");
        let bob = begin(&mut bob_account, &alice_account, &first).unwrap().0;
        Self { alice_account, bob_account, alice, bob, first, rng }
    }

    /// Both have decrypted.
    pub fn confirmed(seed: u8) -> Self {
        let mut pair = Self::new(seed);
        let reply = send(&mut pair.bob, &mut pair.rng, b"reply");
        assert_eq!(receive(&mut pair.alice, &reply).unwrap(), b"reply");
        pair
    }
}

pub fn begin<const N: usize>(
    bob: &mut Account,
    alice: &Account,
    sent: &Sent,
) -> Result<(Session<N>, Vec<u8>), mx_olm::InboundSessionError> {
    let mut out = vec![0; sent.bytes.len()];
    let InboundSession { session, plaintext, .. } =
        bob.inbound_session(&alice.curve25519_key(), &sent.pre_key(), &mut out)?;
    Ok((session, plaintext.to_vec()))
}

pub fn secret_key(bytes: &[u8]) -> Curve25519SecretKey {
    Curve25519SecretKey::from_secret_bytes(bytes.try_into().unwrap())
}

/// That no run of four bytes of a secret is in a text: as it is, or in hexadecimal, decimals or Base64.
pub fn assert_hidden(text: &str, secret: &[u8]) {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let lower = compact.to_lowercase();
    for run in secret.windows(4) {
        assert!(!text.as_bytes().windows(4).any(|window| window == run), "raw {run:?} in {text}");
        let hex: String = run.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!lower.contains(&hex), "{hex} in {text}");
        let decimals = run.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        assert!(!compact.contains(&decimals), "{decimals} in {text}");
    }
    // Four bytes are five whole characters at least, wherever they stand in what was encoded.
    for before in 0..3 {
        let shifted = [&vec![0; before][..], secret].concat();
        let mut buffer = vec![0; mx_types::base64::encoded_len(shifted.len())];
        let base64 = mx_types::base64::encode(&shifted, &mut buffer).unwrap();
        for run in base64.as_bytes()[before + 1..].windows(5) {
            assert!(!compact.as_bytes().windows(5).any(|window| window == run), "{base64} in {text}");
        }
    }
}
