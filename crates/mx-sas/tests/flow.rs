//! Whole flows, and each way in which one ends.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod support;

use mx_sas::{
    Accepter, Choice, Commitment, Compare, Flow, InvalidFlow, KeySent, MAX_MACS, MacMethod, Offer, OwnKeys,
    PinnedKeys, ReceivedMac, SasError, ShortStrings, Starter, VerifiedKeys,
};
use mx_types::base64::{self, DecodeError, TrailingBits};
use proptest::prelude::*;
use support::{CountingRng, START, alice, bob, flow, keys, party, rng};

const CHOICE: Choice = Choice { mac: MacMethod::HkdfHmacSha256V2, short_strings: ShortStrings::ALL };

fn sides(flow: Flow<&str>) -> (KeySent<&str>, Accepter<&str>) {
    let starter = Starter::new(&mut rng(1), flow).unwrap();
    let accepter = Accepter::new(&mut rng(2), flow, CHOICE, START).unwrap();
    (starter.receive_accept(CHOICE, accepter.commitment()), accepter)
}

/// Both sides, about to compare.
fn comparing(flow: Flow<&str>) -> (Compare<&str>, Compare<&str>) {
    let (starter, accepter) = sides(flow);
    let (key, at_bob) = accepter.receive_key(&starter.public_key().to_string()).unwrap();
    (starter.receive_key(&key.to_string(), START).unwrap(), at_bob)
}

/// Bob's MACs of his device key and his master signing key, as they are sent.
fn bobs_macs(at_bob: Compare<&str>) -> ([(String, String); 2], String) {
    let [_, _, device, master] = keys();
    let macs = at_bob.confirm().macs(&OwnKeys { device, master_signing_key: Some(master) });
    let (name, mac) = macs.master_signing_key.unwrap();
    let macs_of_keys = [
        ("ed25519:BOBDEVICE".to_owned(), macs.device.as_str().to_owned()),
        (format!("ed25519:{}", name.as_str()), mac.as_str().to_owned()),
    ];
    (macs_of_keys, macs.keys.as_str().to_owned())
}

fn bobs_keys() -> PinnedKeys {
    let [_, _, device, master] = keys();
    PinnedKeys { device: Some(device), master_signing_key: Some(master) }
}

fn receive(mac: &[(&str, &str)], list: &str, keys: &PinnedKeys) -> Result<VerifiedKeys, SasError> {
    let (at_alice, _) = comparing(flow());
    let early = at_alice.receive_mac(&ReceivedMac { mac, keys: list }, keys);
    let (at_alice, _) = comparing(flow());
    let late = at_alice.confirm().receive_mac(&ReceivedMac { mac, keys: list }, keys);
    let own = OwnKeys { device: support::keys()[0], master_signing_key: None };
    let early = early.map(|confirmed| confirmed.confirm(&own).1);
    assert_eq!(early, late, "before and after our user has confirmed");
    early
}

// SAS-36, SAS-37, SAS-41, SAS-43
#[test]
fn attack_101_right_macs_verify_and_wrong_ones_do_not() {
    let (_, at_bob) = comparing(flow());
    let ([(device_id, device_mac), (master_id, master_mac)], list) = bobs_macs(at_bob);
    let mac = [(device_id.as_str(), device_mac.as_str()), (master_id.as_str(), master_mac.as_str())];
    let [_, _, device, master] = keys();
    let all = VerifiedKeys { device: Some(device), master_signing_key: Some(master) };
    assert_eq!(receive(&mac, &list, &bobs_keys()), Ok(all));
    // In any order, with padding.
    let padded = [(mac[1].0, &*format!("{master_mac}=")), (mac[0].0, &*format!("{device_mac}="))];
    assert_eq!(receive(&padded, &format!("{list}="), &bobs_keys()), Ok(all));

    // Each bit of each MAC.
    let flip = |text: &str, bit: usize| {
        let mut bytes: [u8; 32] = base64::decode_array(text, TrailingBits::Refused).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        base64::encode_to_string(&bytes)
    };
    for bit in 0..256 {
        let (wrong_device, wrong_master) = (flip(&device_mac, bit), flip(&master_mac, bit));
        for mac in [[(mac[0].0, wrong_device.as_str()), mac[1]], [mac[0], (mac[1].0, wrong_master.as_str())]]
        {
            assert_eq!(receive(&mac, &list, &bobs_keys()), Err(SasError::KeyMismatch), "bit {bit}");
        }
        assert_eq!(receive(&mac, &flip(&list, bit), &bobs_keys()), Err(SasError::KeyMismatch), "bit {bit}");
    }
}

// SAS-38, SAS-40, SAS-43, SAS-44
#[test]
fn attack_105_macs_are_of_the_keys_of_the_beginning() {
    let (_, at_bob) = comparing(flow());
    let ([(device_id, device_mac), (master_id, master_mac)], list) = bobs_macs(at_bob);
    let mac = [(device_id.as_str(), device_mac.as_str()), (master_id.as_str(), master_mac.as_str())];
    let [other, _, device, master] = keys();
    let with = |device, master_signing_key| receive(&mac, &list, &PinnedKeys { device, master_signing_key });
    // Another key in the directory than the one that Bob has.
    assert_eq!(with(Some(other), Some(master)), Err(SasError::KeyMismatch));
    // Bob's master signing key is unknown here: its name names no key, and the device's is enough.
    let only = |device, master_signing_key| Ok(VerifiedKeys { device, master_signing_key });
    assert_eq!(with(Some(device), Some(other)), only(Some(device), None));
    assert_eq!(with(Some(device), None), only(Some(device), None));
    assert_eq!(with(None, Some(master)), only(None, Some(master)));
    assert_eq!(with(None, None), Err(SasError::NothingVerified));
    assert_eq!(with(None, Some(other)), Err(SasError::NothingVerified));
    assert_eq!(SasError::NothingVerified.cancel_code(), "m.key_mismatch");
}

// SAS-37, SAS-44
#[test]
fn attack_107_the_list_of_keys_is_what_was_sent() {
    let (_, at_bob) = comparing(flow());
    let ([(device_id, device_mac), (master_id, master_mac)], list) = bobs_macs(at_bob);
    let (device, master) =
        ((device_id.as_str(), device_mac.as_str()), (master_id.as_str(), master_mac.as_str()));
    let refused = |mac: &[(&str, &str)], error| {
        assert_eq!(receive(mac, &list, &bobs_keys()), Err(error), "{mac:?}");
    };
    // One fewer, one more, another one, none.
    refused(&[device], SasError::KeyMismatch);
    refused(&[master], SasError::KeyMismatch);
    refused(&[device, master, ("ed25519:OTHER", device.1)], SasError::KeyMismatch);
    refused(&[device, ("ed25519:OTHER", master.1)], SasError::KeyMismatch);
    refused(&[], SasError::KeyMismatch);
    // The MACs in each other's place.
    refused(&[(device.0, master.1), (master.0, device.1)], SasError::KeyMismatch);
    // One ID twice, with the same MAC or another.
    refused(&[device, master, device], SasError::AmbiguousKeyId);
    refused(&[device, (device.0, master.1)], SasError::AmbiguousKeyId);
    // Other algorithms and spellings of the names are no keys of ours, and not in Bob's list.
    refused(&[("curve25519:BOBDEVICE", device.1), master], SasError::KeyMismatch);
    refused(&[("ed25519:bobdevice", device.1), master], SasError::KeyMismatch);
    // MACs that are none.
    for (wrong, error) in [
        ("", DecodeError::UnexpectedLength { expected: 32, found: 0 }),
        ("AAAA", DecodeError::UnexpectedLength { expected: 32, found: 3 }),
        ("A", DecodeError::InvalidLength),
        (&"-".repeat(43), DecodeError::InvalidCharacter),
    ] {
        refused(&[device, (master.0, wrong)], SasError::Malformed(error));
        assert_eq!(receive(&[device, master], wrong, &bobs_keys()), Err(SasError::Malformed(error)));
    }
    let ids: Vec<_> = (0..=MAX_MACS).map(|n| format!("ed25519:{n}")).collect();
    let many: Vec<_> = ids.iter().map(|id| (id.as_str(), device.1)).collect();
    refused(&many, SasError::TooManyMacs { count: MAX_MACS + 1 });
    refused(&many[1..], SasError::KeyMismatch);
}

// SAS-31: names are sorted by their bytes, those of unknown keys among them.
#[test]
fn the_list_of_keys_is_sorted() {
    // Device IDs on both sides of the master signing key's name.
    for device_name in ["AAA", "zzz"] {
        let party = party("@bob:example.org", device_name);
        let flow = Flow::new("txn-0001", alice(), party).unwrap();
        let (at_alice, at_bob) = comparing(flow);
        let (macs, list) = bobs_macs(at_bob);
        let device_id = format!("ed25519:{device_name}");
        let mac = [(device_id.as_str(), macs[0].1.as_str()), (macs[1].0.as_str(), macs[1].1.as_str())];
        let received = ReceivedMac { mac: &mac, keys: &list };
        assert!(at_alice.confirm().receive_mac(&received, &bobs_keys()).is_ok(), "{device_name}");
    }
}

// SAS-40
#[test]
fn attack_103_a_device_that_is_called_like_a_key() {
    let [_, _, device, master] = keys();
    let name = master.to_string();
    for device_id in [name.clone(), format!("{name}=")] {
        let flow = Flow::new("txn-0001", alice(), party("@bob:example.org", &device_id)).unwrap();
        let (at_alice, at_bob) = comparing(flow);
        let macs = at_bob.confirm().macs(&OwnKeys { device, master_signing_key: None });
        let key_id = format!("ed25519:{device_id}");
        let mac = [(key_id.as_str(), macs.device.as_str())];
        let received = ReceivedMac { mac: &mac, keys: macs.keys.as_str() };
        let error = at_alice.confirm().receive_mac(&received, &bobs_keys()).unwrap_err();
        assert_eq!((error, error.cancel_code()), (SasError::AmbiguousKeyId, "m.key_mismatch"));
    }
}

// SAS-13, SAS-16, SAS-17
#[test]
fn attack_096_a_key_other_than_the_committed_one_or_another_start() {
    let (starter, accepter) = sides(flow());
    let (key, _) = accepter.receive_key(&starter.public_key().to_string()).unwrap();
    let commitment = Accepter::new(&mut rng(2), flow(), CHOICE, START).unwrap().commitment();
    let starter = |commitment| Starter::new(&mut rng(1), flow()).unwrap().receive_accept(CHOICE, commitment);
    let error = |key: &[u8], start: &[u8]| {
        starter(commitment).receive_key(&base64::encode_to_string(key), start).map(drop).unwrap_err()
    };
    for at in 0..32 {
        let mut other = *key.as_bytes();
        other[at] ^= 1;
        assert_eq!(error(&other, START), SasError::Commitment, "byte {at} of the key");
    }
    for at in 0..START.len() {
        let mut other = START.to_vec();
        other[at] ^= 1;
        assert_eq!(error(key.as_bytes(), &other), SasError::Commitment, "byte {at} of the start");
    }
    assert_eq!(error(key.as_bytes(), &START[..START.len() - 1]), SasError::Commitment);
    assert_eq!(SasError::Commitment.cancel_code(), "m.mismatched_commitment");
    // Every bit of the commitment.
    let text = commitment.to_base64(&mut [0; Commitment::BASE64_LEN]).to_owned();
    for bit in 0..256 {
        let mut bytes: [u8; 32] = base64::decode_array(&text, TrailingBits::Refused).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let other = Commitment::from_base64(&base64::encode_to_string(&bytes)).unwrap();
        let refused = starter(other).receive_key(&key.to_string(), START).map(drop).unwrap_err();
        assert_eq!(refused, SasError::Commitment, "bit {bit}");
    }
    let right = Commitment::from_base64(&format!("{text}=")).unwrap();
    assert!(starter(right).receive_key(&key.to_string(), START).is_ok());
    assert!(matches!(Commitment::from_base64("AAAA"), Err(SasError::Malformed(_))));
}

// SAS-18: its length, then the commitment, then whether it is our own, then whether it contributes.
#[test]
fn attack_099_keys_that_nobody_may_use() {
    // Points of order 1, 2, 4 and 8, and the same numbers plus the prime.
    let small = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for hex in small {
        for top in [0, 0x80] {
            let mut key = [0; 32];
            for (byte, digits) in key.iter_mut().zip(hex.as_bytes().chunks(2)) {
                *byte = u8::from_str_radix(core::str::from_utf8(digits).unwrap(), 16).unwrap();
            }
            key[31] |= top;
            let text = base64::encode_to_string(&key);
            let (starter, accepter) = sides(flow());
            assert_eq!(accepter.receive_key(&text).map(drop).unwrap_err(), SasError::UnusableKey, "{hex}");
            // A starter sees first that it is not what was committed to.
            assert_eq!(starter.receive_key(&text, START).map(drop).unwrap_err(), SasError::Commitment);
            // Committed to, it is refused all the same.
            let commitment = mx_aes_sha2::sha256(&[text.as_bytes(), START]);
            let commitment = Commitment::from_base64(&base64::encode_to_string(&commitment)).unwrap();
            let starter = Starter::new(&mut rng(1), flow()).unwrap().receive_accept(CHOICE, commitment);
            assert_eq!(starter.receive_key(&text, START).map(drop).unwrap_err(), SasError::UnusableKey);
        }
    }
    // Our own.
    let (starter, accepter) = sides(flow());
    let own = starter.public_key().to_string();
    let commitment = mx_aes_sha2::sha256(&[own.as_bytes(), START]);
    let commitment = Commitment::from_base64(&base64::encode_to_string(&commitment)).unwrap();
    let starter = Starter::new(&mut rng(1), flow()).unwrap().receive_accept(CHOICE, commitment);
    assert_eq!(starter.receive_key(&own, START).map(drop).unwrap_err(), SasError::UnusableKey);
    let (bobs, _) = accepter.receive_key(&own).unwrap();
    let (_, accepter) = sides(flow());
    assert_eq!(accepter.receive_key(&bobs.to_string()).map(drop).unwrap_err(), SasError::UnusableKey);
    assert_eq!(SasError::UnusableKey.cancel_code(), "m.key_mismatch");
    // A second spelling of a key.
    let (starter, accepter) = sides(flow());
    let mut key = starter.public_key().to_string().into_bytes();
    key[42] += 1;
    let key = String::from_utf8(key).unwrap();
    let error = accepter.receive_key(&key).map(drop).unwrap_err();
    assert_eq!(error, SasError::Malformed(DecodeError::TrailingBits));
    // Not 32 bytes.
    for len in [0, 1, 31, 33, 64] {
        let (starter, accepter) = sides(flow());
        let text = base64::encode_to_string(&vec![9; len]);
        let error = SasError::Malformed(DecodeError::UnexpectedLength { expected: 32, found: len });
        assert_eq!(accepter.receive_key(&text).map(drop).unwrap_err(), error);
        assert_eq!(starter.receive_key(&text, START).map(drop).unwrap_err(), error);
        assert_eq!(error.cancel_code(), "m.invalid_message");
    }
}

// SAS-16, SAS-18, SAS-19: each state is consumed; see also the example that does not compile.
#[test]
fn attack_097_each_flow_has_keys_of_its_own() {
    let starter = |seed| Starter::new(&mut rng(seed), flow()).unwrap();
    let (_, accepter) = sides(flow());
    let commitment = accepter.commitment();
    let keys = [1, 1, 2].map(|seed| starter(seed).receive_accept(CHOICE, commitment).public_key());
    assert!(keys[0] == keys[1] && keys[0] != keys[2]);
    assert!(format!("{:?}", starter(1)).starts_with("Starter { flow: Flow {"));
    assert!(!format!("{:?}", comparing(flow()).0).contains("secret"));
}

// SAS-2, SAS-8, SAS-9
#[test]
fn attack_100_the_best_that_both_have_and_nothing_else() {
    let ours = Offer::OURS;
    assert_eq!(Choice::of_offer(&ours, ShortStrings::ALL), Ok(CHOICE));
    let none = Err(SasError::NoCommonMethod);
    let choose = |offer: Offer<'_>| Choice::of_offer(&offer, ShortStrings::ALL);
    assert_eq!(choose(Offer { key_agreement_protocols: &["curve25519"], ..ours }), none);
    assert_eq!(choose(Offer { key_agreement_protocols: &[], ..ours }), none);
    assert_eq!(choose(Offer { hashes: &["sha512", "sha256 "], ..ours }), none);
    assert_eq!(choose(Offer { message_authentication_codes: &["hmac-sha256"], ..ours }), none);
    assert_eq!(choose(Offer { short_authentication_string: &["text"], ..ours }), none);
    let both = &["hkdf-hmac-sha256", "hkdf-hmac-sha256.v2"];
    assert_eq!(choose(Offer { message_authentication_codes: both, ..ours }), Ok(CHOICE));
    let old = choose(Offer { message_authentication_codes: &both[..1], ..ours });
    #[cfg(feature = "legacy-mac")]
    assert_eq!(old.unwrap().mac, MacMethod::HkdfHmacSha256);
    #[cfg(not(feature = "legacy-mac"))]
    assert_eq!(old, none);
    let extended = Offer {
        key_agreement_protocols: &["curve25519", "curve25519-hkdf-sha256"],
        short_authentication_string: &["emoji", "text"],
        ..ours
    };
    let emoji = ShortStrings { decimal: false, emoji: true };
    assert_eq!(choose(extended), Ok(Choice { short_strings: emoji, ..CHOICE }));
    let decimal = ShortStrings { decimal: true, emoji: false };
    assert_eq!(Choice::of_offer(&extended, decimal), none);
    assert!(decimal.names().eq(["decimal"]) && ShortStrings::ALL.names().eq(["decimal", "emoji"]));
    assert_eq!(SasError::NoCommonMethod.cancel_code(), "m.unknown_method");
}

// SAS-10, SAS-11
#[test]
fn attack_100_an_accept_that_was_not_offered() {
    let accept = |offer: &Offer<'_>, agreement: &str, hash: &str, mac: &str, strings: &[&str]| {
        Choice::of_accept(offer, agreement, hash, mac, strings)
    };
    let good = ("curve25519-hkdf-sha256", "sha256", "hkdf-hmac-sha256.v2");
    let ours = Offer::OURS;
    assert_eq!(accept(&ours, good.0, good.1, good.2, &["emoji", "decimal"]), Ok(CHOICE));
    let refused = Err(SasError::NotOffered);
    assert_eq!(accept(&ours, "curve25519", good.1, good.2, &["emoji"]), refused);
    assert_eq!(accept(&ours, good.0, "sha512", good.2, &["emoji"]), refused);
    assert_eq!(accept(&ours, good.0, good.1, "hmac-sha256", &["emoji"]), refused);
    assert_eq!(accept(&ours, "", "", "", &["emoji"]), refused);
    // What is known here but was not offered.
    let other = Offer { message_authentication_codes: &["hkdf-hmac-sha256"], ..ours };
    assert_eq!(accept(&other, good.0, good.1, good.2, &["emoji"]), refused);
    // What was offered but is not known here.
    let foreign_hash = Offer { hashes: &["sha512"], ..ours };
    assert_eq!(accept(&foreign_hash, good.0, "sha512", good.2, &["emoji"]), refused);
    assert_eq!(accept(&foreign_hash, good.0, good.1, good.2, &["emoji"]), refused);
    let foreign_agreement = Offer { key_agreement_protocols: &["curve25519"], ..ours };
    assert_eq!(accept(&foreign_agreement, "curve25519", good.1, good.2, &["emoji"]), refused);
    assert_eq!(accept(&foreign_agreement, good.0, good.1, good.2, &["emoji"]), refused);
    // Decimal is added by matrix-sdk-crypto, asked or not.
    let emoji = Offer { short_authentication_string: &["emoji"], ..ours };
    let choice = accept(&emoji, good.0, good.1, good.2, &["decimal", "emoji"]).unwrap();
    assert_eq!(choice.short_strings, ShortStrings { decimal: false, emoji: true });
    let none = Err(SasError::NoCommonMethod);
    assert_eq!(accept(&emoji, good.0, good.1, good.2, &["decimal"]), none);
    assert_eq!(accept(&ours, good.0, good.1, good.2, &[]), none);
    assert_eq!(SasError::NotOffered.cancel_code(), "m.unknown_method");
}

// SAS-27
#[test]
fn only_what_both_can_display_is_displayed() {
    for decimal in [true, false] {
        let choice = Choice { short_strings: ShortStrings { decimal, emoji: !decimal }, ..CHOICE };
        let accepter = Accepter::new(&mut rng(2), flow(), choice, START).unwrap();
        let starter =
            Starter::new(&mut rng(1), flow()).unwrap().receive_accept(choice, accepter.commitment());
        let (_, compare) = accepter.receive_key(&starter.public_key().to_string()).unwrap();
        assert_eq!((compare.decimal().is_some(), compare.emoji().is_some()), (decimal, !decimal));
    }
}

// SAS-30: the names in what MACs are derived from run into each other. They are the flow's from its beginning, no message
// can change them, and the strings that the users compare have separators.
#[test]
fn attack_108_names_without_separators_collide_and_cannot_be_chosen() {
    let at_alice = |device_id, id| {
        let flow = Flow::new(id, alice(), party("@bob:example.org", device_id)).unwrap();
        let (at_alice, _) = comparing(flow);
        let numbers = at_alice.decimal();
        let own = OwnKeys { device: keys()[2], master_signing_key: None };
        (numbers, at_alice.confirm().macs(&own).device.as_str().to_owned())
    };
    let (one, other) = (at_alice("BOBDEVICE", "1txn"), at_alice("BOBDEVICE1", "txn"));
    assert_eq!(one.1, other.1);
    assert_ne!(one.0, other.0);
}

#[test]
fn flows_that_there_are_not() {
    let error = |id: &str| Flow::new(id, alice(), bob()).unwrap_err();
    assert_eq!(error(""), InvalidFlow::IdLength { len: 0 });
    assert_eq!(error(&"a".repeat(256)), InvalidFlow::IdLength { len: 256 });
    assert!(Flow::new(&"a".repeat(255), alice(), bob()).is_ok());
    assert_eq!(Flow::new("a", alice(), alice()), Err(InvalidFlow::OneDevice));
    assert!(Flow::new("a", alice(), party("@alice:example.org", "OTHER")).is_ok());
}

proptest! {
    // SAS-20: whatever differs between the two sides shows.
    #[test]
    fn every_part_of_the_flow_counts(place in 0..5_usize, seed in 0..1_000_u64) {
        let (mut user_a, mut device_a, mut user_b, mut device_b, mut id) = (
            "@alice:example.org".to_owned(),
            "ALICEDEVICE".to_owned(),
            "@bob:example.org".to_owned(),
            "BOBDEVICE".to_owned(),
            "txn-0001".to_owned(),
        );
        [&mut user_a, &mut device_a, &mut user_b, &mut device_b, &mut id][place].push('x');
        let other = Flow::new(&id, party(&user_a, &device_a), party(&user_b, &device_b)).unwrap();
        let accepter = Accepter::new(&mut rng(seed), other, CHOICE, START).unwrap();
        let starter = Starter::new(&mut rng(seed + 1), flow()).unwrap();
        let starter = starter.receive_accept(CHOICE, accepter.commitment());
        let (key, at_bob) = accepter.receive_key(&starter.public_key().to_string()).unwrap();
        let at_alice = starter.receive_key(&key.to_string(), START).unwrap();
        prop_assert_ne!(at_alice.emoji(), at_bob.emoji());
    }

    #[test]
    fn anything_may_come_as_a_key_or_mac(text in "\\PC{0,60}", list in "[A-Za-z0-9+/=]{40,45}") {
        let (starter, accepter) = sides(flow());
        prop_assert!(accepter.receive_key(&text).is_err());
        prop_assert!(starter.receive_key(&text, START).is_err());
        let (at_alice, _) = comparing(flow());
        let mac = ReceivedMac { mac: &[(&text, &text)], keys: &list };
        prop_assert!(at_alice.receive_mac(&mac, &bobs_keys()).is_err());
    }
}

#[test]
fn a_generator_that_counts_gives_the_keys_of_the_vectors() {
    let accepter = Accepter::new(&mut CountingRng(0x20), flow(), CHOICE, START).unwrap();
    assert!(accepter.receive_key("j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8").is_ok());
}

// A state that is stored holds its names itself, and derives the same from them.
#[test]
fn names_are_borrowed_or_kept() {
    let kept: Flow<String> = {
        let id = String::from("txn-0001");
        Flow::new(&id, alice(), bob()).unwrap().keep()
    };
    let (_, accepter) = sides(flow());
    let starter = Starter::new(&mut rng(1), kept).unwrap().receive_accept(CHOICE, accepter.commitment());
    let (key, at_bob) = accepter.receive_key(&starter.public_key().to_string()).unwrap();
    let at_alice = starter.receive_key(&key.to_string(), START).unwrap();
    assert_eq!((at_alice.decimal(), at_alice.emoji()), (at_bob.decimal(), at_bob.emoji()));
    let (mac, list) = bobs_macs(at_bob);
    let mac = mac.each_ref().map(|(name, mac)| (name.as_str(), mac.as_str()));
    let verified = at_alice.confirm().receive_mac(&ReceivedMac { mac: &mac, keys: &list }, &bobs_keys());
    assert!(verified.is_ok());
}
