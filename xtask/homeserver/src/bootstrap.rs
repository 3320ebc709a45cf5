//! What `mx-e2ee identity bootstrap` sets up, an identity, secret storage and a key backup, and whether all of it can be
//! read back from the server.

use std::fs;

use mx_cross_signing::SigningKeys;
use mx_key_backup::{Anchor, KeySource};
use mx_types::RoomId;
use serde_json::Value;

use crate::{Failure, backup, ensure, secrets, stage::Stage};

/// What Alice has then.
pub(crate) struct SetUp {
    pub(crate) keys: SigningKeys,
    /// As it was shown once.
    pub(crate) recovery_key: String,
}

pub(crate) fn play(stage: &mut Stage<'_>) -> Result<SetUp, Failure> {
    stage.narrator.chapter("Alice lets mx-e2ee identity bootstrap set up her account")?;
    let recovery_key = run(stage)?;

    let (keys, key) = secrets::open(&mut stage.alice, &recovery_key)?;
    ensure(stage.alice.lists.own.is_verified(), "with the private keys her identity is not verified")?;
    let what = "opens secret storage with the recovery key: in it are the private keys of her identity";
    stage.narrator.step("Alice", what)?;

    let backup = backup::trusted(&stage.alice, &key, KeySource::SecretStorage)?;
    let has = |wanted: fn(&Anchor) -> bool| backup.grounds().iter().any(wanted);
    let is_trusted = has(|anchor| matches!(anchor, Anchor::MasterSigningKey(_)))
        && has(|anchor| *anchor == Anchor::DecryptionKey(KeySource::SecretStorage));
    ensure(is_trusted, &format!("the backup is trusted by {:?} only", backup.grounds()))?;
    let room_id = RoomId::parse(&stage.room_id)?;
    let sessions = backup::fill_and_read(stage.rng, &stage.alice, &backup, &key, room_id)?;
    let what = "finds the backup signed by her identity, stores 3 sessions there and decrypts them";
    stage.narrator.step("Alice", what)?;
    backup::decrypt_with_tool(&stage.tool, &stage.alice, &backup, &key, &sessions)?;
    stage
        .narrator
        .step("Alice", "lets mx-e2ee backup decrypt make a key file of it, with the same sessions")?;
    Ok(SetUp { keys, recovery_key })
}

/// Runs it twice, and gives the recovery key.
fn run(stage: &mut Stage<'_>) -> Result<String, Failure> {
    let Stage { tool, alice, narrator, .. } = stage;
    let (token, key_file, requests) =
        (alice.session.access_token.clone(), tool.path("recovery-key"), tool.path("requests.json"));
    let (address, device_id) = (alice.session.address().to_owned(), alice.session.device_id.clone());
    let fingerprint = alice.lists.device(&alice.session.user_id, &device_id)?.ed25519.to_string();
    let server = ["identity", "bootstrap", "--homeserver", &address, "--token-fd", "0"];
    let device = ["--device", &device_id, "--fingerprint", &fingerprint, "--key-file"];
    let bootstrap = [&server[..], &device].concat();
    tool.run(&[&bootstrap[..], &[&key_file, &requests]].concat(), &token)?;
    let recovery_key = fs::read_to_string(&key_file)?.trim().to_owned();
    let sent: Value = serde_json::from_str(&fs::read_to_string(&requests)?)?;
    let count = sent["requests"].as_array().map_or(0, Vec::len);
    alice.follow("its own identity", |lists, _| {
        let msk = lists.own.identity().map(|identity| identity.master_signing_key().public_key().to_string());
        msk.is_some_and(|msk| sent["master_signing_key"] == msk)
    })?;
    let what = format!("gets an identity, a recovery key and a backup: {count} requests, all accepted");
    narrator.step("Alice", &what)?;

    let (key_file, requests) = (tool.path("other-key"), tool.path("other-requests.json"));
    let said = tool.refuse(&[&bootstrap[..], &[&key_file, &requests]].concat(), &token)?;
    ensure(said.contains("already"), &format!("the second time it says: {said}"))?;
    narrator.step("Alice", "runs it again: it refuses, because nothing is ever replaced")?;
    Ok(recovery_key)
}
