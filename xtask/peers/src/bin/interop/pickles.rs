//! vodozemac's half of libolm's pickles: accounts both ways, sessions from us to it.

use mx_demo::{
    ours::{self, Ours},
    party::{
        Account as _, Implementation, InboundGroupSession as _, OutboundGroupSession as _, Session as _,
    },
};
use mx_libolm_pickle::{
    read_account, write_account, write_inbound_group_session, write_outbound_group_session, write_session,
};
use mx_peers::vodozemac::{Account, InboundGroupSession, OutboundGroupSession, Session, Vodozemac};
use rand_chacha::ChaCha20Rng;
use vodozemac::{megolm, olm};

use crate::report::{Outcome, expect};

const PICKLE_KEY: &[u8] = b"any bytes";

/// An account of vodozemac's, with keys published and not, is read by us and answers messages to them.
pub fn account_to_ours(rng: &mut ChaCha20Rng) -> Outcome {
    let mut theirs = Account(olm::Account::new());
    theirs.generate_one_time_keys(rng, 10)?;
    theirs.generate_fallback_key(rng)?;
    let keys = theirs.one_time_keys();
    theirs.mark_keys_as_published();
    let pickle = theirs.0.to_libolm_pickle(PICKLE_KEY)?;
    let mut here = ours::Account(read_account(&pickle, PICKLE_KEY)?);
    expect(here.curve25519_key() == theirs.curve25519_key(), "another identity key")?;
    Vodozemac.verify(&theirs.ed25519_key(), b"signed by us", &here.sign(b"signed by us"))?;
    for key in &keys {
        let sender = Ours.create_account(rng)?;
        let mut session = sender.create_outbound_session(rng, &here.curve25519_key(), &key.key)?;
        let message = session.encrypt(rng, b"hello")?;
        let (_, plaintext) = here.create_inbound_session(&sender.curve25519_key(), &message)?;
        expect(plaintext == b"hello", "another plaintext")?;
    }
    Ok(format!("{} one-time keys", keys.len()))
}

/// An account of ours is read by vodozemac and answers messages to its keys.
pub fn account_to_theirs(rng: &mut ChaCha20Rng) -> Outcome {
    let mut here = ours::Account(mx_olm::Account::new(rng)?);
    here.generate_one_time_keys(rng, 10)?;
    here.generate_fallback_key(rng)?;
    let mut keys = here.one_time_keys();
    keys.extend(here.fallback_key());
    here.mark_keys_as_published();
    let mut theirs =
        Account(olm::Account::from_libolm_pickle(&write_account(&here.0, PICKLE_KEY), PICKLE_KEY)?);
    expect(here.curve25519_key() == theirs.curve25519_key(), "another identity key")?;
    Ours.verify(&here.ed25519_key(), b"signed by them", &theirs.sign(b"signed by them"))?;
    for key in &keys {
        let sender = Ours.create_account(rng)?;
        let mut session = sender.create_outbound_session(rng, &theirs.curve25519_key(), &key.key)?;
        let message = session.encrypt(rng, b"hello")?;
        let (_, plaintext) = theirs.create_inbound_session(&sender.curve25519_key(), &message)?;
        expect(plaintext == b"hello", "another plaintext")?;
    }
    Ok(format!("{} one-time and fallback keys", keys.len()))
}

/// A session of ours with skipped messages is read by vodozemac and carries on.
pub fn session_to_theirs(rng: &mut ChaCha20Rng) -> Outcome {
    let alice = mx_olm::Account::<100, 200>::new(rng)?;
    let mut bob = Vodozemac.create_account(rng)?;
    bob.generate_one_time_keys(rng, 1)?;
    let key = bob.one_time_keys().pop().ok_or("no key")?.key;
    let key = mx_types::Curve25519PublicKey::from_base64(&key)?;
    let identity_key = mx_types::Curve25519PublicKey::from_base64(&bob.curve25519_key())?;
    let mut outbound = ours::Session(mx_olm::Session::outbound(rng, alice.identity(), &identity_key, &key)?);
    let first = outbound.encrypt(rng, b"first")?;
    let (mut inbound, _) = bob.create_inbound_session(&alice.curve25519_key().to_string(), &first)?;
    let late: Vec<_> = (0..5).map(|_| inbound.encrypt(rng, b"late")).collect::<Result<_, _>>()?;
    outbound.decrypt(&inbound.encrypt(rng, b"on time")?)?;
    let pickle = write_session(&outbound.0, PICKLE_KEY);
    let mut moved = Session(olm::Session::from_libolm_pickle(&pickle, PICKLE_KEY)?);
    for message in late {
        expect(moved.decrypt(&message)? == b"late", "another plaintext")?;
    }
    for _ in 0..50 {
        let message = moved.encrypt(rng, b"there")?;
        expect(inbound.decrypt(&message)? == b"there", "another plaintext")?;
        let message = inbound.encrypt(rng, b"back")?;
        expect(moved.decrypt(&message)? == b"back", "another plaintext")?;
    }
    Ok("5 skipped messages, 50 exchanges after the move".into())
}

/// Both ends of a group session of ours are read by vodozemac and carry on.
pub fn group_session_to_theirs(rng: &mut ChaCha20Rng) -> Outcome {
    let mut outbound = mx_megolm::OutboundGroupSession::new(rng)?;
    let mut inbound = mx_megolm::InboundGroupSession::new(&outbound.session_key());
    let first = outbound.encrypt_to_vec(b"first")?.0;
    inbound.decrypt_to_vec(&first)?;
    let pickle = write_outbound_group_session(&outbound, PICKLE_KEY);
    let mut theirs_out = OutboundGroupSession(megolm::GroupSession::from_libolm_pickle(&pickle, PICKLE_KEY)?);
    let pickle = write_inbound_group_session(&inbound, PICKLE_KEY);
    let theirs_in = megolm::InboundGroupSession::from_libolm_pickle(&pickle, PICKLE_KEY)?;
    let mut theirs_in = InboundGroupSession(theirs_in);
    for index in 1..300 {
        let message = theirs_out.encrypt(b"next")?;
        expect(theirs_in.decrypt(&message)?.message_index == index, "another index")?;
    }
    expect(
        theirs_in.decrypt(&mx_types::base64::encode_to_string(&first))?.plaintext == b"first",
        "another plaintext",
    )?;
    Ok("both ends, 299 messages after the move".into())
}
