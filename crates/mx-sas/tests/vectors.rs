//! The vectors of the requirements: of matrix-sdk-crypto, of mautrix-go, and of Python and libolm 3.2.13.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use mx_sas::{Accepter, Choice, Commitment, Emoji, Flow, Offer, OwnKeys, ShortStrings, Starter};
use support::{CountingRng, START, START_IN_ROOM, alice, bob, flow, keys};

fn commitment(start_content: &[u8]) -> String {
    let choice = Choice::of_offer(&Offer::OURS, ShortStrings::ALL).unwrap();
    let accepter = Accepter::new(&mut CountingRng(0x20), flow(), choice, start_content).unwrap();
    accepter.commitment().to_base64(&mut [0; Commitment::BASE64_LEN]).to_owned()
}

// SAS-13, SAS-14
#[test]
fn commitments() {
    assert_eq!(commitment(START), "eUAhjwNvg6RIFyuGVWPe96FF5ENbdvlH1NGKx9riYp0");
    assert_eq!(commitment(START_IN_ROOM), "uSQKZBBOa7zO0AI89ESEJ9lcGu+90SB5/x5oEJwTP44");
}

// SAS-13: matrix-sdk-crypto's, of a key that nobody here has the secret of.
#[test]
fn a_commitment_of_another_implementation() {
    let start = br#"{"from_device":"XOWLHHFSWM","hashes":["sha256"],"key_agreement_protocols":["curve25519-hkdf-sha256","curve25519"],"message_authentication_codes":["hkdf-hmac-sha256","hmac-sha256"],"method":"m.sas.v1","short_authentication_string":["decimal","emoji"],"transaction_id":"bYxBsirjUJO9osar6ST4i2M2NjrYLA7l"}"#;
    let choice = Choice::of_offer(&Offer::OURS, ShortStrings::ALL).unwrap();
    let commitment = Commitment::from_base64("CCQmB4JCdB0FW21FdAnHj/Hu8+W9+Nb0vgwPEnZZQ4g").unwrap();
    let starter = Starter::new(&mut CountingRng(0), flow()).unwrap().receive_accept(choice, commitment);
    assert!(starter.receive_key("Q/NmNFEUS1fS+YeEmiZkjjblKTitrKOAk7cPEumcMlg", start).is_ok());
}

// SAS-20, SAS-22, SAS-23, SAS-24, SAS-25, SAS-30, SAS-31, SAS-32, SAS-34, SAS-35
#[test]
fn a_whole_flow() {
    let choice = Choice::of_offer(&Offer::OURS, ShortStrings::ALL).unwrap();
    let starter = Starter::new(&mut CountingRng(0), flow()).unwrap();
    let accepter = Accepter::new(&mut CountingRng(0x20), flow(), choice, START).unwrap();
    let starter = starter.receive_accept(choice, accepter.commitment());
    let key = starter.public_key().to_string();
    assert_eq!(key, "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8");
    let (key, at_bob) = accepter.receive_key(&key).unwrap();
    assert_eq!(key.to_string(), "NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ");
    let at_alice = starter.receive_key(&key.to_string(), START).unwrap();

    for compare in [&at_alice, &at_bob] {
        assert_eq!(compare.decimal(), Some([7494, 3487, 6453]));
        assert_eq!(compare.emoji().unwrap().map(Emoji::index), [50, 47, 9, 45, 58, 41, 42]);
        let words = ["Flag", "Key", "Rooster", "Scissors", "Trumpet", "Light Bulb", "Book"];
        assert_eq!(compare.emoji().unwrap().map(Emoji::description), words);
    }
    let [device, master, ..] = keys();
    let own = OwnKeys { device, master_signing_key: Some(master) };
    let macs = at_alice.confirm().macs(&own);
    assert_eq!(macs.device.as_str(), "WOhM+isZO7EEq7yHI1S6XYdkXgRJb7PVZ9jhqqbBOkw");
    let (name, mac) = macs.master_signing_key.unwrap();
    assert_eq!(name.as_str(), "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q");
    assert_eq!(mac.as_str(), "yOjP0/M+Zl/3grGUA58IXl9Nmvts2b1rL5mTsmFCUVg");
    assert_eq!(macs.keys.as_str(), "zr1BwPC2s7FlILrkSVuGQTYCwAS0Qp6hjRhvsbSknwE");
}

// SAS-33
#[cfg(feature = "legacy-mac")]
#[test]
fn attack_025_libolms_spelling_of_macs() {
    use mx_sas::MacMethod;

    let choice = Choice { mac: MacMethod::HkdfHmacSha256, short_strings: ShortStrings::ALL };
    let starter = Starter::new(&mut CountingRng(0), flow()).unwrap();
    let accepter = Accepter::new(&mut CountingRng(0x20), flow(), choice, START).unwrap();
    let starter = starter.receive_accept(choice, accepter.commitment());
    let (key, _) = accepter.receive_key(&starter.public_key().to_string()).unwrap();
    let [device, master, ..] = keys();
    let own = OwnKeys { device, master_signing_key: Some(master) };
    let macs = starter.receive_key(&key.to_string(), START).unwrap().confirm().macs(&own);
    assert_eq!(macs.device.as_str(), "WOhMTSsZc1oEMW9FTVc5RlRWYzVSbFJXWXpWU2JGSlg");
    let (_, mac) = macs.master_signing_key.unwrap();
    assert_eq!(mac.as_str(), "yOjPUPM+TSv3U3YzVTNZelZUTlplbFpVVGxwbGJGcFY");
    assert_eq!(macs.keys.as_str(), "zr1BQvC2QzJlekpsZWtwc1pXdHdjMXBYZEhkak1YQlk");
}

// SAS-26: seven of them need U+FE0F, none is there twice.
#[test]
fn the_table_of_emoji() {
    let choice = Choice::of_offer(&Offer::OURS, ShortStrings::ALL).unwrap();
    let mut all = BTreeMap::new();
    for seed in 0..200 {
        let flow = Flow::new("a", alice(), bob()).unwrap();
        let starter = Starter::new(&mut support::rng(seed), flow).unwrap();
        let accepter = Accepter::new(&mut support::rng(seed + 1_000), flow, choice, b"{}").unwrap();
        let starter = starter.receive_accept(choice, accepter.commitment());
        let (_, compare) = accepter.receive_key(&starter.public_key().to_string()).unwrap();
        for emoji in compare.emoji().unwrap() {
            all.insert(emoji.index(), emoji);
        }
    }
    assert_eq!(all.len(), 64);
    let symbols: BTreeSet<_> = all.values().map(|emoji| emoji.symbol()).collect();
    let words: BTreeSet<_> = all.values().map(|emoji| emoji.description()).collect();
    assert_eq!((symbols.len(), words.len()), (64, 64));
    let varied = all.values().filter(|emoji| emoji.symbol().ends_with('\u{fe0f}')).map(|emoji| emoji.index());
    assert!(varied.eq([21, 29, 37, 43, 45, 49, 53]));
    assert_eq!(all[&0].to_string(), "\u{1f436} Dog");
    assert_eq!(all[&63].to_string(), "\u{1f4cc} Pin");
}

// SAS-13, SAS-20, SAS-23, SAS-24, SAS-30, SAS-31, SAS-32, SAS-33: the same run from its shared secret.
#[cfg(all(feature = "hazmat", feature = "legacy-mac"))]
#[test]
fn the_values_of_a_run_from_its_secret() {
    use mx_curve25519::SharedSecret;
    use mx_sas::{
        MacMethod,
        hazmat::{self, Side, Values},
    };
    use mx_types::Curve25519PublicKey;

    let key = |text| Curve25519PublicKey::from_base64(text).unwrap();
    let starter = key("j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8");
    let accepter = key("NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ");
    let secret: [u8; 32] = core::array::from_fn(|at| {
        let text = "9663aa1da97e848a914a436d04163dfbb89178f107f1b5b77ed3854203382854";
        u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()
    });
    let values = Values::new(flow(), starter, accepter, SharedSecret::from_bytes(secret).unwrap());
    assert_eq!(
        values.short_string_info().to_string(),
        "MATRIX_KEY_VERIFICATION_SAS|@alice:example.org|ALICEDEVICE|j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8|@bob:example.org|BOBDEVICE|NYBy1jZYgNGu6jKa35EhODhR7SGijjt16WXQ0s0WYlQ|txn-0001"
    );
    assert_eq!(values.short_string(), &[0xca, 0xf2, 0x6d, 0xea, 0x9a, 0x8a]);
    assert_eq!(values.decimal(), [7494, 3487, 6453]);
    assert_eq!(values.emoji().map(Emoji::index), [50, 47, 9, 45, 58, 41, 42]);
    let [device, ..] = keys();
    let id = "ed25519:ALICEDEVICE";
    assert_eq!(
        values.mac_info(Side::Starter, id).to_string(),
        "MATRIX_KEY_VERIFICATION_MAC@alice:example.orgALICEDEVICE@bob:example.orgBOBDEVICEtxn-0001ed25519:ALICEDEVICE"
    );
    let text = hazmat::text_of_key(&device);
    let mac = |method| values.mac(Side::Starter, id, text.as_str(), method);
    assert_eq!(mac(MacMethod::HkdfHmacSha256V2).as_str(), "WOhM+isZO7EEq7yHI1S6XYdkXgRJb7PVZ9jhqqbBOkw");
    assert_eq!(mac(MacMethod::HkdfHmacSha256).as_str(), "WOhMTSsZc1oEMW9FTVc5RlRWYzVSbFJXWXpWU2JGSlg");
    let list = "ed25519:ALICEDEVICE,ed25519:gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q";
    let mac = values.mac(Side::Starter, hazmat::KEY_IDS, list, MacMethod::HkdfHmacSha256V2);
    assert_eq!(mac.as_str(), "zr1BwPC2s7FlILrkSVuGQTYCwAS0Qp6hjRhvsbSknwE");
    let commitment = hazmat::commitment(&accepter, START);
    assert_eq!(
        commitment.to_base64(&mut [0; Commitment::BASE64_LEN]),
        "eUAhjwNvg6RIFyuGVWPe96FF5ENbdvlH1NGKx9riYp0"
    );
    assert!(format!("{values:?}").ends_with(".. }"));
}
