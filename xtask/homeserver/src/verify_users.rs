//! Users verify each other in a room: Alice and Dave by short strings, Bob and Dave by a QR code.

use mx_cross_signing::{SigningKeys, TrustLevel};
use serde_json::json;

use crate::{
    Failure,
    client::Client,
    ensure,
    identities::{create, sees, sign_device},
    stage::Stage,
    verifier::{Envelope, Verifier},
    verify_devices::{ALICES, PHONE, compare, drawn, scan},
};

const DAVES: &str = "DAVEPHONE";
const BOBS: &str = "BOBPHONE";

pub(crate) fn play(stage: &mut Stage<'_>, alices: &SigningKeys, bobs: &SigningKeys) -> Result<(), Failure> {
    stage.narrator.chapter("Alice, Bob and Dave verify each other")?;
    let (mut dave, daves) = join(stage)?;
    by_emoji(stage, (alices, bobs), &mut dave, &daves)?;
    by_code(stage, bobs, &mut dave, &daves)
}

/// A third user with an identity, in the same room.
fn join(stage: &mut Stage<'_>) -> Result<(Client, SigningKeys), Failure> {
    let mut dave = stage.register("dave")?;
    let keys = create(stage.rng, &mut dave)?;
    dave.follow("his own device", |lists, _| !lists.device_ids(lists.own.user_id()).is_empty())?;
    sign_device(&mut dave, &keys, DAVES)?;
    let Stage { narrator, alice, bob, room_id, .. } = stage;
    let invite = json!({ "user_id": dave.session.user_id }).to_string();
    alice.session.post(&format!("/_matrix/client/v3/rooms/{room_id}/invite"), &invite)?;
    dave.session.post(&format!("/_matrix/client/v3/join/{room_id}"), "{}")?;
    for client in [alice, bob] {
        sees(client, &dave, &[(DAVES, TrustLevel::CrossSignedTofu)])?;
        let user_id = &client.session.user_id;
        dave.follow("the others' devices", |lists, _| !lists.device_ids(user_id).is_empty())?;
    }
    narrator.step("Dave", "comes into the room with an identity that nobody has verified")?;
    Ok((dave, keys))
}

/// Alice asks, in plaintext: Bob, who can read it, is not concerned.
fn by_emoji(
    stage: &mut Stage<'_>,
    (alices, bobs): (&SigningKeys, &SigningKeys),
    dave: &mut Client,
    daves: &SigningKeys,
) -> Result<(), Failure> {
    let Stage { rng, narrator, alice: on_alices, bob: on_bobs, room_id, .. } = stage;
    let rng = &mut **rng;
    let users = (on_alices.session.user_id.clone(), dave.session.user_id.clone());
    let mut alice = Verifier::new(rng, on_alices, alices, Envelope::Plain)?;
    let mut bob = Verifier::new(rng, on_bobs, bobs, Envelope::Plain)?;
    let mut dave = Verifier::new(rng, dave, daves, Envelope::Plain)?;
    alice.ask_in_room(rng, room_id, &users.1)?;
    bob.hears_nothing(rng)?;
    dave.hears_request(rng, PHONE)?;
    dave.accept(rng)?;
    ensure(dave.hears_ready(rng, PHONE)?, "Dave does not vouch for himself")?;
    ensure(alice.hears_ready(rng, DAVES)?, "Alice does not vouch for herself")?;
    dave.start_sas(rng)?;
    let emoji = compare(rng, &mut dave, &mut alice)?;
    narrator.step("Both", &format!("see {}", drawn(&emoji)))?;
    alice.hears_verified(rng)?;
    dave.hears_verified(rng)?;
    alice.hears_done(rng)?;
    dave.hears_done(rng)?;
    bob.hears_nothing(rng)?;
    narrator.step(
        "Both",
        "say that they are the same, sign and upload; Bob, who could read along, is not asked",
    )?;
    let alices = ALICES.map(|device_id| (device_id, TrustLevel::Verified));
    see_each_other((alice.client, &alices), (dave.client, &[(DAVES, TrustLevel::Verified)]))
}

/// Dave asks, encrypted, and Bob scans what Dave displays.
fn by_code(
    stage: &mut Stage<'_>,
    bobs: &SigningKeys,
    dave: &mut Client,
    daves: &SigningKeys,
) -> Result<(), Failure> {
    let Stage { rng, narrator, bob, room_id, .. } = stage;
    let rng = &mut **rng;
    let user_id = bob.session.user_id.clone();
    let mut bob = Verifier::new(rng, bob, bobs, Envelope::Encrypted)?;
    let mut dave = Verifier::new(rng, dave, daves, Envelope::Encrypted)?;
    dave.ask_in_room(rng, room_id, &user_id)?;
    bob.hears_request(rng, DAVES)?;
    bob.accept(rng)?;
    bob.hears_ready(rng, DAVES)?;
    dave.hears_ready(rng, BOBS)?;
    let len = scan(rng, &mut dave, &mut bob, 0x00)?;
    let what = format!("scans Dave's code, {len} bytes, mode 0x00; all messages are encrypted with Megolm");
    narrator.step("Bob", &what)?;
    let bobs = [(BOBS, TrustLevel::Verified), ("BOBTABLET", TrustLevel::Unsigned)];
    see_each_other((bob.client, &bobs), (dave.client, &[(DAVES, TrustLevel::Verified)]))?;
    narrator.step("Each", "sees the others' devices as verified, as /keys/query shows").map_err(Failure::from)
}

/// Each sees the other's devices as verified that their owner has signed.
fn see_each_other(
    (one, ones): (&mut Client, &[(&str, TrustLevel)]),
    (other, others): (&mut Client, &[(&str, TrustLevel)]),
) -> Result<(), Failure> {
    sees(one, other, others)?;
    sees(other, one, ones)
}
