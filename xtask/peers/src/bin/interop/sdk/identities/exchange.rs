//! Identities of both sides on one homeserver: each reads, judges, verifies and signs the other's.

use matrix_sdk_crypto::{UserIdentity, store::types::CrossSigningKeyExport};
use mx_cross_signing::{
    ImportError, LocalTrust, MasterSigningKey, OwnState, SecretSource, SignaturesUpload, TrustLevel, Usage,
    UserState,
};
use mx_types::UserId;
use rand_chacha::ChaCha20Rng;
use serde_json::Value;

use super::{super::block_on, homeserver::Homeserver, ours::Ours, theirs::Theirs};
use crate::report::{Failure, Outcome, expect};

const ALICE: &str = "@alice:example.org";
const BOB: &str = "@bob:example.com";
const OURS: &str = "OURDEVICE";
const THEIRS: &str = "THEIRDEVICE";

/// Bob runs their machine and has an identity; Alice runs ours, has one, and reads his.
pub fn to_us(rng: &mut ChaCha20Rng) -> Outcome {
    let (mut server, mut ours, theirs) = alice_and_bob(rng)?;
    let body: Value = serde_json::from_str(&theirs.bootstrap(&mut server)?)?;
    // Objects as they upload them are keys of these roles, and of no other.
    for (member, usage) in [("master_key", 0), ("self_signing_key", 1), ("user_signing_key", 2)] {
        let parsed = MasterSigningKey::parse(&body[member].to_string(), UserId::parse(BOB)?);
        expect(
            parsed.is_ok() == (usage == 0),
            &format!("their {member} in the role of a master signing key"),
        )?;
    }
    ours.query(&server, &[ALICE, BOB])?;
    let user = ours.user(BOB)?.ok_or("we do not take their identity")?;
    let identity = theirs.identity(BOB)?.and_then(UserIdentity::own).ok_or("they have no identity")?;
    for (usage, key) in [
        (Usage::Master, identity.master_key().get_first_key()),
        (Usage::SelfSigning, identity.self_signing_key().get_first_key()),
    ] {
        let ours = user.identity().public_key(usage).map(|key| key.to_string());
        expect(ours == key.map(|key| key.to_base64()), "another key")?;
    }
    expect(user.identity().user_signing_key().is_none(), "a user-signing key of another user")?;
    expect_level(&ours, BOB, THEIRS, TrustLevel::CrossSignedTofu)?;
    expect(ours.user_state(BOB)? == Some(UserState::Pinned), "their user is not pinned")?;

    // A device that its owner has not signed.
    let _second = Theirs::log_in(&mut server, BOB, "SECOND")?;
    ours.query(&server, &[BOB])?;
    expect_level(&ours, BOB, "SECOND", TrustLevel::Unsigned)?;
    Ok("an identity, its device, and one that it has not signed".to_owned())
}

/// Alice runs ours and has an identity; Bob runs theirs, has one, and reads hers.
pub fn to_them(rng: &mut ChaCha20Rng) -> Outcome {
    let (mut server, ours, theirs) = alice_and_bob(rng)?;
    theirs.bootstrap(&mut server)?;
    theirs.query(&server, &[ALICE, BOB])?;
    let identity =
        theirs.identity(ALICE)?.and_then(UserIdentity::other).ok_or("they do not take our identity")?;
    let own = ours.own.identity().ok_or("no identity of ours")?;
    for (usage, key) in [
        (Usage::Master, identity.master_key().get_first_key()),
        (Usage::SelfSigning, identity.self_signing_key().get_first_key()),
    ] {
        let ours = own.public_key(usage).map(|key| key.to_string());
        expect(ours == key.map(|key| key.to_base64()), "another key")?;
    }
    expect(
        theirs.level(ALICE, OURS)? == Some(TrustLevel::CrossSignedTofu),
        "our device is not cross-signed",
    )?;
    expect(theirs.user_state(ALICE)? == Some(UserState::Pinned), "our user is not pinned")?;

    Ours::log_in(rng, &mut server, ALICE, "SECOND")?;
    theirs.query(&server, &[ALICE])?;
    expect(theirs.level(ALICE, "SECOND")? == Some(TrustLevel::Unsigned), "a device that nobody signed")?;
    Ok("an identity, its device, and one that it has not signed".to_owned())
}

/// Alice and Bob verify each other, each with the own user-signing key.
pub fn verified(rng: &mut ChaCha20Rng) -> Outcome {
    let (mut server, mut ours, theirs) = alice_and_bob(rng)?;
    theirs.bootstrap(&mut server)?;
    let both = [ALICE, BOB];
    ours.query(&server, &both)?;
    theirs.query(&server, &both)?;

    ours.verify(&mut server, BOB)?;
    let body = theirs.verify(&mut server, ALICE)?;
    let read = SignaturesUpload::parse(&body)?;
    expect(SignaturesUpload::parse(&read.body())? == read, "we change their upload of signatures")?;
    expect_level(&ours, BOB, THEIRS, TrustLevel::Verified)?;
    ours.query(&server, &both)?;
    theirs.query(&server, &both)?;
    expect_level(&ours, BOB, THEIRS, TrustLevel::Verified)?;
    expect(theirs.level(ALICE, OURS)? == Some(TrustLevel::Verified), "our device is not verified")?;

    // Another device of Alice's learns it from the server: it has to verify her identity, and nothing else.
    let phone = Theirs::log_in(&mut server, ALICE, "PHONE")?;
    phone.query(&server, &both)?;
    expect(phone.user_state(BOB)? == Some(UserState::Pinned), "verified without a verified own identity")?;
    phone.verify_own()?;
    expect(phone.level(BOB, THEIRS)? == Some(TrustLevel::Verified), "our signature does not count for them")?;
    let (mut tablet, _) = Ours::log_in(rng, &mut server, BOB, "TABLET")?;
    tablet.query(&server, &both)?;
    expect(tablet.user_state(ALICE)? == Some(UserState::Pinned), "verified without a verified own identity")?;
    tablet.verify_own()?;
    expect_level(&tablet, ALICE, OURS, TrustLevel::Verified)?;

    // Nobody else sees whom they have verified.
    let stranger = server.query("@carol:example.org", &both);
    let counts = |text: &str, user_id: &str| {
        Ok::<_, Failure>({
            let answer: Value = serde_json::from_str(text)?;
            answer["master_keys"][user_id]["signatures"].as_object().map_or(0, |signers| signers.len())
        })
    };
    expect(counts(&stranger, ALICE)? == 1 && counts(&stranger, BOB)? == 1, "a stranger sees signatures")?;
    Ok("both users, and by a second device of each".to_owned())
}

/// Own devices: each side's identity signs the other side's device of the same user, and hands it its private keys.
pub fn own_devices(rng: &mut ChaCha20Rng) -> Outcome {
    // Ours has the identity, their machine is the new device.
    let (mut server, mut ours, _) = alice_and_bob(rng)?;
    let phone = Theirs::log_in(&mut server, ALICE, "PHONE")?;
    ours.query(&server, &[ALICE])?;
    expect_level(&ours, ALICE, "PHONE", TrustLevel::Unsigned)?;
    ours.sign_device(&mut server, "PHONE")?;
    phone.query(&server, &[ALICE])?;
    expect(phone.level(ALICE, OURS)? == Some(TrustLevel::CrossSignedTofu), "our device is not cross-signed")?;
    let device = phone.device(ALICE, "PHONE")?.ok_or("no device")?;
    expect(device.is_cross_signed_by_owner(), "they do not see our signature on their device")?;
    let secret = |usage| Ok::<_, Failure>(Some(ours.keys.export(&ours.own, usage)?.to_string()));
    let export = CrossSigningKeyExport {
        master_key: secret(Usage::Master)?,
        self_signing_key: secret(Usage::SelfSigning)?,
        user_signing_key: secret(Usage::UserSigning)?,
    };
    let status = block_on(phone.machine.import_cross_signing_keys(export))?;
    expect(status.is_complete(), "they do not take our private keys")?;
    phone.query(&server, &[ALICE])?;
    expect(phone.own_state()? == OwnState::Verified, "our identity is not verified for them")?;
    expect(phone.level(ALICE, OURS)? == Some(TrustLevel::Verified), "our device is not verified for them")?;

    // Their machine has the identity, ours is the new device.
    let mut server = Homeserver::default();
    let theirs = Theirs::log_in(&mut server, ALICE, THEIRS)?;
    theirs.bootstrap(&mut server)?;
    let (mut laptop, _) = Ours::log_in(rng, &mut server, ALICE, "LAPTOP")?;
    theirs.query(&server, &[ALICE])?;
    theirs.sign_device(&mut server, "LAPTOP")?;
    laptop.query(&server, &[ALICE])?;
    expect_level(&laptop, ALICE, THEIRS, TrustLevel::CrossSignedTofu)?;
    let device = laptop.device(ALICE, "LAPTOP")?.ok_or("no device")?;
    expect(device.cross_signature().is_some(), "we do not see their signature on our device")?;
    expect(device.local_trust() == LocalTrust::Verified, "this device is not its own")?;
    let export = block_on(theirs.machine.export_cross_signing_keys())?.ok_or("no private keys")?;
    let secrets = [&export.master_key, &export.self_signing_key, &export.user_signing_key];
    for (place, usage) in Usage::ALL.into_iter().enumerate() {
        // XS-37: a seed in the wrong role is refused.
        for (other, secret) in secrets.iter().enumerate() {
            let secret = secret.as_deref().ok_or("a private key is missing")?;
            let source = SecretSource::VerifiedDevice;
            let taken = laptop.keys.import(&mut laptop.own, source, usage.secret_name(), secret);
            let wanted = if other == place { Ok(usage) } else { Err(ImportError::OtherKey { usage }) };
            expect(taken == wanted, "a private key of theirs under the wrong name, or not under its own")?;
        }
    }
    laptop.store.refresh(&laptop.own);
    expect(laptop.own_state() == OwnState::Verified, "their identity is not verified for us")?;
    expect_level(&laptop, ALICE, THEIRS, TrustLevel::Verified)?;
    // And what they made signs for us.
    let third = Theirs::log_in(&mut server, ALICE, "THIRD")?;
    laptop.query(&server, &[ALICE])?;
    laptop.sign_device(&mut server, "THIRD")?;
    theirs.query(&server, &[ALICE])?;
    expect(theirs.level(ALICE, "THIRD")? == Some(TrustLevel::Verified), "our signature with their key")?;
    drop(third);
    Ok("signed by ours and by theirs, private keys both ways".to_owned())
}

/// Each side gets a new identity: a pin violation at first, a violation of the verification later.
pub fn changes(rng: &mut ChaCha20Rng) -> Outcome {
    use UserState::{PinViolation, Pinned, VerificationViolation, Verified};

    let both = [ALICE, BOB];
    let mut server = Homeserver::default();
    let (mut ours, ed25519) = Ours::log_in(rng, &mut server, ALICE, OURS)?;
    let theirs = Theirs::log_in(&mut server, BOB, THEIRS)?;
    let mut renew = |ours: &mut Ours, server: &mut Homeserver| {
        ours.bootstrap(rng, server, &ed25519)?;
        theirs.bootstrap(server)
    };
    let expect_states = |ours: &mut Ours, server: &Homeserver, state: UserState, words: &str| {
        ours.query(server, &both)?;
        theirs.query(server, &both)?;
        let (here, there) = (ours.user_state(BOB)?, theirs.user_state(ALICE)?);
        let as_wanted = (here, there) == (Some(state), Some(state));
        expect(as_wanted, &format!("{words}: {here:?} with us, {there:?} with them"))
    };

    renew(&mut ours, &mut server)?;
    expect_states(&mut ours, &server, Pinned, "at first")?;
    renew(&mut ours, &mut server)?;
    expect_states(&mut ours, &server, PinViolation, "after a first change")?;
    expect_level(&ours, BOB, THEIRS, TrustLevel::CrossSignedPinViolation)?;
    expect(theirs.level(ALICE, OURS)? == Some(TrustLevel::CrossSignedPinViolation), "their level")?;
    ours.user_mut(BOB)?.pin();
    let other = theirs.identity(ALICE)?.and_then(UserIdentity::other).ok_or("no identity")?;
    block_on(other.pin_current_master_key())?;
    expect_states(&mut ours, &server, Pinned, "acknowledged")?;

    ours.verify(&mut server, BOB)?;
    theirs.verify(&mut server, ALICE)?;
    expect_states(&mut ours, &server, Verified, "verified")?;
    renew(&mut ours, &mut server)?;
    expect_states(&mut ours, &server, VerificationViolation, "after a second change")?;
    expect_level(&ours, BOB, THEIRS, TrustLevel::CrossSignedViolation)?;
    ours.user_mut(BOB)?.pin();
    let other = theirs.identity(ALICE)?.and_then(UserIdentity::other).ok_or("no identity")?;
    block_on(other.pin_current_master_key())?;
    expect_states(&mut ours, &server, VerificationViolation, "acknowledged, which is not enough")?;

    let own = ours.own.clone();
    expect(ours.user_mut(BOB)?.withdraw(&own), "nothing to withdraw")?;
    let other = theirs.identity(ALICE)?.and_then(UserIdentity::other).ok_or("no identity")?;
    block_on(other.withdraw_verification())?;
    expect_states(&mut ours, &server, Pinned, "withdrawn")?;
    ours.verify(&mut server, BOB)?;
    theirs.verify(&mut server, ALICE)?;
    expect_states(&mut ours, &server, Verified, "verified again")?;

    // A device that is logged out is nobody's to trust.
    server.remove_device(BOB, THEIRS);
    ours.query(&server, &both)?;
    expect(ours.level(BOB, THEIRS)?.is_none(), "a device that was logged out")?;
    Ok("2 changes on each side, acknowledged, withdrawn and verified again".to_owned())
}

/// Alice with a device of ours and an identity, Bob with one of theirs and none yet.
fn alice_and_bob(rng: &mut ChaCha20Rng) -> Result<(Homeserver, Ours, Theirs), Failure> {
    let mut server = Homeserver::default();
    let (mut ours, ed25519) = Ours::log_in(rng, &mut server, ALICE, OURS)?;
    ours.bootstrap(rng, &mut server, &ed25519)?;
    let theirs = Theirs::log_in(&mut server, BOB, THEIRS)?;
    Ok((server, ours, theirs))
}

fn expect_level(ours: &Ours, user_id: &str, device_id: &str, wanted: TrustLevel) -> Result<(), Failure> {
    let level = ours.level(user_id, device_id)?;
    expect(level == Some(wanted), &format!("{device_id} is {level:?} with us, not {wanted:?}"))
}
