//! An implementation that moves house: before every third step its state goes through a libolm pickle from our
//! crates to libolm, or back.
//!
//! Whatever holds for an implementation must hold for it, so it takes part in the same conversations.

use mx_demo::{
    ours::{self, Ours},
    party::{self, GroupMessage, Implementation, NamedKey, OlmMessage, Refusal},
};
use mx_libolm_pickle::{
    read_account, read_inbound_group_session, read_outbound_group_session, read_session, write_account,
    write_inbound_group_session, write_outbound_group_session, write_session,
};
use mx_peers::libolm;
use rand_core::CryptoRng;

/// Any bytes will do.
const PICKLE_KEY: &[u8] = b"moving house";

/// Steps between two moves.
const STAY: u32 = 3;

/// Moves from ours to libolm and back, all the time.
pub struct Nomad;

impl Implementation for Nomad {
    fn name(&self) -> String {
        "ours and libolm by turns".into()
    }

    fn create_account(&self, rng: &mut dyn CryptoRng) -> Result<Box<dyn party::Account>, Refusal> {
        let account = mx_olm::Account::new(rng).map_err(Refusal::from_error)?;
        Ok(Box::new(House::new(ours::Account(account))))
    }

    fn create_group_session(
        &self,
        rng: &mut dyn CryptoRng,
    ) -> Result<Box<dyn party::OutboundGroupSession>, Refusal> {
        let session = mx_megolm::OutboundGroupSession::new(rng).map_err(Refusal::from_error)?;
        Ok(Box::new(House::new(ours::OutboundGroupSession(session))))
    }

    fn receive_session_key(&self, session_key: &str) -> Result<Box<dyn party::InboundGroupSession>, Refusal> {
        let key = mx_megolm::SessionKey::from_base64(session_key).map_err(Refusal::from_error)?;
        let session = mx_megolm::InboundGroupSession::new(&key);
        Ok(Box::new(House::new(ours::InboundGroupSession(session))))
    }

    fn import_session_key(&self, exported: &str) -> Result<Box<dyn party::InboundGroupSession>, Refusal> {
        let key = mx_megolm::ExportedSessionKey::from_base64(exported).map_err(Refusal::from_error)?;
        let session = mx_megolm::InboundGroupSession::import(&key);
        Ok(Box::new(House::new(ours::InboundGroupSession(session))))
    }

    fn verify(&self, ed25519_key: &str, message: &[u8], signature: &str) -> Result<(), Refusal> {
        Ours.verify(ed25519_key, message, signature)
    }
}

/// One of our states that libolm has, too.
trait Movable: Sized {
    type Libolm;
    fn write(&self) -> String;
    fn read(pickle: &str) -> Result<Self, Refusal>;
    fn libolm_write(there: &Self::Libolm) -> Result<String, Refusal>;
    fn libolm_read(pickle: &str) -> Result<Self::Libolm, Refusal>;
}

macro_rules! movable {
    ($ours:ident, $libolm:ty, $write:ident, $read:ident) => {
        impl Movable for ours::$ours {
            type Libolm = $libolm;

            fn write(&self) -> String {
                $write(&self.0, PICKLE_KEY)
            }

            fn read(pickle: &str) -> Result<Self, Refusal> {
                $read(pickle, PICKLE_KEY).map(Self).map_err(Refusal::from_error)
            }

            fn libolm_write(there: &Self::Libolm) -> Result<String, Refusal> {
                there.pickle(PICKLE_KEY)
            }

            fn libolm_read(pickle: &str) -> Result<Self::Libolm, Refusal> {
                <$libolm>::from_pickle(pickle, PICKLE_KEY)
            }
        }
    };
}

movable!(Account, libolm::Account, write_account, read_account);
movable!(Session, libolm::Session, write_session, read_session);
movable!(
    OutboundGroupSession,
    libolm::OutboundGroupSession,
    write_outbound_group_session,
    read_outbound_group_session
);
movable!(
    InboundGroupSession,
    libolm::InboundGroupSession,
    write_inbound_group_session,
    read_inbound_group_session
);

enum Place<O: Movable> {
    Ours(O),
    Libolm(O::Libolm),
}

/// A state, where it is at present.
struct House<O: Movable> {
    place: Place<O>,
    steps: u32,
}

impl<O: Movable> House<O> {
    fn new(ours: O) -> Self {
        Self { place: Place::Ours(ours), steps: 0 }
    }

    /// Takes a step: every third one begins with a move.
    fn step(&mut self) -> Result<(), Refusal> {
        self.steps += 1;
        if self.steps.is_multiple_of(STAY) {
            self.place = match &self.place {
                Place::Ours(here) => Place::Libolm(O::libolm_read(&here.write())?),
                Place::Libolm(there) => {
                    let pickle = O::libolm_write(there)?;
                    let here = O::read(&pickle)?;
                    // What we write of it, libolm reads as what it wrote.
                    let again = O::libolm_write(&O::libolm_read(&here.write())?)?;
                    if again != here.write() {
                        return Err(Refusal("libolm writes our pickle otherwise".into()));
                    }
                    Place::Ours(here)
                }
            };
        }
        Ok(())
    }
}

/// Calls a method, wherever the state is.
macro_rules! call {
    ($house:ident.$method:ident($($argument:expr),*)) => {
        match &$house.place {
            Place::Ours(here) => here.$method($($argument),*),
            Place::Libolm(there) => there.$method($($argument),*),
        }
    };
    (mut $house:ident.$method:ident($($argument:expr),*)) => {
        match &mut $house.place {
            Place::Ours(here) => here.$method($($argument),*),
            Place::Libolm(there) => there.$method($($argument),*),
        }
    };
}

impl party::Account for House<ours::Account> {
    fn curve25519_key(&self) -> String {
        call!(self.curve25519_key())
    }

    fn ed25519_key(&self) -> String {
        call!(self.ed25519_key())
    }

    fn sign(&self, message: &[u8]) -> String {
        call!(self.sign(message))
    }

    fn generate_one_time_keys(&mut self, rng: &mut dyn CryptoRng, count: usize) -> Result<(), Refusal> {
        self.step()?;
        call!(mut self.generate_one_time_keys(rng, count))
    }

    fn generate_fallback_key(&mut self, rng: &mut dyn CryptoRng) -> Result<(), Refusal> {
        self.step()?;
        call!(mut self.generate_fallback_key(rng))
    }

    fn one_time_keys(&self) -> Vec<NamedKey> {
        call!(self.one_time_keys())
    }

    fn fallback_key(&self) -> Option<NamedKey> {
        call!(self.fallback_key())
    }

    fn mark_keys_as_published(&mut self) {
        call!(mut self.mark_keys_as_published());
        self.steps = STAY - 1; // moves before the keys are used
    }

    fn create_outbound_session(
        &self,
        rng: &mut dyn CryptoRng,
        identity_key: &str,
        one_time_key: &str,
    ) -> Result<Box<dyn party::Session>, Refusal> {
        match &self.place {
            Place::Libolm(there) => {
                let there = libolm::Session::outbound(rng, there, identity_key, one_time_key)?;
                Ok(Box::new(House::<ours::Session> { place: Place::Libolm(there), steps: 0 }))
            }
            Place::Ours(ours::Account(here)) => {
                let key =
                    |text| mx_types::Curve25519PublicKey::from_base64(text).map_err(Refusal::from_error);
                let (identity_key, one_time_key) = (key(identity_key)?, key(one_time_key)?);
                let here = mx_olm::Session::outbound(rng, here.identity(), &identity_key, &one_time_key);
                Ok(Box::new(House::new(ours::Session(here.map_err(Refusal::from_error)?))))
            }
        }
    }

    fn create_inbound_session(
        &mut self,
        identity_key: &str,
        message: &OlmMessage,
    ) -> Result<(Box<dyn party::Session>, Vec<u8>), Refusal> {
        self.step()?;
        match &mut self.place {
            Place::Libolm(there) => {
                let mut session = libolm::Session::inbound(there, identity_key, message)?;
                let plaintext = party::Session::decrypt(&mut session, message)?;
                there.remove_one_time_keys(&session)?;
                Ok((Box::new(House::<ours::Session> { place: Place::Libolm(session), steps: 0 }), plaintext))
            }
            Place::Ours(here) => {
                let (session, plaintext) = here.inbound(identity_key, message)?;
                Ok((Box::new(House::new(session)), plaintext))
            }
        }
    }
}

impl party::Session for House<ours::Session> {
    fn session_id(&self) -> String {
        call!(self.session_id())
    }

    fn matches(&self, message: &OlmMessage) -> bool {
        call!(self.matches(message))
    }

    fn encrypt(&mut self, rng: &mut dyn CryptoRng, plaintext: &[u8]) -> Result<OlmMessage, Refusal> {
        self.step()?;
        call!(mut self.encrypt(rng, plaintext))
    }

    fn decrypt(&mut self, message: &OlmMessage) -> Result<Vec<u8>, Refusal> {
        self.step()?;
        call!(mut self.decrypt(message))
    }
}

impl party::OutboundGroupSession for House<ours::OutboundGroupSession> {
    fn session_id(&self) -> String {
        call!(self.session_id())
    }

    fn message_index(&self) -> u32 {
        call!(self.message_index())
    }

    fn session_key(&self) -> String {
        call!(self.session_key())
    }

    fn encrypt(&mut self, plaintext: &[u8]) -> Result<String, Refusal> {
        self.step()?;
        call!(mut self.encrypt(plaintext))
    }
}

impl party::InboundGroupSession for House<ours::InboundGroupSession> {
    fn session_id(&self) -> String {
        call!(self.session_id())
    }

    fn first_known_index(&self) -> u32 {
        call!(self.first_known_index())
    }

    fn decrypt(&mut self, message: &str) -> Result<GroupMessage, Refusal> {
        self.step()?;
        call!(mut self.decrypt(message))
    }

    fn export_at(&mut self, message_index: u32) -> Result<String, Refusal> {
        self.step()?;
        call!(mut self.export_at(message_index))
    }
}
