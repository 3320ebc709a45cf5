//! Identities: made, uploaded, signed by each other and by their devices' owners; and whether the server then shows the
//! trust that was computed before anything was sent.

use std::collections::BTreeMap;

use mx_cross_signing::{
    DeviceSigningUpload, KeyStorage, SignaturesUpload, SigningKeys,
    TrustLevel::{self, CrossSignedTofu, CrossSignedViolation, Unsigned, Verified},
    Verification, sign_pending, verify_own_device, verify_user,
};
use mx_types::{DeviceId, UserId};
use rand_core::CryptoRng;
use serde_json::{Value, json};

use crate::{Failure, client::Client, ensure, fail, lists::Lists, server::Session, stage::Stage, tool::Tool};

const DEVICE_SIGNING: &str = "/_matrix/client/v3/keys/device_signing/upload";

/// The trust in each device of a user, by its ID.
type Levels = BTreeMap<String, TrustLevel>;

/// Gives Bob's keys.
pub(crate) fn play(stage: &mut Stage<'_>, alices: &SigningKeys) -> Result<SigningKeys, Failure> {
    stage.narrator.chapter("Identities, and trust in devices")?;
    let mut bobs = create(stage.rng, &mut stage.bob)?;
    sign_device(&mut stage.bob, &bobs, "BOBPHONE")?;
    stage
        .narrator
        .step("Bob", "uploads a new identity, and his signature on BOBPHONE but not on BOBTABLET")?;
    let (phone, tablet) = ("BOBPHONE", "BOBTABLET");
    sees(&mut stage.alice, &stage.bob, &[(phone, CrossSignedTofu), (tablet, Unsigned)])?;
    stage.narrator.step("Alice", "sees that BOBPHONE is cross-signed and BOBTABLET is not")?;

    sees(&mut stage.bob, &stage.alice, &[("ALICEPHONE", CrossSignedTofu)])?;
    stage.narrator.step("Bob", "sees that ALICEPHONE is")?;

    verify(&mut stage.alice, alices, &stage.bob)?;
    sees(&mut stage.alice, &stage.bob, &[(phone, Verified), (tablet, Unsigned)])?;
    stage.narrator.step("Alice", "verifies Bob: the server shows the trust that was computed before")?;
    verify(&mut stage.bob, &bobs, &stage.alice)?;
    sees(&mut stage.bob, &stage.alice, &[("ALICEPHONE", Verified)])?;
    stage.narrator.step("Bob", "verifies Alice: so it does again")?;
    audit(&stage.tool, &stage.alice, &stage.bob)?;
    audit(&stage.tool, &stage.bob, &stage.alice)?;
    stage.narrator.step("Both", "ask `mx-e2ee identity audit`, which says the same")?;

    sign_device(&mut stage.bob, &bobs, tablet)?;
    sees(&mut stage.alice, &stage.bob, &[(phone, Verified), (tablet, Verified)])?;
    stage.narrator.step("Bob", "signs BOBTABLET: Alice, who verified Bob, sees it as verified, too")?;

    bobs = replace(stage.rng, &mut stage.bob)?;
    sees(&mut stage.alice, &stage.bob, &[(phone, Unsigned), (tablet, Unsigned)])?;
    sign_device(&mut stage.bob, &bobs, phone)?;
    sees(&mut stage.alice, &stage.bob, &[(phone, CrossSignedViolation), (tablet, Unsigned)])?;
    stage.narrator.step(
        "Bob",
        "replaces his identity, with his password: Alice sees that it is not the verified one",
    )?;
    verify(&mut stage.alice, alices, &stage.bob)?;
    sees(&mut stage.alice, &stage.bob, &[(phone, Verified), (tablet, Unsigned)])?;
    stage
        .narrator
        .step("Alice", "verifies Bob again: the server shows the trust that was computed before")?;
    sees(&mut stage.bob, &stage.alice, &[("ALICEPHONE", CrossSignedViolation)])?;
    sign_again(&mut stage.bob, &bobs, &stage.alice)?;
    sees(&mut stage.bob, &stage.alice, &[("ALICEPHONE", Verified)])?;
    stage.narrator.step("Bob", "signs Alice's identity again, with his new user-signing key")?;
    Ok(bobs)
}

/// Waits until this is how one user trusts the devices of the other.
pub(crate) fn sees(
    client: &mut Client,
    other: &Client,
    expected: &[(&str, TrustLevel)],
) -> Result<(), Failure> {
    let user_id = UserId::parse(&other.session.user_id)?;
    let expected: Levels =
        expected.iter().map(|(device_id, level)| ((*device_id).to_owned(), *level)).collect();
    let heard = client.follow(&format!("{expected:?}"), |lists, _| levels(lists, user_id) == expected);
    let seen = || format!("; the trust is {:?}", levels(&client.lists, user_id));
    heard.map(drop).map_err(|error| (error.to_string() + &seen()).into())
}

/// Lets the tool say how far the devices of one user are trusted by the other: it must say the same.
fn audit(tool: &Tool, client: &Client, other: &Client) -> Result<(), Failure> {
    let (own, other) = (client.session.user_id.as_str(), UserId::parse(&other.session.user_id)?);
    let body = json!({ "device_keys": { own: [], other.as_str(): [] } }).to_string();
    let answer = client.session.post("/_matrix/client/v3/keys/query", &body)?;
    let msk = client.lists.own.verified_master_signing_key().ok_or("the own identity is not verified")?;
    let said = tool.run(&["--json", "identity", "audit", "--own", &format!("{own}={msk}"), "-"], &answer)?;
    let mut audited = BTreeMap::new();
    for line in said.lines() {
        let record: Value = serde_json::from_str(line)?;
        if record["what"] == "device" && record["user_id"] == other.as_str() {
            let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
            audited.insert(text("device_id"), text("trust"));
        }
    }
    let in_words = |level| match level {
        Verified => "verified",
        Unsigned => "unsigned",
        _ => "neither, which does not come here",
    };
    let computed = levels(&client.lists, other).into_iter();
    let computed = computed.map(|(device_id, level)| (device_id, in_words(level).to_owned())).collect();
    ensure(audited == computed, &format!("mx-e2ee says {audited:?}, computed was {computed:?}"))
}

/// A new identity for a user who has none, which takes no password.
pub(crate) fn create(rng: &mut dyn CryptoRng, client: &mut Client) -> Result<SigningKeys, Failure> {
    new_identity(rng, client, |session, upload| session.post(DEVICE_SIGNING, &upload.body(None)?))
}

/// Another identity in the place of the present one, which takes the password.
fn replace(rng: &mut dyn CryptoRng, client: &mut Client) -> Result<SigningKeys, Failure> {
    new_identity(rng, client, |session, upload| {
        session.post_with_password(DEVICE_SIGNING, |auth| Ok(upload.body(auth)?))
    })
}

fn new_identity(
    rng: &mut dyn CryptoRng,
    client: &mut Client,
    send: impl FnOnce(&Session, &DeviceSigningUpload) -> Result<String, Failure>,
) -> Result<SigningKeys, Failure> {
    let keys = SigningKeys::generate(rng, UserId::parse(&client.session.user_id)?, KeyStorage::Secure)?;
    let device_id = DeviceId::parse(&client.session.device_id)?;
    send(&client.session, &keys.device_signing_upload(Some((device_id, &client.device)))?)?;
    client.lists.own.adopt(keys.identity().ok_or("a key is missing")?)?;
    Ok(keys)
}

/// Signs a device of the client's user, as after a verification.
pub(crate) fn sign_device(client: &mut Client, keys: &SigningKeys, device_id: &str) -> Result<(), Failure> {
    let user_id = UserId::parse(&client.session.user_id)?;
    let device = client.lists.identities.device_mut(user_id, DeviceId::parse(device_id)?);
    let device = device.ok_or("the device was not queried")?;
    let verified = device.clone();
    let Verification::Signed(upload) = verify_own_device(&client.lists.own, keys, device, &verified)? else {
        return fail("the self-signing key is not here");
    };
    send(client, upload)
}

/// One user verifies another. What the server shows to somebody who asks for the first time must then be what was computed before the
/// signature was sent.
fn verify(client: &mut Client, keys: &SigningKeys, other: &Client) -> Result<(), Failure> {
    let user_id = UserId::parse(&other.session.user_id)?;
    let lists = &mut client.lists;
    let device_ids: Vec<_> =
        lists.identities.devices(user_id).map(|device| device.device_id().to_owned()).collect();
    let user = lists.identities.user_mut(user_id).ok_or("the other's identity was not seen")?;
    let compared = other.lists.own.identity().ok_or("the other has no identity")?.master_signing_key();
    let device_ids = device_ids.iter().map(String::as_str);
    let Verification::Signed(upload) = verify_user(&lists.own, keys, user, compared, device_ids)? else {
        return fail("the user-signing key is not here");
    };
    let computed = levels(&client.lists, user_id);
    send(client, upload)?;
    is_shown(client, user_id)?;
    client.follow("its own signature", |_, heard| heard.changed.contains(user_id.as_str()))?;
    let followed = levels(&client.lists, user_id);
    ensure(followed == computed, &format!("the lists have {followed:?}, computed was {computed:?}"))
}

/// Whether the trust in a user's devices that was computed here is what the server shows to somebody who asks for the first time.
pub(crate) fn is_shown(client: &Client, user_id: UserId<'_>) -> Result<(), Failure> {
    let (computed, shown) = (levels(&client.lists, user_id), shown(client, user_id)?);
    ensure(shown == computed, &format!("the server shows {shown:?}, computed was {computed:?}"))
}

/// Signs another user, who was verified before, with a user-signing key that has taken the place of the one before.
fn sign_again(client: &mut Client, keys: &SigningKeys, other: &Client) -> Result<(), Failure> {
    let Lists { own, identities, .. } = &mut client.lists;
    let user = identities.user_mut(UserId::parse(&other.session.user_id)?);
    let upload = sign_pending(own, keys, user.ok_or("the other's identity was not seen")?);
    send(client, upload.ok_or("nothing is to be signed again")?)
}

/// Uploads signatures, each of which the server must take.
pub(crate) fn send(client: &Client, mut upload: SignaturesUpload) -> Result<(), Failure> {
    let answer = client.session.post("/_matrix/client/v3/keys/signatures/upload", &upload.body())?;
    let failures = upload.answered(&answer)?;
    let is_taken = failures.is_empty() && upload.is_empty();
    ensure(is_taken, &format!("the server did not take the signatures {}: {answer}", upload.body()))
}

/// The trust in a user's devices for somebody who knows of the client's own identity, and otherwise only what `/keys/query` says.
fn shown(client: &Client, user_id: UserId<'_>) -> Result<Levels, Failure> {
    let Client { session, lists, .. } = client;
    let mut fresh = Lists::new(lists.device(&session.user_id, &session.device_id)?)?;
    fresh.own.adopt(lists.own.identity().cloned().ok_or("there is no own identity")?)?;
    fresh.track([user_id.as_str()])?;
    fresh.refresh(session)?;
    Ok(levels(&fresh, user_id))
}

fn levels(lists: &Lists, user_id: UserId<'_>) -> Levels {
    let device_ids = lists.identities.devices(user_id).map(|device| device.device_id());
    device_ids.filter_map(|id| Some((id.to_owned(), lists.trust(user_id, id)?))).collect()
}
