//! Alice and Bob verify each other by emoji, in an encrypted room of their own, and sign each other's identity.

use mx_cross_signing::TrustLevel;
use mx_verification::{Emoji, What};
use serde_json::{Value, json};

use crate::{
    Failure, fail,
    stage::{
        DIRECT_ROOM_ID,
        Role::{self, Alice, Bob},
        Stage,
    },
    verifier::Verifier,
};

/// Plays it.
///
/// # Errors
///
/// At the first step that does not go as told.
pub(crate) fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.chapter("Alice and Bob verify each other by emoji")?;
    let (mut alice, mut bob) = (Verifier::new(stage, Alice)?, Verifier::new(stage, Bob)?);
    sees(stage, &mut alice, TrustLevel::CrossSignedTofu)?;
    sees(stage, &mut bob, TrustLevel::CrossSignedTofu)?;
    let key = stage.claim_key(Alice)?;
    stage.open_olm_session(Alice, &key)?; // for the keys of the room

    alice.ask(stage)?;
    bob.hears(stage, "a request", |what| matches!(what, What::Requested { .. }).then_some(()))?;
    bob.accept(stage)?;
    let ready = |what| matches!(what, What::Ready { vouches_for_own_user: true, .. }).then_some(());
    alice.hears(stage, "that both are ready", ready)?;
    bob.hears(stage, "that both are ready", ready)?;

    alice.start_sas(stage)?;
    let started = |what| matches!(what, What::SasStarted).then_some(());
    alice.hears(stage, "the start", started)?;
    bob.hears(stage, "the start", started)?;
    alice.listen(stage)?; // Bob is bound to his key now, so hers goes out
    compare(stage, &mut alice, &mut bob)?;

    for verifier in [&mut alice, &mut bob] {
        let verified = verifier.hears(stage, "that the other is verified", |what| match what {
            What::Verified(verified) => Some(verified),
            _ => None,
        })?;
        verifier.record(stage, &verified)?;
    }
    for verifier in [&mut alice, &mut bob] {
        verifier.hears(stage, "that both are done", |what| matches!(what, What::Done).then_some(()))?;
        sees(stage, verifier, TrustLevel::Verified)?;
        stage.device(verifier.who).discard_room_session(DIRECT_ROOM_ID);
    }
    Ok(())
}

/// Both devices show the emoji, both users say that they are the same.
fn compare(stage: &mut Stage<'_>, alice: &mut Verifier, bob: &mut Verifier) -> Result<(), Failure> {
    let shown = |what| match what {
        What::ShortString { emoji, .. } => emoji,
        _ => None,
    };
    let bobs = bob.hears(stage, "emoji", shown)?;
    let alices = alice.hears(stage, "emoji", shown)?;
    show(stage, Alice, &alices)?;
    show(stage, Bob, &bobs)?;
    if alices != bobs {
        return fail("Alice and Bob see different emoji");
    }
    for verifier in [alice, bob] {
        stage.tell(verifier.who, "says that the emoji are the same")?;
        verifier.confirm(stage)?;
    }
    Ok(())
}

fn show(stage: &mut Stage<'_>, who: Role, emoji: &[Emoji]) -> Result<(), Failure> {
    let words: Vec<_> = emoji.iter().map(ToString::to_string).collect();
    stage.tell(who, &format!("sees {}", words.join(", ")))?;
    let objects = emoji
        .iter()
        .map(|emoji| json!({ "emoji": emoji.symbol(), "description": emoji.description() }))
        .collect::<Vec<Value>>();
    let device_id = stage.address(who).device_id;
    Ok(stage.narrator.wire(&json!({ "short_authentication_string": objects, "device_id": device_id }))?)
}

/// This is how far one trusts the other, by what the server shows.
fn sees(stage: &mut Stage<'_>, verifier: &mut Verifier, expected: TrustLevel) -> Result<(), Failure> {
    let level = verifier.query_identity(stage)?;
    let name = verifier.who.other().name();
    if level != expected {
        return fail(format!("the device of {name} is trusted as {level:?}, not {expected:?}"));
    }
    let what = match level {
        TrustLevel::Verified => format!("sees that the device of {name} is verified: by four signatures"),
        _ => format!("queries the identity of {name}: it has signed the device, but nobody has verified it"),
    };
    Ok(stage.tell(verifier.who, &what)?)
}
