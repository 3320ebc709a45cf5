//! Random Olm conversations over a network that loses, delays, reorders and repeats.

use std::collections::VecDeque;

use mx_demo::party::{Account, Implementation, OlmMessage, Session};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

use crate::report::{Outcome, at, expect, failure};

/// A message delayed by more than this many later ones counts as lost: libolm keeps 40 skipped keys for the whole
/// session, and both directions together must stay below that.
const MAX_DELAY: usize = 12;

/// Receiver chains that a delayed message may be behind. Everybody keeps five.
const MAX_CHAINS_BEHIND: usize = 2;

/// Which key the session starts from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StartsFrom {
    OneTimeKey,
    FallbackKey,
}

/// What happened in a number of conversations.
#[derive(Debug, Default)]
pub struct Tally {
    pub decrypted: usize,
    pub replays_refused: usize,
    pub forgeries_refused: usize,
    pub lost: usize,
    pub sessions: usize,
}

impl Tally {
    pub fn words(&self) -> String {
        let Self { decrypted, replays_refused, forgeries_refused, lost, sessions } = self;
        format!(
            "{sessions} sessions, {decrypted} messages decrypted, {replays_refused} replays and \
             {forgeries_refused} forgeries refused, {lost} lost, 0 disagreements"
        )
    }
}

/// Runs conversations until `exchanges` messages were decrypted, half of them in short sessions.
pub fn converse(
    (starter, answerer): (&dyn Implementation, &dyn Implementation),
    starts_from: StartsFrom,
    exchanges: usize,
    rng: &mut ChaCha20Rng,
) -> Outcome {
    let mut tally = Tally::default();
    while tally.decrypted < exchanges {
        let length = if tally.decrypted < exchanges / 2 { 1000 } else { 40 };
        tally.sessions += 1;
        let session = tally.sessions;
        let done = conversation((starter, answerer), starts_from, length, rng, &mut tally);
        at(format_args!("session {session}"), done)?;
    }
    Ok(tally.words())
}

struct InFlight {
    message: OlmMessage,
    plaintext: Vec<u8>,
    ratchet_key: Vec<u8>,
    number: usize,
}

/// One end: its session when it has one, and the messages on their way to it.
struct End {
    session: Option<Box<dyn Session>>,
    incoming: VecDeque<InFlight>,
    sent: usize,
    /// Ratchet keys of the other end in the order in which this end first saw them.
    chains_seen: Vec<Vec<u8>>,
    /// A message that was decrypted, to be replayed.
    last_read: Option<OlmMessage>,
}

impl End {
    fn new(session: Option<Box<dyn Session>>) -> Self {
        Self { session, incoming: VecDeque::new(), sent: 0, chains_seen: Vec::new(), last_read: None }
    }
}

fn conversation(
    (starter, answerer): (&dyn Implementation, &dyn Implementation),
    starts_from: StartsFrom,
    length: usize,
    rng: &mut ChaCha20Rng,
    tally: &mut Tally,
) -> Result<(), Box<dyn core::error::Error>> {
    let alice = starter.create_account(rng)?;
    let mut bob = answerer.create_account(rng)?;
    let key = published_key(bob.as_mut(), starts_from, rng)?;
    let session = alice.create_outbound_session(rng, &bob.curve25519_key(), &key)?;
    let mut ends = [End::new(Some(session)), End::new(None)];
    let identity_key = alice.curve25519_key();

    let goal = tally.decrypted + length;
    let mut step = 0;
    while tally.decrypted < goal {
        step += 1;
        let side = rng.next_u32() as usize % 2;
        let (action, done) = match rng.next_u32() % 100 {
            0..45 => ("sends", send(&mut ends, side, rng)),
            45..88 => ("reads", deliver(&mut ends[side], bob.as_mut(), &identity_key, rng, tally)),
            88..91 => {
                tally.lost += usize::from(ends[side].incoming.pop_front().is_some());
                continue;
            }
            91..95 => ("reads again", replay(&mut ends[side], tally)),
            _ => ("reads a forgery", forge(&mut ends[side], rng, tally)),
        };
        at(format_args!("step {step}, {} {action}", ["Alice", "Bob"][side]), done)?;
    }
    let ids = ends.map(|end| end.session.map(|session| session.session_id()));
    if ids[0] == ids[1] { Ok(()) } else { failure(format!("session IDs differ: {ids:?}")) }
}

/// Publishes one key of the wanted kind and gives it to the other side.
pub fn published_key(
    account: &mut dyn Account,
    starts_from: StartsFrom,
    rng: &mut ChaCha20Rng,
) -> Result<String, Box<dyn core::error::Error>> {
    let key = match starts_from {
        StartsFrom::OneTimeKey => {
            account.generate_one_time_keys(rng, 1)?;
            account.one_time_keys().pop()
        }
        StartsFrom::FallbackKey => {
            account.generate_fallback_key(rng)?;
            account.fallback_key()
        }
    };
    account.mark_keys_as_published();
    Ok(key.ok_or("no key to publish")?.key)
}

fn send(ends: &mut [End; 2], side: usize, rng: &mut ChaCha20Rng) -> Result<(), Box<dyn core::error::Error>> {
    let end = &mut ends[side];
    let Some(session) = &mut end.session else { return Ok(()) };
    let mut plaintext = vec![0; rng.next_u32() as usize % 300];
    rng.fill_bytes(&mut plaintext);
    let message = session.encrypt(rng, &plaintext)?;
    end.sent += 1;
    let number = end.sent;
    let ratchet_key = ratchet_key(&message)?;
    let incoming = &mut ends[1 - side].incoming;
    incoming.push_back(InFlight { message, plaintext, ratchet_key, number });
    while incoming.front().is_some_and(|oldest| oldest.number + MAX_DELAY < number) {
        incoming.pop_front();
    }
    Ok(())
}

fn deliver(
    end: &mut End,
    account: &mut dyn Account,
    identity_key: &str,
    rng: &mut ChaCha20Rng,
    tally: &mut Tally,
) -> Result<(), Box<dyn core::error::Error>> {
    if end.incoming.is_empty() {
        return Ok(());
    }
    // Mostly in order, else any of those on their way.
    let in_order = !rng.next_u32().is_multiple_of(3);
    let position = if in_order { 0 } else { rng.next_u32() as usize % end.incoming.len() };
    let Some(InFlight { message, plaintext, ratchet_key, .. }) = end.incoming.remove(position) else {
        return Ok(());
    };
    match end.chains_seen.iter().rev().position(|seen| *seen == ratchet_key) {
        Some(behind) if behind > MAX_CHAINS_BEHIND => {
            tally.lost += 1;
            return Ok(());
        }
        Some(_) => {}
        None => end.chains_seen.push(ratchet_key),
    }
    let decrypted = match &mut end.session {
        Some(session) => {
            if message.message_type == 0 && !session.matches(&message) {
                return failure("a pre-key message does not match its session");
            }
            session.decrypt(&message)?
        }
        None => {
            let (session, decrypted) = account.create_inbound_session(identity_key, &message)?;
            end.session = Some(session);
            decrypted
        }
    };
    if decrypted != plaintext {
        return failure("a message decrypted to another plaintext");
    }
    tally.decrypted += 1;
    end.last_read = Some(message);
    Ok(())
}

fn replay(end: &mut End, tally: &mut Tally) -> Result<(), Box<dyn core::error::Error>> {
    let (Some(session), Some(message)) = (&mut end.session, &end.last_read) else { return Ok(()) };
    if session.decrypt(message).is_ok() {
        return failure("a replay was decrypted");
    }
    tally.replays_refused += 1;
    Ok(())
}

/// Changes a bit of the MAC of a message on its way; the honest one must still decrypt later.
fn forge(end: &mut End, rng: &mut ChaCha20Rng, tally: &mut Tally) -> Result<(), Box<dyn core::error::Error>> {
    let (Some(session), Some(next)) = (&mut end.session, end.incoming.front()) else { return Ok(()) };
    if !end.chains_seen.contains(&next.ratchet_key) {
        return Ok(()); // vodozemac's state does not survive every forgery that starts a chain
    }
    let mut bytes = vodozemac::base64_decode(&next.message.body)?;
    let last = bytes.len() - 1;
    bytes[last - rng.next_u32() as usize % 8] ^= 1 << (rng.next_u32() % 8);
    let body = vodozemac::base64_encode(bytes);
    if session.decrypt(&OlmMessage { body, ..next.message.clone() }).is_ok() {
        return failure("a forgery was decrypted");
    }
    tally.forgeries_refused += 1;
    Ok(())
}

/// A message 2,000 ahead in its chain is served, one 2,001 ahead is not, and the 40 keys before it are kept.
pub fn gap(sender: &dyn Implementation, receiver: &dyn Implementation, rng: &mut ChaCha20Rng) -> Outcome {
    let alice = sender.create_account(rng)?;
    let mut bob = receiver.create_account(rng)?;
    let key = published_key(bob.as_mut(), StartsFrom::OneTimeKey, rng)?;
    let mut outbound = alice.create_outbound_session(rng, &bob.curve25519_key(), &key)?;
    let first = outbound.encrypt(rng, b"0")?;
    let (mut inbound, _) = bob.create_inbound_session(&alice.curve25519_key(), &first)?;
    let mut messages = vec![first];
    for number in 1..=2_002_u32 {
        messages.push(outbound.encrypt(rng, number.to_string().as_bytes())?);
    }
    // After message 0 the chain stands at index 1.
    expect(inbound.decrypt(&messages[2_002]).is_err(), "a gap of 2,001 was served")?;
    expect(inbound.decrypt(&messages[2_001])? == b"2001", "a gap of 2,000 was not served")?;
    for number in (1_961..2_001).rev() {
        expect(inbound.decrypt(&messages[number])? == number.to_string().as_bytes(), "another plaintext")?;
    }
    expect(inbound.decrypt(&messages[1_960]).is_err(), "more than 40 skipped keys were kept")?;
    expect(inbound.decrypt(&messages[2_002])? == b"2002", "another plaintext")?;
    Ok("2,000 served, 2,001 refused, 40 skipped keys kept".into())
}

/// The ratchet key inside a message, which must also be exactly what vodozemac would write.
fn ratchet_key(message: &OlmMessage) -> Result<Vec<u8>, Box<dyn core::error::Error>> {
    let bytes = vodozemac::base64_decode(&message.body)?;
    let parsed = vodozemac::olm::OlmMessage::from_parts(usize::from(message.message_type), &bytes)?;
    expect(
        parsed.to_parts() == (message.message_type.into(), bytes),
        "vodozemac writes the message otherwise",
    )?;
    Ok(match parsed {
        vodozemac::olm::OlmMessage::Normal(message) => message.ratchet_key().to_vec(),
        vodozemac::olm::OlmMessage::PreKey(message) => message.message().ratchet_key().to_vec(),
    })
}
