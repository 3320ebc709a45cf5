//! What follows from a verification is recorded for the keys that were verified, and for no others.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use getrandom::{SysRng, rand_core::UnwrapErr};
use mx_cross_signing::{Device, Identities, KeyStorage, LocalTrust, OwnIdentity, SigningKeys};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey};
use mx_demo::trust::{record, user_keys};
use mx_signing::{DeviceKeys, KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use mx_verification::Consequence;

const PHONE: Seed = [1; 32];
const LAPTOP: Seed = [2; 32];

type Seed = [u8; 32];

fn alice() -> UserId<'static> {
    UserId::parse("@alice:example.org").unwrap()
}

fn bob() -> UserId<'static> {
    UserId::parse("@bob:example.org").unwrap()
}

/// Alice with her identity, her devices, and Bob's identity with one.
fn stored() -> (OwnIdentity, SigningKeys, Identities, Ed25519PublicKey) {
    let mut rng = UnwrapErr(SysRng);
    let curve25519 = Curve25519SecretKey::from_secret_bytes(&[3; 32]).public_key();
    let device = |user_id, device_id: &str, seed: &Seed| {
        let (key, device_id) = (Ed25519SecretKey::from_seed(seed), DeviceId::parse(device_id).unwrap());
        DeviceKeys::new(user_id, device_id, curve25519, key.public_key()).sign(&key).unwrap()
    };
    let keys = SigningKeys::generate(&mut rng, alice(), KeyStorage::Secure).unwrap();
    let phone = Ed25519SecretKey::from_seed(&PHONE).public_key();
    let mut own = OwnIdentity::new(alice(), DeviceId::parse("PHONE").unwrap(), phone);
    own.adopt(keys.identity().unwrap()).unwrap();

    let bobs = SigningKeys::generate(&mut rng, bob(), KeyStorage::Secure).unwrap();
    let upload = bobs.device_signing_upload::<Ed25519SecretKey>(None).unwrap();
    let answer = format!(
        r#"{{"device_keys":{{"@alice:example.org":{{"PHONE":{},"LAPTOP":{}}},"@bob:example.org":{{"TABLET":{}}}}},
            "master_keys":{{"@bob:example.org":{}}},"self_signing_keys":{{"@bob:example.org":{}}}}}"#,
        device(alice(), "PHONE", &PHONE),
        device(alice(), "LAPTOP", &LAPTOP),
        device(bob(), "TABLET", &[4; 32]),
        upload.master_key.unwrap(),
        upload.self_signing_key.unwrap(),
    );
    let mut identities = Identities::default();
    let response = KeysQueryResponse::parse(&answer).unwrap();
    let update = identities.receive(&mut SignatureMemory::default(), &mut own, &response, &[alice(), bob()]);
    assert!(update.devices.iter().all(|user| user.refused.is_empty()));
    let msk = bobs.identity().unwrap().master_signing_key().public_key();
    (own, keys, identities, msk)
}

fn key(seed: u8) -> Ed25519PublicKey {
    Ed25519SecretKey::from_seed(&[seed; 32]).public_key()
}

fn own_device(identities: &Identities) -> &Device {
    identities.devices(alice()).find(|device| device.device_id() == "LAPTOP").unwrap()
}

// XS-40, XS-41, XS-48
#[test]
fn another_key_than_the_verified_one_is_neither_signed_nor_trusted() {
    let (mut own, keys, mut identities, msk) = stored();
    let phone = Ed25519SecretKey::from_seed(&PHONE);
    let wrong = [
        Consequence::TrustOwnMaster { master_signing_key: msk },
        Consequence::SignOwnDevice { device_id: "LAPTOP".into(), ed25519: key(9) },
        Consequence::SignOwnDevice { device_id: "TABLET".into(), ed25519: key(2) },
        Consequence::SignUser { user_id: bob().as_str().into(), master_signing_key: key(9) },
        Consequence::SignUser { user_id: "@carol:example.org".into(), master_signing_key: msk },
        Consequence::TrustDevice {
            user_id: bob().as_str().into(),
            device_id: "TABLET".into(),
            ed25519: key(9),
        },
    ];
    for consequence in &wrong {
        record(&mut own, &keys, &mut identities, &phone, consequence).unwrap_err();
    }
    assert!(identities.users().all(|user| !user.is_verified(&own)));
    assert_eq!(own_device(&identities).local_trust(), LocalTrust::Unset);
    assert!(own_device(&identities).cross_signature().is_none());

    let sign_device = Consequence::SignOwnDevice { device_id: "LAPTOP".into(), ed25519: key(2) };
    let upload = record(&mut own, &keys, &mut identities, &phone, &sign_device).unwrap();
    assert!(!upload.is_empty() && own_device(&identities).cross_signature().is_some());
    let sign_user = Consequence::SignUser { user_id: bob().as_str().into(), master_signing_key: msk };
    assert!(!record(&mut own, &keys, &mut identities, &phone, &sign_user).unwrap().is_empty());
    assert!(identities.users().all(|user| user.is_verified(&own)));
}

#[test]
fn the_keys_of_a_user_are_those_that_are_stored_but_no_blacklisted_device() {
    let (own, _, mut identities, msk) = stored();
    let keys = user_keys(&own, &identities, bob(), false);
    assert_eq!(keys.devices, [("TABLET".to_owned(), key(4))]);
    assert_eq!(keys.master_signing_key, Some(msk));
    assert!(keys.self_signing_key.is_some() && keys.user_signing_key.is_none());

    let own_keys = user_keys(&own, &identities, alice(), true);
    assert!(own_keys.is_outdated && own_keys.user_signing_key.is_some());
    assert_eq!(own_keys.devices.len(), 2);
    let laptop = identities.device_mut(alice(), DeviceId::parse("LAPTOP").unwrap()).unwrap();
    laptop.set_local_trust(LocalTrust::Blacklisted);
    assert_eq!(user_keys(&own, &identities, alice(), false).devices, [("PHONE".to_owned(), key(1))]);
}
