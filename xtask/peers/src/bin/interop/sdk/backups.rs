//! Key backups: what their machine uploads, ours for their machine, and who signed `auth_data`.

use std::collections::BTreeMap;

use matrix_sdk_crypto::{
    DecryptionSettings, OlmMachine, TrustRequirement,
    backups::SignatureState,
    olm::ExportedRoomKey,
    store::types::BackupDecryptionKey as TheirKey,
    types::{RoomKeyBackupInfo, requests::KeysBackupRequest},
};
use mx_curve25519::Ed25519SecretKey;
use mx_key_backup::{
    Anchor, AuthData, BackupDecryptionKey, KeyBackupData, KeySource, KeysAnswer, NewBackup, ServerBackup,
    TrustAnchors, UploadOutcome,
};
use mx_megolm::OutboundGroupSession;
use mx_room_key::{Provenance, RoomKey, RoomKeyContent};
use mx_types::{
    Curve25519PublicKey, DeviceId, Ed25519PublicKey, RoomId, SessionId, UserId,
    base64::{decode_secret, encode_to_string},
};
use rand_chacha::ChaCha20Rng;
use ruma::api::client::backup::{EncryptedSessionData as TheirSessionData, add_backup_keys};
use serde_json::{Value, json};

use super::{
    block_on,
    differences::Differences,
    room::{ROOM_ID, Room, USER_ID, decrypt, event, machine},
    room_keys::{SENDER_KEY, random_session_data},
};
use crate::{
    backups::{answer, random_key, trusted},
    differences::Verdict,
    report::{Failure, Outcome, Report, expect},
};

const VERSION: &str = "7";

/// Their machine uploads the sessions of its room for our key; what it uploads we restore, and read its events with that.
pub fn to_us(rng: &mut ChaCha20Rng) -> Outcome {
    let room = Room::encrypted_by_them(800)?;
    let key = random_key(rng);
    let theirs = TheirKey::from_bytes(key.as_bytes()).megolm_v1_public_key();
    expect(theirs.to_base64() == key.public_key().to_string(), "another public key")?;
    theirs.set_version(VERSION.to_owned());
    let backup = room.machine.backup_machine();
    block_on(backup.enable_backup_v1(theirs))?;

    let exported: BTreeMap<_, _> =
        room.keys()?.into_iter().map(|key| (key.session_id.clone(), key.session_key.to_bytes())).collect();
    let (mut sessions, mut requests) = (Vec::new(), 0);
    while let Some((id, KeysBackupRequest { version, rooms, .. })) = block_on(backup.backup())? {
        expect(version == VERSION, "another version")?;
        let body = json!({ "rooms": rooms }).to_string();
        let mut answer = KeysAnswer::of_all(body.as_bytes());
        while let Some(entry) = answer.next_entry()? {
            let data: KeyBackupData = entry.data()?;
            let session = entry.decrypt(&key)?;
            expect(entry.room_id() == ROOM_ID, "another room")?;
            let session_key = &session.data().session_key;
            expect(
                exported.get(session.data().session_id().as_str()).map(Vec::as_slice)
                    == Some(session_key.as_bytes()),
                "another session key",
            )?;
            expect(data.first_message_index == u64::from(session_key.first_known_index()), "another index")?;
            sessions.push(session.into_room_key());
        }
        let response = add_backup_keys::v3::Response::new(format!("{requests}"), 0_u32.into());
        block_on(room.machine.mark_request_as_sent(&id, &response))?;
        requests += 1;
    }
    expect(sessions.len() == exported.len(), "not all sessions")?;
    expect(sessions.iter().all(|key| key.origin().provenance == Provenance::Backup), "not of a backup")?;
    for (event, body) in room.events.iter().zip(&room.bodies) {
        expect(decrypt(&mut sessions, event)?["content"]["body"] == body.as_str(), "another body")?;
    }
    Ok(format!("{} sessions in {requests} requests, {} events", sessions.len(), room.events.len()))
}

/// We upload sessions; their key decrypts them, their machine imports them and reads our events.
pub fn to_them(rng: &mut ChaCha20Rng) -> Outcome {
    const SESSIONS: usize = 130;
    let (key, machine) = (random_key(rng), machine()?);
    let room_id = RoomId::parse(ROOM_ID)?;
    let (mut room_keys, mut events) = (Vec::new(), Vec::new());
    for _ in 0..SESSIONS {
        let mut outbound = OutboundGroupSession::new(rng)?;
        let json = RoomKeyContent::new(room_id, outbound.session_key(), true).emit_to_vec();
        let sender_key = Curve25519PublicKey::from_base64(SENDER_KEY)?;
        let claimed = Ed25519SecretKey::from_seed(&[3; 32]).public_key();
        room_keys.push(RoomKey::first_hand(RoomKeyContent::parse(&json)?, sender_key, claimed));
        let plaintext = json!({
            "type": "m.room.message",
            "room_id": ROOM_ID,
            "content": { "msgtype": "m.text", "body": format!("message {}", events.len()) },
        });
        let (message, _) = outbound.encrypt_to_vec(plaintext.to_string().as_bytes())?;
        let content = json!({
            "algorithm": "m.megolm.v1.aes-sha2",
            "ciphertext": encode_to_string(&message),
            "session_id": outbound.session_id().to_string(),
            "sender_key": SENDER_KEY,
            "device_id": "OURDEVICE",
        });
        events.push(event(events.len(), content));
    }

    let (backup, theirs) = (trusted(&key)?, TheirKey::from_bytes(key.as_bytes()));
    let mut requests = 0;
    while let Some(batch) = backup.batch(rng, &room_keys, 100)? {
        let body: Value = serde_json::from_str(batch.body())?;
        let sessions = body["rooms"][ROOM_ID]["sessions"].as_object().ok_or("no sessions")?;
        let mut keys = Vec::new();
        for (session_id, entry) in sessions {
            let data: ruma::api::client::backup::KeyBackupData = serde_json::from_value(entry.clone())?;
            let room_key = theirs.decrypt_session_data(data.session_data)?;
            let room_id = ruma::RoomId::parse(ROOM_ID)?;
            keys.push(ExportedRoomKey::from_backed_up_room_key(room_id, session_id.clone(), room_key));
        }
        let imported = block_on(machine.store().import_room_keys(keys, Some(VERSION), |_, _| ()))?;
        expect(imported.imported_count == batch.len(), "they did not import every session")?;
        let UploadOutcome::Stored(stored) = batch.outcome(200, br#"{"etag":"1","count":1}"#) else {
            return Err("not stored".into());
        };
        for room_key in &mut room_keys {
            stored.mark(VERSION, room_key);
        }
        requests += 1;
    }
    let settings = DecryptionSettings { sender_device_trust_requirement: TrustRequirement::Untrusted };
    let room_id = ruma::RoomId::parse(ROOM_ID)?;
    for (number, event) in events.iter().enumerate() {
        let event = serde_json::from_value(event.clone())?;
        let decrypted = block_on(machine.decrypt_room_event(&event, &room_id, &settings))?;
        let plaintext: Value = serde_json::from_str(decrypted.event.json().get())?;
        expect(plaintext["content"]["body"] == format!("message {number}"), "another body")?;
    }
    Ok(format!("{SESSIONS} sessions in {requests} requests, {} events", events.len()))
}

/// Their machine with an identity, and the seed of its master signing key.
fn machine_with_identity() -> Result<(OlmMachine, Ed25519SecretKey), Failure> {
    let machine = machine()?;
    block_on(machine.bootstrap_cross_signing(false))?;
    let keys = block_on(machine.export_cross_signing_keys())?.ok_or("no identity")?;
    let mut seed = [0; 32];
    decode_secret(&keys.master_key.clone().ok_or("no master signing key")?, &mut seed)?;
    Ok((machine, Ed25519SecretKey::from_seed(&seed)))
}

/// Their machine signs `auth_data`, with its identity and its device; we judge it.
pub fn signed_by_them(rng: &mut ChaCha20Rng) -> Outcome {
    let (machine, msk) = machine_with_identity()?;
    let device = Ed25519PublicKey::from_base64(&machine.identity_keys().ed25519.to_base64())?;
    let devices = [(DeviceId::parse("THEIRDEVICE")?, device)];
    let key = random_key(rng);
    let mut info = TheirKey::from_bytes(key.as_bytes()).to_backup_info();
    block_on(machine.backup_machine().sign_backup(&mut info))?;
    let info = serde_json::to_value(&info)?;
    let backup = |auth_data: &Value| ServerBackup::parse(&answer(&auth_data.to_string()));

    let nothing = TrustAnchors {
        user_id: UserId::parse(USER_ID)?,
        master_signing_key: None,
        devices: &[],
        decryption_key: None,
    };
    let by_identity = TrustAnchors { master_signing_key: Some(msk.public_key()), ..nothing };
    let by_device = TrustAnchors { devices: &devices, ..nothing };
    let by_key = TrustAnchors { decryption_key: Some((&key, KeySource::SecretStorage)), ..nothing };
    let mut changed = info["auth_data"].clone();
    changed["more"] = json!(1);
    let mut exchanged = info["auth_data"].clone();
    exchanged["public_key"] = random_key(rng).public_key().to_string().into();
    for (anchors, ground) in [
        (by_identity, Anchor::MasterSigningKey(msk.public_key())),
        (by_device, Anchor::Device { device_id: "THEIRDEVICE".into(), key: device }),
    ] {
        let trusted = backup(&info["auth_data"])?.trust(&anchors)?;
        expect(trusted.grounds() == [ground], "other grounds")?;
        expect(backup(&changed)?.trust(&anchors).is_err(), "trusted with a member that is not signed")?;
        expect(backup(&exchanged)?.trust(&anchors).is_err(), "trusted with another key")?;
    }
    expect(backup(&info["auth_data"])?.trust(&by_key).is_ok(), "not trusted by its key")?;
    expect(backup(&exchanged)?.trust(&by_key).is_err(), "trusted by another key")?;
    expect(backup(&info["auth_data"])?.trust(&nothing).is_err(), "trusted by nothing")?;
    Ok("by identity, device and key; three that are wrong".into())
}

/// We sign `auth_data`; their machine judges it.
pub fn signed_by_us(rng: &mut ChaCha20Rng) -> Outcome {
    let (machine, msk) = machine_with_identity()?;
    let (user_id, key) = (UserId::parse(USER_ID)?, random_key(rng));
    let judge = |auth_data: &AuthData| -> Result<SignatureState, Failure> {
        let info: RoomKeyBackupInfo = serde_json::from_str(&NewBackup::new(auth_data.clone()).body())?;
        expect(TheirKey::from_bytes(key.as_bytes()).backup_key_matches(&info), "another key to them")?;
        let verification = block_on(machine.backup_machine().verify_backup(info, true))?;
        let state = verification.user_identity_signature;
        expect(verification.trusted() == state.trusted(), "trusted by something else")?;
        Ok(state)
    };
    let unsigned = AuthData::new(key.public_key());
    expect(judge(&unsigned)? == SignatureState::Missing, "unsigned, and not missing to them")?;
    let signed = unsigned.sign_by_master_signing_key(&msk, msk.public_key(), user_id)?;
    expect(judge(&signed)? == SignatureState::ValidAndTrusted, "not valid to them")?;
    let with_more = format!("{{\"public_key\":\"{}\",\"org.example.more\":[1]}}", key.public_key());
    let with_more = AuthData::parse(&with_more)?;
    let with_more = with_more.sign_by_master_signing_key(&msk, msk.public_key(), user_id)?;
    expect(judge(&with_more)? == SignatureState::ValidAndTrusted, "not valid to them with a member more")?;
    let foreign = Ed25519SecretKey::from_seed(&[5; 32]);
    let forged = unsigned.sign_by_master_signing_key(&foreign, msk.public_key(), user_id)?;
    expect(judge(&forged)? == SignatureState::Invalid, "a forged one is not invalid to them")?;
    Ok("by the identity; unsigned, with unknown members, forged".into())
}

/// Each form of a key, theirs and ours.
pub fn keys(rng: &mut ChaCha20Rng) -> Outcome {
    const COUNT: usize = 200;
    for _ in 0..COUNT {
        let key = random_key(rng);
        let theirs = TheirKey::from_bytes(key.as_bytes());
        let from_theirs = BackupDecryptionKey::from_key_representation(&theirs.to_base58())?;
        expect(from_theirs.as_bytes() == key.as_bytes(), "another key out of their base 58")?;
        let (from_theirs, _) = BackupDecryptionKey::from_secret(&theirs.to_base64())?;
        expect(from_theirs.as_bytes() == key.as_bytes(), "another key out of their Base64")?;
        let to_theirs = TheirKey::from_base58(&key.to_key_representation())?;
        expect(to_theirs.as_bytes() == key.as_bytes(), "another key out of our representation")?;
        let to_theirs = TheirKey::from_base64(&key.to_base64())?;
        expect(to_theirs.as_bytes() == key.as_bytes(), "another key out of our Base64")?;
    }
    Ok(format!("{COUNT} keys"))
}

/// Entries and keys at the edge of the specification.
pub fn differences(d: &mut Differences, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    let key = random_key(rng);
    let backup = trusted(&key)?;
    let data = random_session_data(rng)?.session;
    let session_id = data.session_id().to_string();
    let entry = |plaintext: &[u8], rng: &mut ChaCha20Rng| -> Result<Value, Failure> {
        Ok(serde_json::from_str(&backup.encrypt_bytes(rng, plaintext)?.emit())?)
    };
    let good = entry(&data.emit_to_vec(), rng)?;
    let mut unknown: Value = serde_json::from_slice(&data.emit_to_vec())?;
    unknown["algorithm"] = "org.example.v2".into();
    let with_mac = |mac: &str| {
        let mut changed = good.clone();
        changed["mac"] = mac.into();
        changed
    };
    let short = good["mac"].as_str().ok_or("a MAC")?[..6].to_owned();
    let other = random_session_data(rng)?.session.session_id().to_string();
    let cases = [
        ("BAK-16", "an entry of a backup with a MAC of four bytes", false, with_mac(&short), &session_id),
        ("BAK-18", "an entry of a backup under the ID of another session", false, good.clone(), &other),
        (
            "BAK-18",
            "an entry of a backup, of an unknown algorithm",
            false,
            entry(unknown.to_string().as_bytes(), rng)?,
            &session_id,
        ),
        (
            "BAK-19",
            "an entry of a backup whose plaintext is no JSON",
            false,
            entry(b"nonsense", rng)?,
            &session_id,
        ),
    ];
    for (requirement, name, accepted, entry, session_id) in cases {
        let text = json!({ "session_data": entry }).to_string();
        d.case(
            report,
            (requirement, name),
            accepted,
            &|| {
                let place = (RoomId::parse(ROOM_ID)?, SessionId::parse(session_id)?);
                let mut answer = KeysAnswer::of_session(text.as_bytes(), place.0, place.1);
                let entry = answer.next_entry()?.ok_or("no entry")?;
                Ok(entry.decrypt(&key).map(drop)?)
            },
            &|| {
                // As far as their machine goes: the import says how many sessions it took.
                let data: TheirSessionData = serde_json::from_value(entry.clone())?;
                let room_key = TheirKey::from_bytes(key.as_bytes()).decrypt_session_data(data)?;
                let room_id = ruma::RoomId::parse(ROOM_ID)?;
                let room_key =
                    ExportedRoomKey::from_backed_up_room_key(room_id, session_id.clone(), room_key);
                let machine = machine()?;
                let imported = block_on(machine.store().import_room_keys(vec![room_key], None, |_, _| ()))?;
                expect(imported.imported_count == 1, "not imported")
            },
        );
    }

    let shown = key.to_key_representation();
    let digits = shown.replace(' ', "");
    // 35 bytes and one more: as many digits and one or two.
    let mut longer = vec![0x8b, 0x01];
    longer.extend_from_slice(key.as_bytes());
    longer.push(longer.iter().fold(0, |parity, byte| parity ^ byte));
    longer.push(0);
    let base64 = key.to_base64();
    let decimal = key.as_bytes().map(|byte| byte.to_string()).join(",");
    let keys: [(&str, &str, bool, String, bool); 6] = [
        (
            "REC-3",
            "the key of a backup, typed in with tabs and line breaks",
            true,
            shown.replace(' ', "\t\n"),
            true,
        ),
        ("REC-4", "the key of a backup, typed in with a byte more", false, base58(&longer), true),
        ("REC-3", "the key of a backup, typed in with a 1 before it", false, format!("1{digits}"), true),
        ("BAK-5", "the key of a backup as a secret in padded Base64", true, format!("{}=", *base64), false),
        ("BAK-5", "the key of a backup as a secret in decimal numbers", true, decimal, false),
        (
            "BAK-5",
            "the key of a backup as a secret of 31 bytes",
            false,
            encode_to_string(&key.as_bytes()[..31]),
            false,
        ),
    ];
    for (requirement, name, accepted, text, is_shown) in keys {
        d.case(
            report,
            (requirement, name),
            accepted,
            &|| {
                if is_shown {
                    return Ok(BackupDecryptionKey::from_key_representation(&text).map(drop)?);
                }
                Ok(BackupDecryptionKey::from_secret(&text).map(drop)?)
            },
            &|| {
                if is_shown {
                    return Ok(TheirKey::from_base58(&text).map(drop)?);
                }
                Ok(TheirKey::from_base64(&text).map(drop)?)
            },
        );
    }
    Ok(())
}

/// Any bytes that do not begin with a zero.
fn base58(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let (mut number, mut digits) = (bytes.to_vec(), Vec::new());
    while number.iter().any(|byte| *byte != 0) {
        let mut remainder = 0;
        for byte in &mut number {
            let dividend = remainder * 256 + u32::from(*byte);
            *byte = u8::try_from(dividend / 58).unwrap_or_default();
            remainder = dividend % 58;
        }
        digits.push(char::from(ALPHABET[remainder as usize]));
    }
    digits.iter().rev().collect()
}
