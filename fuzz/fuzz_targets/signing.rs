//! Signed objects, and the answers that carry them: as they come, and with a right signature around any members.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_canonical_json::Limits;
use mx_curve25519::Ed25519SecretKey;
use mx_signing::{DeviceKeys, KeysClaimResponse, KeysQueryResponse, OneTimeKey, SignedObject};
use mx_types::{DeviceId, KeyId, UserId};

fuzz_target!(|text: &str| {
    let key = Ed25519SecretKey::from_seed(&[3; 32]);
    let user_id = UserId::parse("@a:b").expect("is a user ID");
    let device_id = DeviceId::parse("D").expect("is a device ID");
    let key_id = KeyId::parse("ed25519:D").expect("is a key ID");

    if let Ok(answer) = KeysQueryResponse::parse(text)
        && let Ok(devices) = answer.devices(user_id)
    {
        for device in devices {
            let device_id = DeviceId::parse(&device.device_id);
            assert!(
                device_id.is_err() || DeviceKeys::verify(device.text, user_id, device_id.unwrap()).is_err()
            );
        }
    }
    if let Ok(answer) = KeysClaimResponse::parse(text) {
        assert!(answer.one_time_key(user_id, device_id, key.public_key()).is_err());
    }

    let Ok(object) = SignedObject::parse(text, &Limits::DEFAULT) else { return };
    assert!(object.verify("@a:b", key_id, key.public_key()).is_err(), "nobody signed this");
    let Ok(signed) = object.sign(&key, "@a:b", key_id) else { return };
    let again = SignedObject::parse(&signed, &Limits::DEFAULT).expect("what was signed is canonical");
    assert_eq!(again.canonical(), object.canonical());
    assert!(again.verify("@a:b", key_id, key.public_key()).is_ok());
    assert!(again.verify("@a:c", key_id, key.public_key()).is_err());

    // Past the signature.
    if let Ok(one_time_key) = OneTimeKey::verify(&signed, user_id, device_id, key.public_key()) {
        assert!(object.canonical().contains(&one_time_key.key.to_string()));
    }
    if let Ok(device) = DeviceKeys::verify(&signed, user_id, device_id) {
        assert_eq!((device.user_id.as_str(), device.device_id.as_str()), ("@a:b", "D"));
        assert_eq!(device.ed25519, key.public_key());
    }
});
