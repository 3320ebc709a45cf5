//! The binary form: vectors, bad input, and what is displayed is read.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod support;

use mx_qr_code::{
    CodeError, DeviceKeyBytes, DisplayError, Displayed, Displaying, InvalidSecret, Keys,
    MasterSigningKeyBytes, QrCode, ReciprocateSecret,
};
use mx_types::{
    BufferTooSmall,
    base64::{self, TrailingBits},
};
use proptest::prelude::*;
use support::{FailingRng, key, keys, rng};

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|digits| u8::from_str_radix(core::str::from_utf8(digits).unwrap(), 16).unwrap())
        .collect()
}

const FIRST: &str = "6b53202f92691e36cd2767f92311d88aa2f631051b36effca425801a0cd2e804";
const SECOND: &str = "bd527cf86e07a41fb4cc330e4254e75b7efd87d03642df6f5676259b86aebc4d";

// Q3, Q4, Q5
#[test]
fn codes_of_each_mode() {
    let (first, second): ([u8; 32], [u8; 32]) =
        (hex(FIRST).try_into().unwrap(), hex(SECOND).try_into().unwrap());
    let (own, their) = (key(&first), key(&second));
    let modes = [
        (
            "$test:localhost",
            Displaying::ToOtherUser { own_master: own, their_master: their },
            Keys::OtherUser {
                displaying_user: MasterSigningKeyBytes(first),
                scanning_user: MasterSigningKeyBytes(second),
            },
        ),
        (
            "FLOWID",
            Displaying::Trusting { own_master: own, their_device: their },
            Keys::OwnUserTrusted {
                master: MasterSigningKeyBytes(first),
                scanning_device: DeviceKeyBytes(second),
            },
        ),
        (
            "FLOW_ID",
            Displaying::NotTrusting { own_device: own, own_master: their },
            Keys::OwnUserUntrusted {
                displaying_device: DeviceKeyBytes(first),
                master: MasterSigningKeyBytes(second),
            },
        ),
    ];
    for (mode, (flow_id, displaying, keys)) in modes.into_iter().enumerate() {
        let mode = u8::try_from(mode).unwrap();
        let len = u8::try_from(flow_id.len()).unwrap();
        let expected =
            [b"MATRIX\x02", &[mode, 0, len][..], flow_id.as_bytes(), &first, &second, b"SHARED_SECRET"]
                .concat();
        let secret = ReciprocateSecret::from_bytes(b"SHARED_SECRET").unwrap();
        let displayed = Displayed::from_parts(flow_id, displaying, secret).unwrap();
        let mut out = [0; Displayed::MAX_LEN];
        assert_eq!(displayed.emit(&mut out).unwrap(), expected);
        assert_eq!(displayed.emitted_len(), expected.len());

        let code = QrCode::parse(&expected).unwrap();
        assert_eq!((code.flow_id(), code.keys()), (flow_id, &keys));
    }
    let third = "4d41545249580200000f24746573743a6c6f63616c686f73746b53202f92691e36cd2767f92311d88aa2f631051b36effca425801a0cd2e804bd527cf86e07a41fb4cc330e4254e75b7efd87d03642df6f5676259b86aebc4d5348415245445f534543524554";
    assert_eq!(QrCode::parse(&hex(third)).unwrap().flow_id(), "$test:localhost");
}

// Q1, Q2, QR-15: the second key of Q1 is no point of the curve.
#[test]
fn codes_of_others() {
    let codes = [
        (
            "TUFUUklYAgEAIEduQWVDdnRXanpNT1ZXUVRrdDM1WVJVcnVqbVJQYzhhGDJ8w4zCpsK1wqdQV2cZXsOvwqDCmMKdNsOtehAuGD5Ow4TDgUUMwq4ZeMKZBsKSwpTCjsK3WcKWwq3DvXBqEcK6wqkpw48NwrjCiGdbw7MBwrBjLsKlw7Ngw4IEw6NyfXwdwrbCusKBHsKZwrh/Cg==",
            "GnAeCvtWjzMOVWQTkt35YRUrujmRPc8a",
            "GDJ8w4zCpsK1wqdQV2cZXsOvwqDCmMKdNsOtehAuGD4=",
            "TsOEw4FFDMKuGXjCmQbCksKUwo7Ct1nClsKtw71wahE=",
        ),
        (
            "TUFUUklYAgEAIGM1YjljNzE3ZWIzYjRmYzBiZDhhZjA0MDQ4NDY5MDdle4oLkpUdO1cTu5M3K3B4BlnpxtAbVgXCuQKOIqMmt+xAjVvaEXF39X0z5waRY9UE0b5PKiWvOBSJHEGkxX28Y2OEDLIWP/kCVUlyXXENlj0=",
            "c5b9c717eb3b4fc0bd8af0404846907e",
            "e4oLkpUdO1cTu5M3K3B4BlnpxtAbVgXCuQKOIqMmt+w=",
            "QI1b2hFxd/V9M+cGkWPVBNG+TyolrzgUiRxBpMV9vGM=",
        ),
    ];
    for (payload, flow_id, first, second) in codes {
        let payload = base64::decode_to_vec(payload, TrailingBits::Refused).unwrap();
        let code = QrCode::parse(&payload).unwrap();
        let decode = |text| base64::decode_array(text, TrailingBits::Refused).unwrap();
        let keys = Keys::OwnUserTrusted {
            master: MasterSigningKeyBytes(decode(first)),
            scanning_device: DeviceKeyBytes(decode(second)),
        };
        assert_eq!((code.flow_id(), code.keys()), (flow_id, &keys));
        // Every cut that leaves fewer than 8 bytes of the secret.
        let secret = payload.len() - (10 + 32 + 64);
        for len in 0..payload.len() - secret + 8 {
            assert!(QrCode::parse(&payload[..len]).is_err(), "{len}");
        }
    }
}

fn code(mode: u8, flow_id: &[u8], secret: &[u8]) -> Vec<u8> {
    let len = u16::try_from(flow_id.len()).unwrap().to_be_bytes();
    [b"MATRIX\x02", &[mode][..], &len, flow_id, &[1; 32], &[2; 32], secret].concat()
}

// QR-14, QR-16
#[test]
fn attack_112_what_is_no_code_has_a_named_error() {
    let good = code(0, b"$request", &[7; 16]);
    assert!(QrCode::parse(&good).is_ok());
    let with = |at: usize, byte: u8| {
        let mut code = good.clone();
        code[at] = byte;
        QrCode::parse(&code).map(drop).unwrap_err()
    };
    for at in 0..6 {
        assert_eq!(with(at, b'x'), CodeError::NotMatrix);
    }
    for version in (0..=255).filter(|version| *version != 2) {
        assert_eq!(with(6, version), CodeError::Version { found: version });
    }
    for mode in 3..=255 {
        assert_eq!(with(7, mode), CodeError::Mode { found: mode });
    }
    assert_eq!(with(8, 0xff), CodeError::Truncated);
    assert_eq!(with(12, 0xff), CodeError::FlowIdNotText);
    let parse = |code: &[u8]| QrCode::parse(code).map(drop).unwrap_err();
    // What is wrong first is told, whatever is missing behind it.
    assert_eq!(parse(b"NonMatrixCode"), CodeError::NotMatrix);
    assert_eq!(parse(b"MATRIX\x01\x03"), CodeError::Version { found: 1 });
    assert_eq!(parse(b"MATRIX\x02\x03"), CodeError::Mode { found: 3 });
    assert_eq!(parse(b"MATRIX\x02\x02"), CodeError::Truncated);
    assert_eq!(
        parse(&code(0, b"$request", b"SECRET")),
        CodeError::Secret(InvalidSecret::TooShort { len: 6 })
    );
    assert_eq!(parse(&code(0, b"", &[7; 16])), CodeError::NoFlowId);
    for len in 0..8 {
        let error = CodeError::Secret(InvalidSecret::TooShort { len });
        assert_eq!(parse(&code(0, b"$request", &vec![0; len])), error);
    }
    for len in [65, 66, 1_000] {
        let error = CodeError::Secret(InvalidSecret::TooLong { len });
        assert_eq!(parse(&code(0, b"$request", &vec![7; len])), error);
    }
    for len in 0..good.len() - 16 {
        let expected = if len < 6 { CodeError::NotMatrix } else { CodeError::Truncated };
        assert_eq!(parse(&good[..len]), expected, "{len}");
    }
    // The length says more than there is, with the whole rest for the ID.
    let mut long = code(1, &[b'a'; 200], &[7; 16]);
    long[8..10].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(parse(&long), CodeError::Truncated);
    // As much as the length can say.
    assert!(QrCode::parse(&code(2, &[b'a'; 65_535], &[7; 8])).is_ok());
}

// QR-13, QR-17, QR-18
#[test]
fn what_is_displayed() {
    let displaying = Displaying::Trusting { own_master: keys()[0], their_device: keys()[1] };
    let long = "a".repeat(256);
    for len in [0, 256] {
        let error = Displayed::new(&mut rng(), &long[..len], displaying).unwrap_err();
        assert_eq!(error, DisplayError::FlowIdLength { len });
    }
    assert!(matches!(
        Displayed::new(&mut FailingRng, "a", displaying),
        Err(DisplayError::RandomnessFailed(_))
    ));
    let displayed = Displayed::new(&mut rng(), &long[..255], displaying).unwrap();
    assert_eq!((displayed.secret().as_bytes().len(), displayed.emitted_len()), (16, 345));
    let mut out = [0xaa; Displayed::MAX_LEN];
    let code = displayed.emit(&mut out).unwrap().to_vec();
    assert_eq!(displayed.emit(&mut out).unwrap(), code, "the same when it is displayed again");
    let other = Displayed::new(&mut support::rng_of(2), &long[..255], displaying).unwrap();
    assert_ne!(other.secret().as_bytes(), displayed.secret().as_bytes());
    for len in 0..345 {
        let mut out = [0xaa; 345];
        assert_eq!(displayed.emit(&mut out[..len]), Err(BufferTooSmall { needed: 345 }));
        assert_eq!(out, [0xaa; 345]);
    }
    #[cfg(feature = "alloc")]
    assert_eq!(*displayed.emit_to_vec(), code);
}

#[test]
fn a_secret_is_not_shown() {
    let displaying = Displaying::Trusting { own_master: keys()[0], their_device: keys()[1] };
    let displayed = Displayed::new(&mut rng(), "a", displaying).unwrap();
    assert_eq!(format!("{:?}", displayed.secret()), "ReciprocateSecret { .. }");
}

proptest! {
    #[test]
    fn what_is_displayed_is_read(
        mode in 0..3_u8,
        flow_id in "\\PC{1,60}",
        secret in prop::collection::vec(any::<u8>(), 8..=64),
    ) {
        let displaying = match mode {
            0 => Displaying::ToOtherUser { own_master: keys()[0], their_master: keys()[1] },
            1 => Displaying::Trusting { own_master: keys()[0], their_device: keys()[1] },
            _ => Displaying::NotTrusting { own_device: keys()[0], own_master: keys()[1] },
        };
        let secret = ReciprocateSecret::from_bytes(&secret).unwrap();
        let displayed = Displayed::from_parts(&flow_id, displaying, secret).unwrap();
        let mut out = [0; Displayed::MAX_LEN];
        let code = QrCode::parse(displayed.emit(&mut out).unwrap()).unwrap();
        prop_assert_eq!(code.flow_id(), flow_id.as_str());
        prop_assert_eq!(*code.keys(), displaying.keys());
    }

    #[test]
    fn anything_is_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = QrCode::parse(&bytes);
        let _ = QrCode::parse(&[b"MATRIX\x02\x00\x00", bytes.as_slice()].concat());
    }
}
