//! docs/vectors against our crates: what we hand to other implementations, we pass ourselves.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::unwrap_used,
    reason = "a test may fail, and has an operating system"
)]

mod support;

use core::convert::Infallible;
use std::{collections::BTreeSet, fs, path::PathBuf};

use mx_attachment::AttachmentInfo;
use mx_canonical_json::{Limits, canonicalize};
use mx_curve25519::Curve25519SecretKey;
use mx_key_backup::{BackupDecryptionKey, EncryptedSessionData};
use mx_key_export::{KeyExport, MAX_ROUNDS};
use mx_megolm::{InboundGroupSession, SessionKey};
use mx_olm::{InboundSession, OneTimeKeys, PreKeyMessage, Session};
use mx_qr_code::{CodeError, QrCode};
use mx_sas::{Accepter, Choice, Commitment, Emoji, Flow, MacMethod, OwnKeys, Party, ShortStrings, Starter};
use mx_secret_storage::{KeyCheck, KeyDescription, MAX_ITERATIONS, SecretStorageKey, StoredSecret};
use mx_types::{
    DeviceId, Ed25519PublicKey, UserId,
    base64::{TrailingBits, decode_to_vec, encode_to_string},
};
use rand_core::{TryCryptoRng, TryRng};
use serde_json::{Value, json};
use support::run_with;

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "vectors"].iter().collect()
}

/// The vectors of a file, each of which has a name of its own and somebody who confirms it.
fn vectors(name: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(&fs::read_to_string(folder().join(name)).unwrap()).unwrap();
    assert!(file["about"].is_string() && file["specification"].is_string());
    let Value::Array(vectors) = file["vectors"].take() else { panic!("{name} has no vectors") };
    let names: BTreeSet<_> = vectors.iter().map(|vector| vector["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), vectors.len());
    for vector in &vectors {
        let confirmed = vector["confirmed_by"].as_array().unwrap();
        assert!(!confirmed.is_empty() && !vector["confirmed_by"].to_string().contains("mx-"), "{vector}");
    }
    vectors
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap_or_else(|| panic!("no {name} in {vector}"))
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn base64(text: &str) -> Vec<u8> {
    decode_to_vec(text, TrailingBits::Ignored).unwrap()
}

/// Gives the bytes of a script.
struct Script(Vec<u8>);

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Script {}

#[test]
fn every_file_has_a_test_here() {
    let mut names: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name != "README.md");
    names.sort();
    let here = include_str!("vectors.rs");
    assert_eq!(names.len(), 9);
    assert!(names.iter().all(|name| here.contains(&format!("vectors(\"{name}\")"))), "{names:?}");
}

// JSON-1
#[test]
fn canonical_json() {
    for vector in vectors("canonical-json.json") {
        let made = canonicalize(text(&vector, "input"), &Limits::DEFAULT);
        match vector["output"].as_str() {
            Some(output) => assert_eq!(made.as_deref(), Ok(output), "{vector}"),
            None => assert!(made.is_err() && vector["refused"].is_string(), "{vector}"),
        }
    }
}

// ATT-40, ATT-41
#[test]
fn attachments() {
    for vector in vectors("attachments.json") {
        let (key, hash) = (text(&vector["key"], "k"), text(&vector["hashes"], "sha256"));
        let info = AttachmentInfo::from_base64(key, text(&vector, "iv"), hash).unwrap();
        let mut bytes = hex(text(&vector, "ciphertext_hex"));
        assert_eq!(info.decrypt_in_place(&mut bytes).unwrap(), text(&vector, "plaintext").as_bytes());
    }
}

// EXP-40, EXP-44
#[test]
fn key_exports() {
    for vector in vectors("key-exports.json") {
        let body = text(&vector, "body");
        let file = format!("-----BEGIN MEGOLM SESSION DATA-----\n{body}\n-----END MEGOLM SESSION DATA-----");
        let mut file = KeyExport::from_slice(file.as_bytes()).unwrap();
        let keys = file.derive(text(&vector, "passphrase"), MAX_ROUNDS).unwrap().finish();
        assert_eq!(file.plaintext_to_vec(&keys).unwrap().as_slice(), text(&vector, "plaintext").as_bytes());
    }
}

// SSS-50, SSS-54
#[test]
fn secret_storage() {
    for vector in vectors("secret-storage.json") {
        let key =
            vector["recovery_key"].as_str().map(|key| SecretStorageKey::from_representation(key).unwrap());
        if vector["description"].is_object() {
            let description = KeyDescription::parse(&vector["description"].to_string()).unwrap();
            if let Some(key) = &key {
                assert_eq!(description.check(key), KeyCheck::Valid, "{vector}");
            }
            if let Some(passphrase) = vector["passphrase"].as_str() {
                let unlocked = description.unlock(passphrase, MAX_ITERATIONS).unwrap().finish().unwrap();
                assert_eq!(unlocked.check, KeyCheck::Valid);
            }
        }
        if vector["secret"].is_object() {
            let secret = &vector["secret"];
            let content = json!({ "encrypted": { "id": secret["encrypted"] } }).to_string();
            let stored = StoredSecret::parse(text(secret, "name"), &content).unwrap();
            let decrypted = stored.decrypt("id", &key.unwrap()).unwrap();
            let decrypted = decrypted.validate(|secret| Ok::<_, ()>(secret.as_str().to_owned()));
            assert_eq!(decrypted.as_deref(), Ok(text(secret, "plaintext")));
        }
    }
}

// BAK-50, BAK-51, BAK-52
#[test]
fn key_backup() {
    for vector in vectors("key-backup.json") {
        let (key, _) = BackupDecryptionKey::from_secret(text(&vector, "private_key")).unwrap();
        assert_eq!(key.public_key().to_string(), text(&vector, "public_key"));
        let data = EncryptedSessionData::parse(vector["session_data"].to_string().as_bytes()).unwrap();
        assert_eq!(key.decrypt_bytes(&data).unwrap().as_slice(), text(&vector, "plaintext").as_bytes());
    }
}

// OLM-40, OLM-41
#[test]
fn olm() {
    for vector in vectors("olm.json") {
        let input = |name: &str| hex(text(&vector["inputs"], name));
        let secret = |name: &str| Curve25519SecretKey::from_secret_bytes(&input(name).try_into().unwrap());
        let (alice, bob) = (secret("alice_identity_priv"), secret("bob_identity_priv"));
        let mut bobs_keys = OneTimeKeys::<100>::new();
        let _ = bobs_keys.generate(&mut Script(input("bob_one_time_priv"))).unwrap();
        let script = [input("alice_base_priv"), input("alice_ratchet_priv")].concat();
        let one_time = bobs_keys.unpublished().next().unwrap().key;
        let mut session: Session =
            Session::outbound(&mut Script(script), &alice, &bob.public_key(), &one_time).unwrap();
        assert_eq!(session.keys().session_id().to_string(), text(&vector, "session_id"));
        for (plaintext, name) in
            [("Hello", "prekey_msg_0_plaintext_Hello"), ("", "prekey_msg_1_plaintext_empty")]
        {
            let mut out = [0; 300];
            let message = session.encrypt(&mut Script(Vec::new()), plaintext.as_bytes(), &mut out).unwrap();
            assert_eq!(encode_to_string(message.bytes), text(&vector, name));
        }
        let first = base64(text(&vector, "prekey_msg_0_plaintext_Hello"));
        let first = PreKeyMessage::parse(&first).unwrap();
        let mut out = [0; 64];
        let InboundSession { session: mut bobs, plaintext, .. } =
            bobs_keys.inbound_session::<200>(&bob, &alice.public_key(), &first, &mut out).unwrap();
        assert_eq!(plaintext, b"Hello");
        let mut out = [0; 300];
        let reply = bobs.encrypt(&mut Script(input("bob_ratchet_priv")), b"World", &mut out).unwrap();
        assert_eq!(encode_to_string(reply.bytes), text(&vector, "bob_reply_plaintext_World"));
    }
}

// MEG-31
#[test]
fn megolm() {
    for vector in vectors("megolm.json") {
        // The ratchet alone is the business of mx-megolm's own tests.
        let Some(key) = vector["session_key"].as_str() else { continue };
        let mut session = InboundGroupSession::new(&SessionKey::from_base64(key).unwrap());
        assert_eq!(session.session_id().to_string(), text(&vector, "session_id"));
        let mut out = [0; 64];
        if let Some(changed) = vector["message_last_signature_byte_changed"].as_str() {
            assert!(session.decrypt(&base64(changed), &mut out).is_err());
        }
        let message = base64(text(&vector, "message"));
        let decrypted = session.decrypt(&message, &mut out).unwrap();
        assert_eq!(decrypted.plaintext, text(&vector, "plaintext").as_bytes());
        assert_eq!(decrypted.message_index, 0);
    }
}

// QR-11, QR-14
#[test]
fn qr_codes() {
    for vector in vectors("qr-codes.json") {
        let code = text(&vector, "bytes_hex");
        let parsed = hex(code);
        let parsed = QrCode::parse(&parsed);
        if let Some(reason) = vector["refused"].as_str() {
            let expected = match parsed.unwrap_err() {
                CodeError::NotMatrix => "magic",
                CodeError::Version { .. } => "version",
                CodeError::Mode { .. } => "mode",
                CodeError::Truncated => "truncated",
                CodeError::Secret(_) => "secret",
                other => panic!("{other:?}"),
            };
            assert_eq!(reason, expected);
            continue;
        }
        assert!(parsed.is_ok(), "{vector}");
        let said = run_with(["qr", "read", "--json", "--secret"], code.as_bytes()).assert_code(0).lines();
        for name in ["mode", "flow_id", "key1", "key2", "secret"] {
            assert_eq!(said[0][name], vector[name], "{name} of {vector}");
        }
    }
}

// SAS-13, SAS-20, SAS-22, SAS-23, SAS-24, SAS-30, SAS-31, SAS-32, SAS-33
#[test]
fn sas() {
    let mut flows = 0;
    for vector in vectors("sas.json") {
        if vector["flow_id"].is_string() {
            flows += 1;
            by_the_states(&vector);
            by_the_tool(&vector);
        } else if vector["commitment"].is_string() {
            let canonical = canonicalize(&vector["start"].to_string(), &Limits::DEFAULT).unwrap();
            assert_eq!(canonical, text(&vector, "start_canonical"));
            let key =
                mx_types::Curve25519PublicKey::from_base64(text(&vector, "accepter_public_key")).unwrap();
            let commitment = mx_sas::hazmat::commitment(&key, canonical.as_bytes());
            assert_eq!(commitment.to_base64(&mut [0; Commitment::BASE64_LEN]), text(&vector, "commitment"));
        }
        // Short strings from bytes alone and the spelling of a MAC alone: mx-sas's own tests.
    }
    assert_eq!(flows, 20);
}

fn keys_of(vector: &Value, by: &str) -> Vec<(String, String)> {
    let macs =
        vector["macs"].as_array().unwrap().iter().filter(|mac| mac["by"] == by && mac["key_id"] != "KEY_IDS");
    macs.map(|mac| (text(mac, "key_id").to_owned(), text(mac, "text").to_owned())).collect()
}

/// A whole flow through the states, in both spellings of MACs.
fn by_the_states(vector: &Value) {
    for method in [MacMethod::HkdfHmacSha256V2, MacMethod::HkdfHmacSha256] {
        let [starter, accepter] = ["starter", "accepter"].map(|side| &vector[side]);
        let party = |side| Party {
            user_id: UserId::parse(text(side, "user_id")).unwrap(),
            device_id: DeviceId::parse(text(side, "device_id")).unwrap(),
        };
        let flow = Flow::new(text(vector, "flow_id"), party(starter), party(accepter)).unwrap();
        let start = text(vector, "start_canonical").as_bytes();
        let choice = Choice { mac: method, short_strings: ShortStrings::ALL };
        let rng = |side| Script(hex(text(side, "private_key")));
        let at_accepter = Accepter::new(&mut rng(accepter), flow, choice, start).unwrap();
        let commitment = at_accepter.commitment();
        assert_eq!(commitment.to_base64(&mut [0; Commitment::BASE64_LEN]), text(vector, "commitment"));
        let at_starter = Starter::new(&mut rng(starter), flow).unwrap().receive_accept(choice, commitment);
        assert_eq!(at_starter.public_key().to_string(), text(starter, "public_key"));
        let (key, at_accepter) = at_accepter.receive_key(text(starter, "public_key")).unwrap();
        assert_eq!(key.to_string(), text(accepter, "public_key"));
        let at_starter = at_starter.receive_key(text(accepter, "public_key"), start).unwrap();
        for (compare, by) in [(at_starter, "starter"), (at_accepter, "accepter")] {
            assert_eq!(json!(compare.decimal().unwrap()), vector["decimal"]);
            assert_eq!(json!(compare.emoji().unwrap().map(Emoji::index)), vector["emoji"]);
            let device_id = format!("ed25519:{}", text(&vector[by], "device_id"));
            let key = |of_device: bool| {
                let keys = keys_of(vector, by);
                let found = keys.into_iter().find(|(id, _)| (*id == device_id) == of_device).unwrap();
                Ed25519PublicKey::from_base64(&found.1).unwrap()
            };
            let own = OwnKeys { device: key(true), master_signing_key: Some(key(false)) };
            let macs = compare.confirm().macs(&own);
            let (master_id, master) = macs.master_signing_key.unwrap();
            let expected = |key_id: &str| {
                let mut macs = vector["macs"].as_array().unwrap().iter();
                let mac = macs.find(|mac| mac["by"] == by && mac["key_id"] == key_id).unwrap();
                text(mac, method.as_str()).to_owned()
            };
            assert_eq!(macs.device.as_str(), expected(&device_id));
            assert_eq!(master.as_str(), expected(&format!("ed25519:{}", master_id.as_str())));
            assert_eq!(macs.keys.as_str(), expected("KEY_IDS"));
        }
    }
}

/// The same as a transcript for `mx-e2ee sas`: every value that it prints is the one in the vector.
fn by_the_tool(vector: &Value) {
    let side = |name: &str, private: bool| {
        let keys: serde_json::Map<_, _> =
            keys_of(vector, name).into_iter().map(|(id, key)| (id, key.into())).collect();
        let mut side = json!({ "user_id": vector[name]["user_id"], "device_id": vector[name]["device_id"],
            "public_key": vector[name]["public_key"], "keys": keys });
        if private {
            side["private_key"] = vector[name]["private_key"].clone();
        }
        side
    };
    let document = json!({ "flow_id": vector["flow_id"], "starter": side("starter", true), "accepter": side("accepter", false),
        "messages": [{ "type": "m.key.verification.start", "content": vector["start"] }] });
    let said = run_with(["sas", "--json"], document.to_string().as_bytes()).assert_code(0).lines();
    let what = |what: &str| said.iter().filter(|line| line["what"] == what).cloned().collect::<Vec<_>>();
    assert_eq!(what("commitment")[0]["value"], vector["commitment"]);
    assert_eq!(what("commitment")[0]["start"], vector["start_canonical"]);
    let string = &what("short string")[0];
    assert_eq!(string["derived_from"], vector["short_string_info"]);
    assert_eq!(string["bytes"], vector["short_string"]);
    assert_eq!(string["emoji_indices"], vector["emoji"]);
    let macs = what("mac");
    assert_eq!(macs.len(), vector["macs"].as_array().unwrap().len());
    for mac in vector["macs"].as_array().unwrap() {
        let said =
            macs.iter().find(|said| said["by"] == mac["by"] && said["key_id"] == mac["key_id"]).unwrap();
        assert_eq!((&said["of"], &said["derived_from"]), (&mac["text"], &mac["info"]));
        for method in ["hkdf-hmac-sha256.v2", "hkdf-hmac-sha256"] {
            assert_eq!(said[method], mac[method]);
        }
    }
}
