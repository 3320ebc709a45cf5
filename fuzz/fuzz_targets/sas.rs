//! What the other side of a verification sends: keys, commitments, MACs. Nothing that was not made with the secret passes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_sas::{
    Accepter, Choice, Commitment, Flow, MacMethod, Offer, Party, PinnedKeys, ReceivedMac, ShortStrings,
    Starter,
};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let parts: Vec<_> = text.split('\n').collect();
    let [first, second, third, rest @ ..] = parts.as_slice() else { return };
    let party = |user_id, device_id| {
        Some(Party { user_id: UserId::parse(user_id).ok()?, device_id: DeviceId::parse(device_id).ok()? })
    };
    let alice = party("@alice:example.org", "ALICE").expect("good");
    let Some(bob) = party("@bob:example.org", third) else { return };
    let Ok(flow) = Flow::new(first, alice, bob) else { return };

    let _ =
        Choice::of_offer(&Offer { message_authentication_codes: &parts, ..Offer::OURS }, ShortStrings::ALL);
    let _ = Choice::of_accept(&Offer::OURS, first, second, third, rest);

    let rng = |seed| ChaCha20Rng::seed_from_u64(seed);
    for mac in [MacMethod::HkdfHmacSha256V2, MacMethod::HkdfHmacSha256] {
        let choice = Choice { mac, short_strings: ShortStrings::ALL };
        let start = || Starter::new(&mut rng(1), flow).expect("random");
        let accept = || Accepter::new(&mut rng(2), flow, choice, data).expect("random");
        if let Ok(commitment) = Commitment::from_base64(second) {
            assert!(start().receive_accept(choice, commitment).receive_key(first, data).is_err());
        }
        let _ = accept().receive_key(second);
        let starter = start().receive_accept(choice, accept().commitment());
        let (key, _) = accept().receive_key(&starter.public_key().to_string()).expect("good");
        let compare = starter.receive_key(&key.to_string(), data).expect("good");
        let mac: Vec<_> = rest.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        let device = Ed25519PublicKey::from_base64("iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w").ok();
        let keys = PinnedKeys { device, master_signing_key: None };
        assert!(compare.confirm().receive_mac(&ReceivedMac { mac: &mac, keys: second }, &keys).is_err());
    }
});
