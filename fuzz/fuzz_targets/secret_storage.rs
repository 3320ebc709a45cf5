//! Account data of secret storage, requests, answers and stored state: what is read is written again as it was, what a server wrote opens no
//! secret, and a secret that was stored by us opens whatever stands beside it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_pickle::{Generation, Kind, PickleKey, sealed_len};
use mx_secret_storage::{
    DecryptError, EncryptedSecret, KeyDescription, KnownDevice, OwnDeviceTrust, ReadSecretError, Secret,
    SecretRequest, SecretSend, SecretSharing, SecretStorageKey, StoredSecret, StoredSecretError,
    default_key_content, parse_default_key,
};
use mx_types::{DeviceId, UserId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use zeroize::Zeroizing;

fuzz_target!(|data: &[u8]| {
    stored(data);
    let Ok(text) = core::str::from_utf8(data) else { return };
    let key = SecretStorageKey::from_bytes(&[7; 32]);

    if let Ok(description) = KeyDescription::parse(text) {
        let again = KeyDescription::parse(&description.to_json()).expect("was written by us");
        assert_eq!(format!("{again:?}"), format!("{description:?}"));
        let _ = description.check(&key);
        // Few rounds, so that the target is fast.
        if let Ok(unlocking) = description.unlock(text, 3) {
            let _ = unlocking.finish();
        }
    }
    if let Ok(Some(id)) = parse_default_key(text) {
        assert_eq!(parse_default_key(&default_key_content(&id)), Ok(Some(id)));
    }
    if let Ok(encrypted) = EncryptedSecret::parse(text) {
        assert_eq!(key.decrypt("name", &encrypted).err(), Some(DecryptError::Authentication));
        let again = EncryptedSecret::parse(&encrypted.to_json()).expect("was written by us");
        assert_eq!(again.to_json(), encrypted.to_json());
    }
    secrets(text, &key);
    sharing(text);
});

fn secrets(text: &str, key: &SecretStorageKey) {
    let Ok(mut stored) = StoredSecret::parse("name", text) else { return };
    for id in stored.key_ids() {
        let error = stored.decrypt(id, key).err();
        let authentication = ReadSecretError::Decrypt(DecryptError::Authentication);
        assert!(error == Some(authentication) || matches!(error, Some(ReadSecretError::Malformed(_))));
    }
    let others = stored.key_ids().filter(|id| *id != "ours").count();
    let secret = Secret::new(Zeroizing::new("a secret".to_owned())).expect("is short");
    match stored.encrypt(&mut rng(), "ours", key, &secret) {
        Err(error) => assert_eq!(error, StoredSecretError::TooManyEntries),
        // What we write may be longer than what we read.
        Ok(()) => {
            let Ok(again) = StoredSecret::parse("name", &stored.to_json()) else { return };
            assert_eq!(again.key_ids().count(), others + 1);
            assert!(again.decrypt("ours", key).is_ok());
        }
    }
}

fn sharing(text: &str) {
    let alice = UserId::parse("@a:b").expect("is a user ID");
    let device = |id| DeviceId::parse(id).expect("is a device ID");
    let known =
        |id| KnownDevice { user_id: alice, device_id: device(id), trust: OwnDeviceTrust::CrossSigned };
    let mut sharing = SecretSharing::new(alice, device("D"));
    if let Ok(request) = SecretRequest::parse(text) {
        assert_eq!(SecretRequest::parse(&request.to_json()), Ok(request.clone()));
        let _ = sharing.receive_request(alice, request);
        assert_eq!(sharing.requests().count(), 0);
    }
    if let Ok(answer) = SecretSend::parse(text) {
        assert!(sharing.receive_secret(&known("E"), &answer).is_err(), "nobody has asked");
    }
    // The text as a secret, there and back.
    let Ok(secret) = Secret::new(Zeroizing::new(text.to_owned())) else { return };
    let asked = sharing.request(&mut rng(), "name", &[device("E")]).expect("is possible");
    let mut other = SecretSharing::new(alice, device("E"));
    let request = SecretRequest::parse(&asked.content).expect("was written by us");
    other.receive_request(alice, request).expect("is taken");
    let permit = other.permit(&known("D"), &asked.request_id).expect("may have it");
    let answer = SecretSend::parse(&permit.answer(&secret).content).expect("was written by us");
    let received = sharing.receive_secret(&known("E"), &answer).expect("was asked");
    let same = |secret: &Secret| if secret.as_str() == text { Ok(()) } else { Err(()) };
    assert!(received.validate(&mut sharing, same).is_ok());
}

/// A pickle with a right seal around any bytes.
fn stored(data: &[u8]) {
    let key = PickleKey::new(&[7; 32]);
    let mut out = vec![0; sealed_len(data.len())];
    let kind = Kind { type_tag: 28, layout: 1 };
    let never = Generation::NEVER_PICKLED;
    let mut writer =
        key.seal(&mut rng(), kind, never, data.len(), &mut out).expect("the buffer is large enough");
    writer.bytes(data);
    writer.finish().expect("as many bytes as were announced");
    if let Ok(mut sharing) = SecretSharing::from_pickle(&key, never, &out) {
        let again = sharing.pickle_to_vec(&mut rng(), &key).expect("can be written");
        assert!(SecretSharing::from_pickle(&key, never, &again).is_ok());
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}
