//! A homeserver in memory, as far as keys of identities go: it checks, merges and filters what is uploaded as Synapse does. Bodies
//! are read with ruma's types, signatures verified with vodozemac: none of that is ours.

use std::collections::BTreeMap;

use http::Method;
use ruma::api::{
    IncomingRequest,
    client::keys::{upload_signatures, upload_signing_keys},
};
use serde_json::{Map, Value, json};
use vodozemac::{Ed25519PublicKey, Ed25519Signature};

use super::objects::covered;
use crate::report::{Failure, expect, failure};

#[derive(Debug, Default)]
pub struct Homeserver {
    accounts: BTreeMap<String, Account>,
}

/// What a user has uploaded, with the signatures that came later.
#[derive(Debug, Default)]
struct Account {
    devices: BTreeMap<String, Value>,
    /// By the name of the member in the upload.
    signing_keys: BTreeMap<&'static str, Value>,
}

const ROLES: [&str; 3] = ["master_key", "self_signing_key", "user_signing_key"];

impl Homeserver {
    /// `device_keys` of `POST /keys/upload`.
    pub fn upload_device(&mut self, user_id: &str, device_keys: &str) -> Result<(), Failure> {
        let object: Value = serde_json::from_str(device_keys)?;
        let device_id = object["device_id"].as_str().ok_or("no device ID")?.to_owned();
        let key = named_key(&object, &device_id)?;
        expect(is_signed(&object, user_id, &device_id, &key)?, "a device has not signed itself")?;
        self.account(user_id).devices.insert(device_id, object);
        Ok(())
    }

    /// The user has logged out a device.
    pub fn remove_device(&mut self, user_id: &str, device_id: &str) {
        self.account(user_id).devices.remove(device_id);
    }

    /// `POST /keys/device_signing/upload`: an identity, or one key of it that was replaced.
    pub fn upload_signing_keys(&mut self, user_id: &str, body: &str) -> Result<(), Failure> {
        let request: upload_signing_keys::v3::Request = incoming(body)?;
        let account = self.account(user_id);
        let uploaded = [&request.master_key, &request.self_signing_key, &request.user_signing_key];
        for (role, key) in ROLES.into_iter().zip(uploaded) {
            let Some(key) = key else { continue };
            // Whether ruma takes it for one, too.
            let read = key.deserialize()?;
            expect(read.user_id == user_id && read.keys.len() == 1, "a cross-signing key of somebody else")?;
            let object: Value = serde_json::from_str(key.json().get())?;
            if role != "master_key" {
                let msk = only_key(account.signing_keys.get("master_key").ok_or("no master key")?)?;
                expect(is_signed(&object, user_id, &msk, &msk)?, "the master key has not signed a key")?;
            }
            account.signing_keys.insert(role, object);
        }
        Ok(())
    }

    /// `POST /keys/signatures/upload`: the body of the response.
    pub fn upload_signatures(&mut self, user_id: &str, body: &str) -> Result<String, Failure> {
        let request: upload_signatures::v3::Request = incoming(body)?;
        let mut failures: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        for (owner, objects) in &request.signed_keys {
            for (id, object) in objects.iter() {
                let object: Value = serde_json::from_str(object.get())?;
                if self.merge(user_id, owner.as_str(), id, &object).is_err() {
                    let refused = json!({ "errcode": "M_INVALID_SIGNATURE", "error": "Invalid signature" });
                    failures.entry(owner.to_string()).or_default().insert(id.to_owned(), refused);
                }
            }
        }
        Ok(json!({ "failures": failures }).to_string())
    }

    /// Takes the signatures on one object that its signer may make.
    fn merge(&mut self, signer: &str, owner: &str, id: &str, object: &Value) -> Result<(), Failure> {
        let of = |account: Option<&Account>, role: &str| {
            account.and_then(|account| account.signing_keys.get(role)).map(only_key).transpose()
        };
        let signing = self.accounts.get(signer);
        let (ssk, usk) = (of(signing, "self_signing_key")?, of(signing, "user_signing_key")?);
        let devices: BTreeMap<String, String> = signing
            .into_iter()
            .flat_map(|account| &account.devices)
            .map(|(device_id, object)| Ok((device_id.clone(), named_key(object, device_id)?)))
            .collect::<Result<_, Failure>>()?;

        let account = self.accounts.get_mut(owner).ok_or("no such user")?;
        let (stored, allowed): (&mut Value, BTreeMap<String, String>) = match account.devices.get_mut(id) {
            // An own device: the self-signing key.
            Some(device) if signer == owner => {
                (device, ssk.into_iter().map(|key| (key.clone(), key)).collect())
            }
            Some(_) => return failure("a signature on another user's device"),
            None => {
                let msk = account.signing_keys.get_mut("master_key").ok_or("no master key")?;
                expect(only_key(msk)? == id, "no such key")?;
                // Our own master key: our devices. Another user's: the user-signing key.
                let allowed = match signer == owner {
                    true => devices,
                    false => usk.into_iter().map(|key| (key.clone(), key)).collect(),
                };
                (msk, allowed)
            }
        };
        expect(covered(stored)? == covered(object)?, "another object than was uploaded")?;
        let mut taken = 0;
        for (key_id, signature) in object["signatures"][signer].as_object().ok_or("no signature")? {
            let id = key_id.strip_prefix("ed25519:").ok_or("another algorithm")?;
            let Some(key) = allowed.get(id) else { continue };
            expect(is_signed(object, signer, id, key)?, "an invalid signature")?;
            stored["signatures"][signer][key_id] = signature.clone();
            taken += 1;
        }
        expect(taken > 0, "no signature that may be there")
    }

    /// The response to `POST /keys/query` of a user, about these users.
    pub fn query(&self, asker: &str, users: &[&str]) -> String {
        let mut answer = BTreeMap::from([
            ("device_keys", Map::new()),
            ("failures", Map::new()),
            ("master_keys", Map::new()),
            ("self_signing_keys", Map::new()),
            ("user_signing_keys", Map::new()),
        ]);
        let mut add = |member: &'static str, user_id: &str, value: Value| {
            answer.entry(member).or_default().insert(user_id.to_owned(), value);
        };
        for user_id in users {
            let Some(account) = self.accounts.get(*user_id) else { continue };
            add("device_keys", user_id, json!(account.devices));
            for (role, member) in
                ROLES.into_iter().zip(["master_keys", "self_signing_keys", "user_signing_keys"])
            {
                let Some(mut object) = account.signing_keys.get(role).cloned() else { continue };
                if role == "user_signing_key" && asker != *user_id {
                    continue;
                }
                // Whom somebody has verified is for nobody else to see.
                if let Some(signatures) = object.get_mut("signatures").and_then(Value::as_object_mut) {
                    signatures.retain(|signer, _| signer == user_id || signer == asker);
                }
                add(member, user_id, object);
            }
        }
        json!(answer).to_string()
    }

    fn account(&mut self, user_id: &str) -> &mut Account {
        self.accounts.entry(user_id.to_owned()).or_default()
    }
}

/// The body of a request, as a homeserver that is written with ruma reads it.
fn incoming<R: IncomingRequest>(body: &str) -> Result<R, Failure> {
    let request =
        http::Request::builder().method(Method::POST).uri("https://example.org/").body(body.as_bytes())?;
    Ok(R::try_from_http_request::<_, &str>(request, &[])?)
}

/// The Ed25519 key that an object has for an ID.
fn named_key(object: &Value, id: &str) -> Result<String, Failure> {
    let key = object["keys"][format!("ed25519:{id}")].as_str();
    Ok(key.ok_or("no Ed25519 key")?.to_owned())
}

/// The key of a cross-signing key object.
fn only_key(object: &Value) -> Result<String, Failure> {
    let mut keys = object["keys"].as_object().into_iter().flatten();
    let (_, key) = keys.next().ok_or("no key")?;
    expect(keys.next().is_none(), "several keys")?;
    Ok(key.as_str().ok_or("no key")?.to_owned())
}

fn is_signed(object: &Value, user_id: &str, id: &str, key: &str) -> Result<bool, Failure> {
    let Some(signature) = object["signatures"][user_id][format!("ed25519:{id}")].as_str() else {
        return Ok(false);
    };
    let (key, signature) = (Ed25519PublicKey::from_base64(key)?, Ed25519Signature::from_base64(signature)?);
    Ok(key.verify(covered(object)?.as_bytes(), &signature).is_ok())
}
