//! libolm's side of the rows that name it.

use std::time::Duration;

use mx_demo::party::{Account as _, InboundGroupSession as _, OutboundGroupSession as _, Session as _};
use mx_peers::libolm::{Account, InboundGroupSession, OutboundGroupSession, Session};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::measure::{on_each, on_each_kept};

const KEY: [u8; 32] = [7; 32];

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(3)
}

pub fn olm_skip(count: usize, skipped: usize) -> Duration {
    let mut rng = rng();
    let (alice, mut bob) = (Account::new(&mut rng).expect("random"), Account::new(&mut rng).expect("random"));
    bob.generate_one_time_keys(&mut rng, 1).expect("random");
    let key = bob.one_time_keys().pop().expect("just generated").key;
    let mut outbound = Session::outbound(&mut rng, &alice, &bob.curve25519_key(), &key).expect("honest keys");
    let first = outbound.encrypt(&mut rng, b"first").expect("new");
    let mut inbound = Session::inbound(&bob, &alice.curve25519_key(), &first).expect("genuine");
    inbound.decrypt(&first).expect("genuine");
    let answer = inbound.encrypt(&mut rng, b"answer").expect("new");
    outbound.decrypt(&answer).expect("genuine");
    let next = outbound.encrypt(&mut rng, b"starts the chain").expect("can send");
    inbound.decrypt(&next).expect("genuine");
    for _ in 0..skipped {
        outbound.encrypt(&mut rng, b"lost").expect("can send");
    }
    let message = outbound.encrypt(&mut rng, &[1; 64]).expect("can send");
    let pickle = inbound.pickle(&KEY).expect("can be stored");
    let sessions = (0..count).map(|_| Session::from_pickle(&pickle, &KEY).expect("just written"));
    on_each_kept(sessions, |mut session| {
        session.decrypt(&message).expect("genuine");
        session
    })
}

pub fn account_unpickle(count: usize) -> Duration {
    let mut rng = rng();
    let mut account = Account::new(&mut rng).expect("random");
    account.generate_one_time_keys(&mut rng, 50).expect("random");
    let pickle = account.pickle(&KEY).expect("can be stored");
    on_each(0..count, |_| Account::from_pickle(&pickle, &KEY).expect("just written"))
}

pub fn megolm_import(count: usize) -> Duration {
    let outbound = OutboundGroupSession::new(&mut rng()).expect("random");
    let mut inbound = InboundGroupSession::new(&outbound.session_key()).expect("genuine");
    let exported = inbound.export_at(0).expect("known");
    on_each(0..count, |_| InboundGroupSession::import(&exported).expect("well-formed"))
}
