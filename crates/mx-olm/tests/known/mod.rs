//! Messages that must be refused. Firmware runs them, too: nothing but `core`.

use mx_olm::{MessageError, PreKeyMessage};

known_answers! {
    // OLM-37, OLM-38, OLM-42: the malformed messages of libolm's tests, as they are and with the version mended.
    #[test]
    fn malformed_pre_key_messages_of_libolm() {
        for text in [
            "41776f",
            "7fff6f0101346d671201",
            "ee776f41496f674177804177778041776f6716670a677d6f670a67c2677d",
            "e9e9c9c1e9e9c9e9c9c1e9e9c9c1",
        ] {
            let mut bytes = [0; 32];
            let bytes = &mut bytes[..text.len() / 2];
            for (i, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
            }
            let found = bytes[0];
            let error = PreKeyMessage::parse(bytes).unwrap_err();
            assert_eq!(error, MessageError::UnsupportedVersion { found });
            bytes[0] = 3;
            assert!(matches!(PreKeyMessage::parse(bytes), Err(MessageError::Field(_))));
        }
    }
}
