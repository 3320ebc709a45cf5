//! Key backups: made, found trusted, filled, read back, and deleted.

use std::collections::BTreeSet;

use mx_cross_signing::{SigningKeys, Usage};
use mx_curve25519::Ed25519SecretKey;
use mx_key_backup::{
    Anchor, AuthData, BackupDecryptionKey, Deletion, KeySource, Keys, KeysAnswer, NEWEST_VERSION_PATH,
    NewBackup, ServerBackup, TrustAnchors, TrustedBackup, UploadOutcome, keys_path, version_path,
};
use mx_megolm::OutboundGroupSession;
use mx_room_key::{Provenance, RoomKey, RoomKeyContent};
use mx_secret_storage::Secret;
use mx_types::{DeviceId, RoomId, UserId};
use rand_core::CryptoRng;
use serde_json::Value;

use crate::{Failure, client::Client, ensure, stage::Stage, tool::Tool};

/// Sessions by their rooms and IDs.
type Sessions = BTreeSet<(String, String)>;

/// Sessions in a backup.
const SESSIONS: usize = 3;

/// Bob's, with everything that can be done with one.
pub(crate) fn play(stage: &mut Stage<'_>, bobs: &SigningKeys) -> Result<(), Failure> {
    stage.narrator.chapter("A key backup")?;
    let (bob, room_id) = (&stage.bob, RoomId::parse(&stage.room_id)?);
    let (user_id, device_id) =
        (UserId::parse(&bob.session.user_id)?, DeviceId::parse(&bob.session.device_id)?);

    let key = BackupDecryptionKey::generate(&mut stage.rng)?;
    let auth_data = AuthData::new(key.public_key()).sign_by_device(&bob.device, user_id, device_id)?;
    let answer = bob.session.post(NEWEST_VERSION_PATH, &NewBackup::new(auth_data).body())?;
    let version = NewBackup::version(&answer)?;
    let backup = trusted(bob, &key, KeySource::Generated)?;
    let is_known = |anchor: &Anchor| !matches!(anchor, Anchor::MasterSigningKey(_));
    ensure(
        backup.version() == version && backup.grounds().iter().filter(|anchor| is_known(anchor)).count() == 2,
        &format!("version {version} is trusted by {:?} only", backup.grounds()),
    )?;
    stage
        .narrator
        .step("Bob", "makes a backup, signed by BOBPHONE: what the server shows of it is trusted")?;

    let msk = Secret::new(bobs.export(&bob.lists.own, Usage::Master)?)?.key()?;
    let msk = Ed25519SecretKey::from_seed(&msk);
    let shown = ServerBackup::parse(&bob.session.get(NEWEST_VERSION_PATH)?)?;
    let auth_data = shown.auth_data()?.sign_by_master_signing_key(&msk, msk.public_key(), user_id)?;
    bob.session.put(&version_path(&version), &shown.update(&auth_data)?)?;
    let backup = trusted(bob, &key, KeySource::Generated)?;
    ensure(backup.doubts().is_empty(), &format!("after the signature {:?} does not hold", backup.doubts()))?;
    stage.narrator.step("Bob", "adds a signature of his master signing key, which the server keeps")?;

    fill_and_read(stage.rng, bob, &backup, &key, room_id)?;
    stage.narrator.step("Bob", "stores 3 sessions, and decrypts what the server then has")?;

    bob.session.delete(Deletion::of_backup_by_user(&version).path())?;
    let is_gone =
        bob.session.get(NEWEST_VERSION_PATH).is_err_and(|error| error.to_string().contains("M_NOT_FOUND"));
    ensure(is_gone, "the backup is there although it was deleted")?;
    stage.narrator.step("Bob", "deletes the backup").map_err(Failure::from)
}

/// The newest backup, if there is a reason to trust it.
pub(crate) fn trusted(
    client: &Client,
    key: &BackupDecryptionKey,
    source: KeySource,
) -> Result<TrustedBackup, Failure> {
    let Client { session, lists, .. } = client;
    let device = lists.device(&session.user_id, &session.device_id)?;
    let anchors = TrustAnchors {
        user_id: UserId::parse(&session.user_id)?,
        master_signing_key: lists.own.verified_master_signing_key(),
        devices: &[(DeviceId::parse(&session.device_id)?, device.ed25519)],
        decryption_key: Some((key, source)),
    };
    Ok(ServerBackup::parse(&session.get(NEWEST_VERSION_PATH)?)?.trust(&anchors)?)
}

/// Stores new sessions, and restores them from what the server has then.
pub(crate) fn fill_and_read(
    rng: &mut dyn CryptoRng,
    client: &Client,
    backup: &TrustedBackup,
    key: &BackupDecryptionKey,
    room_id: RoomId<'_>,
) -> Result<Sessions, Failure> {
    let device = client.lists.device(&client.session.user_id, &client.session.device_id)?;
    let sender_key = device.curve25519.ok_or("the device has no Curve25519 key")?;
    let mut room_keys = Vec::new();
    for _ in 0..SESSIONS {
        let session = OutboundGroupSession::new(rng)?;
        let json = RoomKeyContent::new(room_id, session.session_key(), true).emit_to_vec();
        room_keys.push(RoomKey::first_hand(RoomKeyContent::parse(&json)?, sender_key, device.ed25519));
    }
    let batch = backup.batch(rng, &room_keys, SESSIONS)?.ok_or("there is nothing to be stored")?;
    let answer = client.session.put(&batch.path(), batch.body())?;
    match batch.outcome(200, answer.as_bytes()) {
        UploadOutcome::Stored(stored) => {
            let marked = room_keys
                .iter_mut()
                .filter_map(|room_key| stored.mark(backup.version(), room_key).then_some(()));
            ensure(marked.count() == SESSIONS, "not all sessions were stored")?;
        }
        other => return Err(format!("the server did not store the sessions: {other:?}").into()),
    }

    let answer = client.session.get(&keys_path(Keys::All, backup.version()))?;
    let mut answer = KeysAnswer::of_all(answer.as_bytes());
    let mut restored = Sessions::new();
    while let Some(entry) = answer.next_entry()? {
        let room_key = entry.decrypt(key)?.into_room_key();
        ensure(room_key.origin().provenance == Provenance::Backup, "a restored session does not say so")?;
        restored.insert((room_key.room_id().to_owned(), room_key.session_id().to_string()));
    }
    let stored = room_keys
        .iter()
        .map(|room_key| (room_key.room_id().to_owned(), room_key.session_id().to_string()))
        .collect();
    ensure(restored == stored, &format!("restored was {restored:?}, stored {stored:?}"))?;
    Ok(stored)
}

/// Lets the tool make a key file of what the server has, and list what is in it: that must be these sessions.
pub(crate) fn decrypt_with_tool(
    tool: &Tool,
    client: &Client,
    backup: &TrustedBackup,
    key: &BackupDecryptionKey,
    sessions: &Sessions,
) -> Result<(), Failure> {
    let version = tool.write("version.json", &client.session.get(NEWEST_VERSION_PATH)?)?;
    let keys = tool.write("room_keys.json", &client.session.get(&keys_path(Keys::All, backup.version()))?)?;
    let file = tool.path("keys.txt");
    let decrypt = ["backup", "decrypt", "--key-fd", "0", "--auth-data", &version];
    let into = ["--new-passphrase-fd", "0", "--rounds", "100000", &keys, &file];
    tool.run(&[&decrypt[..], &into].concat(), &format!("{}\n1234\n", &*key.to_key_representation()))?;

    let said = tool.run(&["--json", "keys", "list", "--passphrase-fd", "0", &file], "1234\n")?;
    let mut listed = Sessions::new();
    for line in said.lines() {
        let record: Value = serde_json::from_str(line)?;
        if let (Some(room_id), Some(session_id)) = (record["room_id"].as_str(), record["session_id"].as_str())
        {
            listed.insert((room_id.to_owned(), session_id.to_owned()));
        }
    }
    ensure(listed == *sessions, &format!("in the key file are {listed:?}, stored were {sessions:?}"))
}
