//! Our private keys, what they sign, and what is uploaded.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]

mod support;

use mx_canonical_json::{Limits, canonicalize};
use mx_cross_signing::{
    CannotSign, Device, DeviceSigningUpload, Identity, ImportError, InvalidAuth, InvalidBody, KeyStorage,
    KeyUnusable, LocalTrust, MasterSigningKey, OwnIdentity, OwnState, ReplaceError, SecretSource,
    SignaturesUpload, SigningKeys, TrustLevel, UploadFailure, Usage, UserIdentity, Verification,
    VerifyDeviceError, VerifyUserError, sign_own_master_signing_key, verify_own_device, verify_user,
};
use mx_pickle::{Generation, PickleKey, UnpickleError};
use mx_signing::{SignError, SignedObject};
use mx_types::{KeyId, RandomnessFailed};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng, TryCryptoRng, TryRng};
use serde_json::{Value, json};
use support::*;

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([9; 32])
}

fn generate() -> SigningKeys {
    SigningKeys::generate(&mut rng(), user(ALICE), KeyStorage::Secure).unwrap()
}

fn new_own() -> OwnIdentity {
    OwnIdentity::new(user(ALICE), device("PHONE"), public("PHONE"))
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Verifies a signature on an object without this crate's help.
fn is_signed(object: &Value, user_id: &str, id: &str, key: mx_types::Ed25519PublicKey) -> bool {
    let text = object.to_string();
    let object = SignedObject::parse(&text, &Limits::DEFAULT).unwrap();
    object.verify(user_id, KeyId::new("ed25519", id).unwrap(), key).is_ok()
}

// XS-1, XS-2, XS-5, XS-25, XS-27
#[test]
fn the_body_of_a_new_identity() {
    let keys = generate();
    let phone = key("PHONE");
    let upload = keys.device_signing_upload(Some((device("PHONE"), &phone))).unwrap();
    let body = upload.body(Some(r#"{ "type": "m.login.password" }"#)).unwrap();
    let value: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(members(&value), ["auth", "master_key", "self_signing_key", "user_signing_key"]);
    let id = |usage| keys.public_key(usage).unwrap();
    let msk = id(Usage::Master).to_string();
    for (member, usage, role) in [
        ("master_key", Usage::Master, "master"),
        ("self_signing_key", Usage::SelfSigning, "self_signing"),
        ("user_signing_key", Usage::UserSigning, "user_signing"),
    ] {
        let mut object = value[member].clone();
        if usage == Usage::Master {
            assert!(is_signed(&object, ALICE, "PHONE", public("PHONE")));
        } else {
            assert!(is_signed(&object, ALICE, &msk, id(Usage::Master)));
        }
        assert_eq!(object["signatures"][ALICE].as_object().unwrap().len(), 1);
        object.as_object_mut().unwrap().remove("signatures");
        let key = id(usage).to_string();
        assert_eq!(
            object,
            json!({ "user_id": ALICE, "usage": [role], "keys": { format!("ed25519:{key}"): key } })
        );
    }
    // The same each time, without authentication where none is needed; and what is not JSON does not get into it.
    assert_eq!(keys.device_signing_upload(Some((device("PHONE"), &phone))).unwrap(), upload);
    let plain = upload.body(None).unwrap();
    assert_eq!(canonicalize(&plain, &Limits::DEFAULT).as_ref(), Ok(&plain));
    assert!(!plain.contains("auth"));
    for auth in ["", "[]", "null", "{} ,", r#"{"a":}"#] {
        assert_eq!(upload.body(Some(auth)), Err(InvalidAuth), "{auth}");
    }
    let none = SigningKeys::none(user(ALICE), KeyStorage::Secure);
    let refused = none.device_signing_upload::<mx_curve25519::Ed25519SecretKey>(None);
    assert_eq!(refused, Err(SignError::WrongKey));
    assert!(none.identity().is_none());
}

// TRU-1, XS-27
#[test]
fn what_was_made_here_is_verified_here() {
    let keys = generate();
    let mut phone = Phone::new();
    phone.own.adopt(keys.identity().unwrap()).unwrap();
    assert_eq!(phone.own.state(), OwnState::Verified);
    // The server shows it as it was uploaded, and nothing has happened.
    let upload = keys.device_signing_upload(Some((device("PHONE"), &key("PHONE")))).unwrap();
    let mut answer = Answer::new().device(ALICE, "PHONE", None);
    let parse = |text: Option<String>| serde_json::from_str(&text.unwrap()).unwrap();
    answer.msks.insert(ALICE.to_owned(), parse(upload.master_key));
    answer.ssks.insert(ALICE.to_owned(), parse(upload.self_signing_key));
    answer.usks.insert(ALICE.to_owned(), parse(upload.user_signing_key));
    let update = phone.receive(&answer);
    assert!(update.events.is_empty() && !update.own_changed);

    // Somebody else's identity, or one without a user-signing key, is not ours.
    let bobs = SigningKeys::generate(&mut rng(), user(BOB), KeyStorage::Secure).unwrap();
    assert!(phone.own.adopt(bobs.identity().unwrap()).is_err());
    phone.receive(&bob("b"));
    let others: Identity = phone.user(BOB).unwrap().identity().clone();
    assert!(phone.own.adopt(others).is_err());
    assert_eq!(phone.own.state(), OwnState::Verified);
}

// XS-36, XS-37, TRU-1
#[test]
fn a_seed_is_taken_under_its_own_name_only() {
    let names = [("a-m", Usage::Master), ("a-s", Usage::SelfSigning), ("a-u", Usage::UserSigning)];
    for (name, usage) in names {
        let mut phone = Phone::new();
        let mut keys = phone.no_keys();
        let seed = seed(name);
        let import = |keys: &mut SigningKeys, own: &mut OwnIdentity, name: &str, seed: &str| {
            keys.import(own, SecretSource::VerifiedDevice, name, seed)
        };
        let refused = import(&mut keys, &mut phone.own, usage.secret_name(), &seed);
        assert_eq!(refused, Err(ImportError::NoIdentity));
        phone.receive(&alice());
        for (other, as_other) in names {
            let taken = import(&mut keys, &mut phone.own, as_other.secret_name(), &seed);
            if other == name {
                assert_eq!(taken, Ok(usage));
            } else {
                assert_eq!(taken, Err(ImportError::OtherKey { usage: as_other }));
            }
        }
        // Only the private master signing key shows whose the identity is.
        let verified = if usage == Usage::Master { OwnState::Verified } else { OwnState::NeverVerified };
        assert_eq!(phone.own.state(), verified);
        assert_eq!(keys.export(&phone.own, usage).unwrap().as_str(), seed);
        assert_eq!(seed.len(), 43);
        // Padding is read; anything else is not.
        assert_eq!(import(&mut keys, &mut phone.own, usage.secret_name(), &format!("{seed}=")), Ok(usage));
        let mut others = Phone::new();
        for (name, seed, error) in [
            ("m.cross_signing.other", seed.clone(), ImportError::UnknownName),
            ("", seed.clone(), ImportError::UnknownName),
            (usage.secret_name(), "A".repeat(42), ImportError::WrongLength),
            (usage.secret_name(), "A".repeat(44), ImportError::WrongLength),
            (usage.secret_name(), self::seed("b-m"), ImportError::OtherKey { usage }),
        ] {
            let mut keys = others.no_keys();
            others.receive(&alice());
            assert_eq!(import(&mut keys, &mut others.own, name, &seed), Err(error));
            assert_eq!(keys.public_key(usage), None);
        }
        let refused = import(&mut keys, &mut phone.own, usage.secret_name(), "?");
        assert!(matches!(refused, Err(ImportError::Base64(_))));
    }
    // Keys of somebody else's account.
    let mut keys = SigningKeys::none(user(BOB), KeyStorage::Secure);
    let mut phone = Phone::verified();
    let refused =
        keys.import(&mut phone.own, SecretSource::SecretStorage, Usage::Master.secret_name(), &seed("a-m"));
    assert_eq!(refused, Err(ImportError::NoIdentity));
}

// XS-16
#[test]
fn keys_that_do_not_fit_are_set_aside_and_erased_only_when_the_user_has_decided() {
    let mut phone = Phone::verified();
    let mut keys = phone.keys();
    phone.receive(&Answer::new().identity(ALICE, "x"));
    for usage in Usage::ALL {
        assert_eq!(keys.usable(&phone.own, usage), Err(KeyUnusable::SetAside));
        assert_eq!(keys.export(&phone.own, usage).unwrap_err(), KeyUnusable::SetAside);
    }
    assert_eq!(
        keys.replace(&mut rng(), &phone.own, Usage::SelfSigning),
        Err(ReplaceError::MasterSigningKey(KeyUnusable::SetAside))
    );
    assert_eq!(keys.replacement_upload(&phone.own, Usage::SelfSigning), Err(KeyUnusable::SetAside));
    let mut tablet = device_of(&mut phone, "TABLET");
    let verified = tablet.clone();
    let signed = verify_own_device(&phone.own, &keys, &mut tablet, &verified).unwrap();
    assert_eq!(signed, Verification::Pending(CannotSign::Key(KeyUnusable::SetAside)));

    // The identity comes back, and the keys with it.
    phone.receive(&alice());
    for usage in Usage::ALL {
        assert_eq!(keys.usable(&phone.own, usage), Ok(()));
    }
    assert!(!keys.erase_set_aside(&phone.own));
    // Only one key was replaced: the others stay.
    phone.receive(&alice().usk(ALICE, "new-u", "a-m"));
    assert!(keys.erase_set_aside(&phone.own));
    assert_eq!(keys.public_key(Usage::UserSigning), None);
    assert_eq!(keys.usable(&phone.own, Usage::SelfSigning), Ok(()));
    assert_eq!(keys.usable(&phone.own, Usage::UserSigning), Err(KeyUnusable::Missing));
}

// XS-35
#[test]
fn the_private_master_signing_key_is_stored_in_secure_storage_only() {
    let key = PickleKey::new(&[4; 32]);
    for (storage, expected) in
        [(KeyStorage::default(), false), (KeyStorage::Insecure, false), (KeyStorage::Secure, true)]
    {
        let mut keys = SigningKeys::generate(&mut rng(), user(ALICE), storage).unwrap();
        let pickle = keys.pickle_to_vec(&mut rng(), &key).unwrap();
        let restored = SigningKeys::from_pickle(&key, Generation::NEVER_PICKLED, storage, &pickle).unwrap();
        assert_eq!(restored.public_key(Usage::Master).is_some(), expected);
        assert_eq!(restored.public_key(Usage::SelfSigning), keys.public_key(Usage::SelfSigning));
        assert_eq!(restored.public_key(Usage::UserSigning), keys.public_key(Usage::UserSigning));
        assert_eq!((restored.user_id(), restored.generation()), (ALICE, keys.generation()));
    }
}

#[test]
fn every_changed_cut_or_foreign_pickle_is_refused() {
    let key = PickleKey::new(&[4; 32]);
    let mut phone = Phone::verified();
    phone.receive(&bob("b").verified(BOB, ALICE, "a-u"));
    let mut bob = phone.user(BOB).unwrap();
    let laptop = phone.device(BOB, "LAPTOP").unwrap();
    let pickles = [
        phone.own.pickle_to_vec(&mut rng(), &key).unwrap(),
        bob.pickle_to_vec(&mut rng(), &key).unwrap(),
        laptop.pickle_to_vec(&mut rng(), &key, Generation::NEVER_PICKLED).unwrap(),
        phone.keys().pickle_to_vec(&mut rng(), &key).unwrap(),
    ];
    let read = |kind: usize, pickle: &[u8], oldest: u64| -> Result<(), UnpickleError> {
        let oldest = Generation::from(oldest);
        match kind {
            0 => OwnIdentity::from_pickle(&key, oldest, pickle).map(drop),
            1 => UserIdentity::from_pickle(&key, oldest, pickle).map(drop),
            2 => Device::from_pickle(&key, oldest, pickle).map(drop),
            _ => SigningKeys::from_pickle(&key, oldest, KeyStorage::Secure, pickle).map(drop),
        }
    };
    for (kind, pickle) in pickles.iter().enumerate() {
        for (other, foreign) in pickles.iter().enumerate() {
            assert_eq!(read(kind, foreign, 0).is_ok(), kind == other);
        }
        assert!(matches!(read(kind, pickle, 2), Err(UnpickleError::Stale { .. })));
        for len in 0..pickle.len() {
            assert!(read(kind, &pickle[..len], 0).is_err());
        }
        for at in 0..pickle.len() {
            let mut changed = pickle.clone();
            changed[at] ^= 0x10;
            assert!(read(kind, &changed, 0).is_err());
        }
        assert!(read(kind, &[pickle.as_slice(), &[0]].concat(), 0).is_err());
    }
    let restored = Device::from_pickle(&key, Generation::from(1), &pickles[2]).unwrap();
    assert_eq!((restored.keys(), restored.object()), (laptop.keys(), laptop.object()));
    assert_eq!(
        (restored.cross_signature(), restored.local_trust()),
        (laptop.cross_signature(), laptop.local_trust())
    );
}

// TRU-9, IDC-11, XS-25
#[test]
fn a_key_is_replaced_under_the_same_identity() {
    let mut phone = Phone::verified();
    phone.receive(&alice().device(ALICE, "TABLET", Some("a-s")));
    let mut keys = phone.keys();
    assert_eq!(keys.replace(&mut rng(), &phone.own, Usage::Master), Err(ReplaceError::IsMasterSigningKey));
    keys.replace(&mut rng(), &phone.own, Usage::SelfSigning).unwrap();
    let upload = keys.replacement_upload(&phone.own, Usage::SelfSigning).unwrap();
    let DeviceSigningUpload { master_key: None, self_signing_key: Some(text), user_signing_key: None } =
        &upload
    else {
        panic!("{upload:?}")
    };
    assert_eq!(
        keys.usable(&phone.own, Usage::SelfSigning),
        Err(KeyUnusable::SetAside),
        "the server has not taken it yet"
    );
    let mut answer = alice().device(ALICE, "TABLET", Some("a-s"));
    answer.ssks[ALICE] = serde_json::from_str(text).unwrap();
    phone.receive(&answer);
    assert_eq!(keys.usable(&phone.own, Usage::SelfSigning), Ok(()));
    // What the old one signed is void until it is signed again.
    assert_eq!(phone.level(ALICE, "TABLET"), Some(TrustLevel::Unsigned));
    assert_eq!(keys.replacement_upload(&phone.own, Usage::Master), Err(KeyUnusable::Missing));
}

/// A device of ours that was not verified yet.
fn device_of(phone: &mut Phone, id: &str) -> Device {
    let answer = Answer::new().device(ALICE, "PHONE", None).device(ALICE, id, None);
    phone.receive(&answer);
    phone.device(ALICE, id).unwrap()
}

// XS-26, XS-41, XS-48
#[test]
fn an_own_device_is_signed_when_it_was_verified() {
    let mut phone = Phone::verified();
    let verified = device_of(&mut phone, "TABLET");
    let keys = phone.keys();
    let mut tablet = verified.clone();
    let Verification::Signed(upload) = verify_own_device(&phone.own, &keys, &mut tablet, &verified).unwrap()
    else {
        panic!()
    };
    let body: Value = serde_json::from_str(&upload.body()).unwrap();
    let object = &body[ALICE]["TABLET"];
    let ssk = public("a-s").to_string();
    assert!(is_signed(object, ALICE, &ssk, public("a-s")));
    // The object as it was, with only the new signature.
    assert_eq!(
        object["signatures"],
        json!({ ALICE: { format!("ed25519:{ssk}"): object["signatures"][ALICE][format!("ed25519:{ssk}")] } })
    );
    let mut original = device_keys(ALICE, "TABLET", "TABLET");
    for object in [&mut original, &mut object.clone()] {
        object.as_object_mut().unwrap().remove("signatures");
    }
    let mut uploaded = object.clone();
    uploaded.as_object_mut().unwrap().remove("signatures");
    assert_eq!(uploaded, original);
    phone.store.insert_device(tablet.clone());
    assert_eq!(phone.level(ALICE, "TABLET"), Some(TrustLevel::Verified));
    // Cross-signed, and not only by the user's word.
    tablet.set_local_trust(LocalTrust::Unset);
    phone.store.insert_device(tablet);
    assert_eq!(phone.level(ALICE, "TABLET"), Some(TrustLevel::Verified));

    // Without the key it is verified for this device only.
    let mut tablet = verified.clone();
    let none = phone.no_keys();
    let pending = verify_own_device(&phone.own, &none, &mut tablet, &verified).unwrap();
    assert_eq!(pending, Verification::Pending(CannotSign::Key(KeyUnusable::Missing)));
    assert_eq!((tablet.local_trust(), tablet.cross_signature()), (LocalTrust::Verified, None));

    // Not another device than was verified, and not one that is named like a key.
    let other = device_of(&mut phone, "OTHER");
    let mut tablet = verified.clone();
    let refused = verify_own_device(&phone.own, &keys, &mut tablet, &other);
    assert_eq!(refused, Err(VerifyDeviceError::KeysChanged));
    assert_eq!(tablet.local_trust(), LocalTrust::Unset);
    let id = public("a-m").to_string();
    let mut rogue = device_of(&mut phone, &id);
    let verified = rogue.clone();
    let refused = verify_own_device(&phone.own, &keys, &mut rogue, &verified);
    assert_eq!(refused, Err(VerifyDeviceError::DeviceIdIsSigningKey));
}

// XS-42
#[test]
fn devices_of_others_are_never_signed() {
    let mut phone = Phone::verified();
    phone.receive(&bob("b"));
    let mut laptop = phone.device(BOB, "LAPTOP").unwrap();
    let verified = laptop.clone();
    let refused = verify_own_device(&phone.own, &phone.keys(), &mut laptop, &verified);
    assert_eq!(refused, Err(VerifyDeviceError::OtherUser));
    assert_eq!(
        (laptop.local_trust(), laptop.cross_signature()),
        (LocalTrust::Unset, verified.cross_signature())
    );
}

// XS-26, XS-40, XS-46
#[test]
fn another_user_is_signed_when_they_were_verified() {
    let mut phone = Phone::verified();
    let mut answer = bob("b");
    // Members that nobody knows, and signatures of others.
    answer.msks[BOB]["org.example.more"] = json!([1, "x"]);
    answer.msks[BOB] = sign(answer.msks[BOB].take(), &key("LAPTOP"), BOB, "LAPTOP");
    phone.receive(&answer);
    let (keys, own) = (phone.keys(), phone.own.clone());
    let bobs = phone.user_mut(BOB);
    let msk = bobs.identity().master_signing_key().clone();
    let Verification::Signed(upload) = verify_user(&own, &keys, bobs, &msk, ["LAPTOP"]).unwrap() else {
        panic!()
    };
    let body: Value = serde_json::from_str(&upload.body()).unwrap();
    let (b, usk) = (public("b-m").to_string(), public("a-u").to_string());
    let object = &body[BOB][&b];
    assert_eq!(object["org.example.more"], json!([1, "x"]));
    assert_eq!(members(&object["signatures"]), [ALICE]);
    assert_eq!(members(&object["signatures"][ALICE]), [format!("ed25519:{usk}")]);
    assert!(is_signed(object, ALICE, &usk, public("a-u")));
    assert!(phone.user(BOB).unwrap().is_verified(&own));
    // The server's echo changes nothing.
    answer.msks[BOB]["signatures"][ALICE] = object["signatures"][ALICE].clone();
    let update = phone.receive(&answer);
    assert!(update.events.is_empty() && update.users.is_empty());

    // Ourselves, not this way.
    phone.receive(&bob("a"));
    let alices =
        MasterSigningKey::parse(&signing_key(ALICE, "master", "a-m").to_string(), user(ALICE)).unwrap();
    let refused = verify_user(&own, &keys, phone.user_mut(BOB), &alices, []);
    assert_eq!(refused, Err(VerifyUserError::KeysChanged), "the same key bytes, but of another user");
}

// XS-43, TRU-1
#[test]
fn our_own_master_signing_key_is_signed_with_this_device() {
    let mut phone = Phone::new();
    phone.receive(&alice());
    let signer = key("PHONE");
    assert_eq!(sign_own_master_signing_key(&phone.own, &signer), Err(SignError::WrongKey));
    phone.verify_own();
    let upload = sign_own_master_signing_key(&phone.own, &signer).unwrap();
    let body: Value = serde_json::from_str(&upload.body()).unwrap();
    assert!(is_signed(&body[ALICE][public("a-m").to_string()], ALICE, "PHONE", public("PHONE")));
    assert_eq!(sign_own_master_signing_key(&phone.own, &key("x")), Err(SignError::WrongKey));
    assert_eq!(new_own().state(), OwnState::NoIdentity);
}

// XS-47
#[test]
fn an_upload_stays_until_the_server_has_taken_it() {
    let mut phone = Phone::verified();
    let keys = phone.keys();
    let own = phone.own.clone();
    let mut upload = sign_own_master_signing_key(&own, &key("PHONE")).unwrap();
    for id in ["TABLET", "DESKTOP"] {
        let verified = device_of(&mut phone, id);
        let mut device = verified.clone();
        let Verification::Signed(more) = verify_own_device(&own, &keys, &mut device, &verified).unwrap()
        else {
            panic!()
        };
        upload.extend(more);
    }
    // It survives a restart as its own text.
    assert_eq!(SignaturesUpload::parse(&upload.body()), Ok(upload.clone()));
    for text in ["", "[]", r#"{"a":1}"#, r#"{"a":{"b":}}"#] {
        assert_eq!(SignaturesUpload::parse(text), Err(InvalidBody), "{text}");
        assert_eq!(upload.clone().answered(text).is_err(), text != r#"{"a":1}"#, "{text}");
    }
    let failures = json!({ "failures": { ALICE: {
        "TABLET": { "errcode": "M_INVALID_SIGNATURE", "error": "no" },
        "DESKTOP": { "errcode": "M_UNKNOWN" },
        "NOT_OURS": { "errcode": "M_UNKNOWN" },
    }, BOB: { "X": {} } } });
    let told = upload.answered(&failures.to_string()).unwrap();
    let failure = |key_id: &str, errcode: &str, is_final| UploadFailure {
        user_id: ALICE.to_owned(),
        key_id: key_id.to_owned(),
        errcode: errcode.to_owned(),
        is_final,
    };
    assert_eq!(
        told,
        [failure("DESKTOP", "M_UNKNOWN", false), failure("TABLET", "M_INVALID_SIGNATURE", true)]
    );
    let body: Value = serde_json::from_str(&upload.body()).unwrap();
    assert_eq!((members(&body), members(&body[ALICE])), (vec![ALICE], vec!["DESKTOP"]));
    assert_eq!(upload.answered("{}"), Ok(vec![]));
    assert!(upload.is_empty());
}

/// A generator that gives out.
struct Broken(u32);

impl TryRng for Broken {
    type Error = core::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(core::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(core::fmt::Error)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.0 = self.0.checked_sub(1).ok_or(core::fmt::Error)?;
        rng().fill_bytes(out);
        Ok(())
    }
}

impl TryCryptoRng for Broken {}

#[test]
fn no_keys_without_randomness() {
    for works in 0..3 {
        let keys = SigningKeys::generate(&mut Broken(works), user(ALICE), KeyStorage::Secure);
        assert_eq!(keys.unwrap_err(), RandomnessFailed);
    }
    let mut phone = Phone::verified();
    let mut keys = phone.keys();
    let before = keys.public_key(Usage::SelfSigning);
    assert_eq!(
        keys.replace(&mut Broken(0), &phone.own, Usage::SelfSigning),
        Err(ReplaceError::RandomnessFailed)
    );
    assert_eq!(keys.public_key(Usage::SelfSigning), before);
    assert!(keys.pickle_to_vec(&mut Broken(0), &PickleKey::new(&[0; 32])).is_err());
    phone.own.withdraw();
}

#[test]
fn attack_068_debug_shows_no_private_key() {
    let phone = Phone::verified();
    let keys = phone.keys();
    let shown = [
        format!("{keys:?}"),
        format!("{keys:#?}"),
        format!("{:?}", keys.export(&phone.own, Usage::Master).err()),
    ];
    for name in ["a-m", "a-s", "a-u"] {
        let secret = key(name);
        let bytes = *secret.seed().unwrap();
        for shown in &shown {
            assert!(!shown.contains(&seed(name)[..6]), "{shown}");
            for part in bytes.windows(4) {
                let (hex, list) =
                    (part.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), format!("{part:?}"));
                assert!(!shown.contains(&hex) && !shown.contains(list.trim_matches(['[', ']'])), "{shown}");
            }
        }
    }
    assert!(
        shown[0].starts_with("SigningKeys { user_id: \"@alice:example.org\", master: Some(Ed25519PublicKey(")
    );
}
