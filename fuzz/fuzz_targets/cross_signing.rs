//! Key objects, whole answers of a server and stored state: nothing becomes trusted that nobody signed, and what is taken from a
//! pickle is written again as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_cross_signing::{
    Device, Identities, KeyStorage, MasterSigningKey, OwnIdentity, OwnState, SelfSigningKey,
    SignaturesUpload, SigningKeys, TrustLevel, UserIdentity, UserSigningKey, trust,
};
use mx_curve25519::Ed25519SecretKey;
use mx_pickle::{Generation, Kind, PickleKey, sealed_len};
use mx_signing::{KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, UserId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

fuzz_target!(|data: &[u8]| {
    stored(data);
    let Ok(text) = core::str::from_utf8(data) else { return };
    let alice = UserId::parse("@a:b").expect("is a user ID");
    let bob = UserId::parse("@c:d").expect("is a user ID");

    // One object is of one role.
    let roles = [
        MasterSigningKey::parse(text, alice).map(|key| (key.public_key(), key.object().to_owned())),
        SelfSigningKey::parse(text, alice).map(|key| (key.public_key(), key.object().to_owned())),
        UserSigningKey::parse(text, alice).map(|key| (key.public_key(), key.object().to_owned())),
    ];
    assert!(roles.iter().flatten().count() <= 1);
    for (key, object) in roles.into_iter().flatten() {
        assert!(object.contains(&format!(r#""ed25519:{key}""#)));
    }
    if let Ok(upload) = SignaturesUpload::parse(text) {
        assert_eq!(SignaturesUpload::parse(&upload.body()), Ok(upload.clone()));
        assert_eq!(upload.clone().answered("{}"), Ok(Vec::new()));
    }
    let _ = SignaturesUpload::default().answered(text);

    // An answer by a server that has nobody's keys.
    let Ok(response) = KeysQueryResponse::parse(text) else { return };
    let phone = Ed25519SecretKey::from_seed(&[3; 32]);
    let mut own = OwnIdentity::new(alice, DeviceId::parse("D").expect("is a device ID"), phone.public_key());
    let keys = SigningKeys::generate(&mut rng(), alice, KeyStorage::Secure).expect("the generator works");
    own.adopt(keys.identity().expect("all three are there")).expect("it is ours");
    let verified = own.verified_master_signing_key();
    let (mut store, mut memory) = (Identities::default(), SignatureMemory::default());
    for _ in 0..2 {
        let update = store.receive(&mut memory, &mut own, &response, &[alice, bob]);
        assert!(update.events.len() <= 4 + 2 * text.len());
        assert_eq!(own.verified_master_signing_key(), verified);
        assert!(
            own.state() != OwnState::Verified
                || own
                    .identity()
                    .is_some_and(|own| own.public_key(mx_cross_signing::Usage::Master) == verified)
        );
        assert!(store.users().all(|user| !user.is_verified(&own) && !user.previously_verified()));
        for device in [alice, bob].into_iter().flat_map(|user_id| store.devices(user_id)) {
            let user = store.users().next();
            let is_this = device.user_id() == "@a:b" && device.ed25519() == phone.public_key();
            assert!(is_this || trust(&own, user, device).level < TrustLevel::Verified);
        }
    }
});

/// Pickles with a right seal around any bytes.
fn stored(data: &[u8]) {
    let key = PickleKey::new(&[7; 32]);
    let never = Generation::NEVER_PICKLED;
    let sealed = |type_tag, previous| {
        let mut out = vec![0; sealed_len(data.len())];
        let kind = Kind { type_tag, layout: 1 };
        let mut writer =
            key.seal(&mut rng(), kind, previous, data.len(), &mut out).expect("the buffer is large enough");
        writer.bytes(data);
        writer.finish().expect("as many bytes as were announced");
        out
    };
    let first = Generation::from(1);
    if let Ok(mut own) = OwnIdentity::from_pickle(&key, never, &sealed(16, never)) {
        assert_eq!(own.pickle_to_vec(&mut rng(), &key), Ok(sealed(16, first)));
    }
    if let Ok(mut user) = UserIdentity::from_pickle(&key, never, &sealed(17, never)) {
        let again = user.pickle_to_vec(&mut rng(), &key).expect("can be written");
        assert!(UserIdentity::from_pickle(&key, never, &again).is_ok());
    }
    if let Ok(device) = Device::from_pickle(&key, never, &sealed(18, never)) {
        assert_eq!(device.pickle_to_vec(&mut rng(), &key, first), Ok(sealed(18, first)));
    }
    if let Ok(mut keys) = SigningKeys::from_pickle(&key, never, KeyStorage::Secure, &sealed(19, never)) {
        assert_eq!(keys.pickle_to_vec(&mut rng(), &key), Ok(sealed(19, first)));
    }
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}
