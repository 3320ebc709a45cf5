//! Users, devices and a server for the tests: objects are put together as JSON and signed here, not by the crate.

#![allow(
    dead_code,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may fail, and not each uses all of it"
)]

use mx_canonical_json::{Limits, canonicalize};
use mx_cross_signing::{
    Device, DeviceTrust, Identities, Identity, KeySource as _, KeyStorage, MasterSigningKey, OwnIdentity,
    SecretSource, SigningKeys, Subject, Update, Usage, UserIdentity, UserState,
};
use mx_curve25519::{Curve25519SecretKey, Ed25519PublicKey, Ed25519SecretKey};
use mx_signing::{KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, UserId};
use serde_json::{Map, Value, json};

pub(crate) const ALICE: &str = "@alice:example.org";
pub(crate) const BOB: &str = "@bob:example.org";

pub(crate) fn user(id: &str) -> UserId<'_> {
    UserId::parse(id).unwrap()
}

pub(crate) fn device(id: &str) -> DeviceId<'_> {
    DeviceId::parse(id).unwrap()
}

/// The key of a seed made of a name.
pub(crate) fn key(name: &str) -> Ed25519SecretKey {
    let mut seed = [0x55; 32];
    for (byte, from) in seed.iter_mut().zip(name.bytes()) {
        *byte = from;
    }
    Ed25519SecretKey::from_seed(&seed)
}

pub(crate) fn public(name: &str) -> Ed25519PublicKey {
    key(name).public_key()
}

/// Adds the signature of a user under a key ID.
pub(crate) fn sign(mut object: Value, signer: &Ed25519SecretKey, user_id: &str, id: &str) -> Value {
    let mut signed = object.clone();
    let members = signed.as_object_mut().unwrap();
    members.remove("signatures");
    members.remove("unsigned");
    let text = canonicalize(&signed.to_string(), &Limits::DEFAULT).unwrap();
    let signature = signer.sign(text.as_bytes()).to_string();
    let signatures = object.as_object_mut().unwrap().entry("signatures").or_insert_with(|| json!({}));
    let of_user = signatures.as_object_mut().unwrap().entry(user_id).or_insert_with(|| json!({}));
    of_user[format!("ed25519:{id}")] = signature.into();
    object
}

/// Adds the signature of a cross-signing key, which stands under the key itself.
pub(crate) fn sign_by(object: Value, name: &str, user_id: &str) -> Value {
    let id = public(name).to_string();
    sign(object, &key(name), user_id, &id)
}

pub(crate) fn signing_key(user_id: &str, usage: &str, name: &str) -> Value {
    let key = public(name);
    json!({ "user_id": user_id, "usage": [usage], "keys": { format!("ed25519:{key}"): key.to_string() } })
}

pub(crate) fn device_keys(user_id: &str, device_id: &str, name: &str) -> Value {
    let curve25519 = Curve25519SecretKey::from_secret_bytes(key(name).seed().unwrap()).public_key();
    let object = json!({
        "user_id": user_id,
        "device_id": device_id,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": {
            format!("curve25519:{device_id}"): curve25519.to_string(),
            format!("ed25519:{device_id}"): public(name).to_string(),
        },
    });
    sign(object, &key(name), user_id, device_id)
}

/// An answer to `/keys/query`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) devices: Map<String, Value>,
    pub(crate) msks: Map<String, Value>,
    pub(crate) ssks: Map<String, Value>,
    pub(crate) usks: Map<String, Value>,
}

impl Answer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A user with an identity whose keys are named `prefix` and `-m`, `-s`, `-u`, and no device.
    pub(crate) fn identity(mut self, user_id: &str, prefix: &str) -> Self {
        let name = |role: &str| format!("{prefix}-{role}");
        let msk = signing_key(user_id, "master", &name("m"));
        self.msks.insert(user_id.to_owned(), msk);
        self.devices.entry(user_id).or_insert_with(|| json!({}));
        self.ssk(user_id, &name("s"), &name("m")).usk(user_id, &name("u"), &name("m"))
    }

    pub(crate) fn ssk(mut self, user_id: &str, name: &str, msk: &str) -> Self {
        let ssk = sign_by(signing_key(user_id, "self_signing", name), msk, user_id);
        self.ssks.insert(user_id.to_owned(), ssk);
        self
    }

    pub(crate) fn usk(mut self, user_id: &str, name: &str, msk: &str) -> Self {
        let usk = sign_by(signing_key(user_id, "user_signing", name), msk, user_id);
        self.usks.insert(user_id.to_owned(), usk);
        self
    }

    /// A device whose key is named as its ID; `ssk` signs it, if any.
    pub(crate) fn device(self, user_id: &str, device_id: &str, ssk: Option<&str>) -> Self {
        let mut object = device_keys(user_id, device_id, device_id);
        if let Some(ssk) = ssk {
            object = sign_by(object, ssk, user_id);
        }
        self.raw_device(user_id, device_id, object)
    }

    pub(crate) fn raw_device(mut self, user_id: &str, device_id: &str, object: Value) -> Self {
        self.devices.entry(user_id).or_insert_with(|| json!({}))[device_id] = object;
        self
    }

    /// A user-signing key of `by` signs the master signing key of `user_id`.
    pub(crate) fn verified(mut self, user_id: &str, by: &str, usk: &str) -> Self {
        let msk = self.msks[user_id].take();
        self.msks[user_id] = sign_by(msk, usk, by);
        self
    }

    pub(crate) fn body(&self) -> String {
        json!({
            "device_keys": self.devices,
            "failures": {},
            "master_keys": self.msks,
            "self_signing_keys": self.ssks,
            "user_signing_keys": self.usks,
        })
        .to_string()
    }
}

/// Alice's phone, and what it has stored.
#[derive(Debug)]
pub(crate) struct Phone {
    pub(crate) own: OwnIdentity,
    pub(crate) store: Identities,
    pub(crate) memory: SignatureMemory,
}

impl Phone {
    pub(crate) fn new() -> Self {
        Self {
            own: OwnIdentity::new(user(ALICE), device("PHONE"), public("PHONE")),
            store: Identities::default(),
            memory: SignatureMemory::default(),
        }
    }

    /// A phone whose own identity, with keys named `a-m`, `a-s` and `a-u`, is known and verified.
    pub(crate) fn verified() -> Self {
        let mut phone = Self::new();
        phone.receive(&alice());
        phone.verify_own();
        phone
    }

    pub(crate) fn verify_own(&mut self) {
        let msk = self.own.identity().unwrap().master_signing_key().clone();
        self.own.verify(&msk).unwrap();
        self.store.refresh(&self.own);
    }

    /// An answer about everybody in it.
    pub(crate) fn receive(&mut self, answer: &Answer) -> Update {
        let mut asked: Vec<_> = answer.devices.keys().map(|id| user(id)).collect();
        for keys in [&answer.msks, &answer.ssks, &answer.usks] {
            asked.extend(keys.keys().map(|id| user(id)));
        }
        self.receive_text(&answer.body(), &asked)
    }

    pub(crate) fn receive_text(&mut self, body: &str, asked: &[UserId<'_>]) -> Update {
        let response = KeysQueryResponse::parse(body).unwrap();
        self.store.receive(&mut self.memory, &mut self.own, &response, asked)
    }

    pub(crate) fn user(&self, user_id: &str) -> Option<UserIdentity> {
        self.store.user(user(user_id)).unwrap().map(|user| user.into_owned())
    }

    pub(crate) fn state(&self, user_id: &str) -> Option<UserState> {
        self.user(user_id).map(|user| user.state(&self.own))
    }

    pub(crate) fn user_mut(&mut self, user_id: &str) -> &mut UserIdentity {
        self.store.user_mut(user(user_id)).unwrap()
    }

    pub(crate) fn device(&self, user_id: &str, device_id: &str) -> Option<Device> {
        self.store.device(user(user_id), device(device_id)).unwrap().map(|device| device.into_owned())
    }

    /// The level of trust in a device.
    pub(crate) fn level(&self, user_id: &str, device_id: &str) -> Option<mx_cross_signing::TrustLevel> {
        self.with_trust(user_id, device_id, |trust| trust.level)
    }

    pub(crate) fn with_trust<T>(
        &self,
        user_id: &str,
        device_id: &str,
        look: impl FnOnce(DeviceTrust<'_>) -> T,
    ) -> Option<T> {
        let subject = Subject::load(&self.store, user(user_id), device(device_id)).unwrap()?;
        Some(look(subject.trust(&self.own)))
    }
}

/// Alice's identity, with her phone, which is cross-signed.
pub(crate) fn alice() -> Answer {
    Answer::new().identity(ALICE, "a").device(ALICE, "PHONE", Some("a-s"))
}

/// An identity of Bob's with one device, which is cross-signed.
pub(crate) fn bob(prefix: &str) -> Answer {
    Answer::new().identity(BOB, prefix).device(BOB, "LAPTOP", Some(&format!("{prefix}-s")))
}

/// Private keys of Alice's on her phone.
impl Phone {
    pub(crate) fn no_keys(&self) -> SigningKeys {
        SigningKeys::none(user(ALICE), KeyStorage::Secure)
    }

    /// Those of her first identity.
    pub(crate) fn keys(&self) -> SigningKeys {
        self.keys_of("a-m", "a-s", "a-u")
    }

    /// Keys of these names, as if they had been the present ones when they were imported.
    pub(crate) fn keys_of(&self, msk: &str, ssk: &str, usk: &str) -> SigningKeys {
        let answer =
            Answer::new().identity(ALICE, "none").msk(ALICE, msk).ssk(ALICE, ssk, msk).usk(ALICE, usk, msk);
        let body = answer.body();
        let response = KeysQueryResponse::parse(&body).unwrap();
        let mut memory = SignatureMemory::default();
        let identity = Identity::verify_own(&mut memory, &response, user(ALICE)).unwrap();
        let mut own = OwnIdentity::new(user(ALICE), device("PHONE"), public("PHONE"));
        own.adopt(identity).unwrap();
        let mut keys = self.no_keys();
        for (usage, name) in Usage::ALL.into_iter().zip([msk, ssk, usk]) {
            let seed = seed(name);
            keys.import(&mut own, SecretSource::SecretStorage, usage.secret_name(), &seed).unwrap();
        }
        keys
    }

    /// The master signing key of another identity of ours.
    pub(crate) fn user_key(&self, prefix: &str) -> MasterSigningKey {
        let text = signing_key(ALICE, "master", &format!("{prefix}-m")).to_string();
        MasterSigningKey::parse(&text, user(ALICE)).unwrap()
    }
}

impl Answer {
    pub(crate) fn msk(mut self, user_id: &str, name: &str) -> Self {
        self.msks.insert(user_id.to_owned(), signing_key(user_id, "master", name));
        self
    }
}

pub(crate) fn seed(name: &str) -> String {
    mx_types::base64::encode_to_string(key(name).seed().unwrap())
}
