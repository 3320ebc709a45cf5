//! Session data, bundles, withheld notices and contents of events, as they come; and members as the fuzzer likes them
//! around a right session key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_key::{
    BackedUpSessionData, ExportedSessionData, ForwardedRoomKeyContent, MalformedObject, ParseError, RoomKey,
    RoomKeyBundle, RoomKeyContent, Withheld,
};
use mx_types::RoomId;
use rand_core::SeedableRng;

fuzz_target!(|json: &[u8]| {
    let room_id = RoomId::parse("!room:x").expect("is a room ID");
    let read = ExportedSessionData::parse(json);
    if let Ok(data) = &read {
        let again = data.emit_to_vec();
        let again = ExportedSessionData::parse(&again).expect("what was written is read");
        assert_eq!(again.room_id(), data.room_id());
        assert_eq!(again.session.session_key.as_bytes(), data.session.session_key.as_bytes());
        assert_eq!(again.session.forwarding_chain, data.session.forwarding_chain);
        assert_eq!(again.session.shared_history, data.session.shared_history);
    }
    // What we take for JSON is what others take for it.
    if let Ok(text) = str::from_utf8(json) {
        use MalformedObject::{Syntax, TooDeep, TooLong};
        let ours = match read {
            Err(ParseError::Object(Syntax { .. })) => Some(false),
            Err(ParseError::Object(TooDeep { .. } | TooLong { .. })) => None,
            _ => Some(true),
        };
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        // A member of ours may stand there once, and nothing behind the second one is looked at.
        let repeated = matches!(
            ExportedSessionData::parse(json),
            Err(ParseError::Object(MalformedObject::Repeated { .. }))
        );
        assert!(repeated || ours.is_none_or(|ours| ours == theirs), "{text}");
    }
    // The object at the start is one by itself, and only white space may follow it where the whole is one.
    match ExportedSessionData::parse_leading(json) {
        Ok((leading, len)) => {
            let alone = ExportedSessionData::parse(&json[..len]).expect("read before");
            assert_eq!(*leading.emit_to_vec(), *alone.emit_to_vec());
        }
        Err(_) => assert!(ExportedSessionData::parse(json).is_err()),
    }
    let _ = BackedUpSessionData::parse(json);
    let _ = RoomKeyContent::parse(json);
    let _ = ForwardedRoomKeyContent::parse(json);
    if let Ok(withheld) = Withheld::parse(json) {
        assert_eq!(Withheld::parse(&withheld.emit_to_vec()), Ok(withheld));
    }
    if let Ok(received) = RoomKeyBundle::parse(json, room_id) {
        let again = received.bundle.emit_to_vec();
        let again = RoomKeyBundle::parse(&again, room_id).expect("what was written is read");
        assert!(again.refused.is_empty());
        assert_eq!(again.bundle.room_keys.len(), received.bundle.room_keys.len());
        assert_eq!(again.bundle.withheld, received.bundle.withheld);
        assert_eq!((again.of_other_rooms, again.withheld_and_shared), (0, 0));
    }

    // Past the session key.
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
    let session = OutboundGroupSession::new(&mut rng).expect("there is randomness");
    let session = InboundGroupSession::new(&session.session_key()).export();
    let mut whole = Vec::from(*b"{\"session_key\":\"");
    whole.extend_from_slice(session.to_base64_string().as_bytes());
    whole.extend_from_slice(b"\",\"session_id\":\"");
    whole.extend_from_slice(session.session_id().as_str().as_bytes());
    whole.extend_from_slice(b"\",\"algorithm\":\"m.megolm.v1.aes-sha2\",");
    whole.extend_from_slice(json.strip_prefix(b"{").unwrap_or(json));
    if let Ok(data) = ExportedSessionData::parse(&whole) {
        assert_eq!(data.session_id(), session.session_id());
        let room_key = RoomKey::from_file(data);
        assert_eq!(room_key.trusted_from_index(), None);
    }
});
