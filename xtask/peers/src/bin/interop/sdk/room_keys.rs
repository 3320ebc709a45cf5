//! Session data, key bundles and withheld codes: read and written by turns.

use matrix_sdk_crypto::{
    olm::{BackedUpRoomKey, ExportedRoomKey},
    types::{events::room_key_withheld::RoomKeyWithheldContent, room_history::RoomKeyBundle as TheirBundle},
};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_room_key::{BackedUpSessionData, ExportedSessionData, RoomKeyBundle, Withheld, WithheldCode};
use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, RoomId, SessionId};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::{below, block_on, differences::Differences, room::Room};
use crate::{
    differences::Verdict,
    report::{Failure, Outcome, Report, expect},
};

pub const SENDER_KEY: &str = "hPQNcabIABgGnx3/ACv/jmMmiQHoeFfuLB17tzWp6Hw";
const ED25519_KEY: &str = "F4P7f1Z0RjbiZMgHk1xBCG3KC4/Ng9PmxLJ4hQ13sHA";
pub const ROOM_ID: &str = "!room:example.org";
const COUNT: usize = 50;

/// What they write of a session, for files and backups, is read by us, and written again is read by them.
pub fn session_data(rng: &mut ChaCha20Rng) -> Outcome {
    for _ in 0..COUNT {
        let data = random_session_data(rng)?;
        let theirs: ExportedRoomKey = serde_json::from_slice(&data.emit_to_vec())?;
        expect(theirs.session_id == data.session_id().to_string(), "another session ID")?;
        let json = serde_json::to_vec(&theirs)?;
        let again = ExportedSessionData::parse(&json)?;
        expect(same_but_history(&again.session, &data.session), "other session data")?;
        expect(again.room_id() == ROOM_ID, "another room")?;

        let json = serde_json::to_vec(&BackedUpRoomKey::from(theirs))?;
        let backed_up = BackedUpSessionData::parse(&json)?;
        expect(same_but_history(&backed_up, &data.session), "other backed-up session data")?;
        let theirs: BackedUpRoomKey = serde_json::from_slice(&backed_up.emit_to_vec())?;
        expect(theirs.session_key.to_bytes() == data.session.session_key.as_bytes(), "another session key")?;
    }
    Ok(format!("{COUNT} sessions, as a file and as a backup have them"))
}

/// A bundle of a room that their machine spoke in, to us and back.
pub fn bundle(_: &mut ChaCha20Rng) -> Outcome {
    let room = Room::encrypted_by_them(80)?;
    let theirs = block_on(room.machine.store().build_room_key_bundle(&room.room_id))?;
    let json = serde_json::to_vec(&theirs)?;
    let received = RoomKeyBundle::parse(&json, RoomId::parse(room.room_id.as_str())?)?;
    let bundle = received.bundle;
    expect(received.refused.is_empty() && received.of_other_rooms == 0, "we refuse entries of theirs")?;
    expect(!theirs.room_keys.is_empty() && !theirs.withheld.is_empty(), "a bundle without one of its parts")?;
    let ids = |list: Vec<String>| list.into_iter().collect::<std::collections::BTreeSet<_>>();
    let our_ids = ids(bundle.room_keys.iter().map(|key| key.session_id().to_string()).collect());
    let their_ids = ids(theirs.room_keys.iter().map(|key| key.session_id.clone()).collect());
    expect(our_ids == their_ids, "other sessions")?;
    expect(
        bundle.withheld.len() == theirs.withheld.len()
            && bundle.withheld.iter().all(|withheld| withheld.code == WithheldCode::HistoryNotShared),
        "other withheld entries",
    )?;

    let back: TheirBundle = serde_json::from_slice(&bundle.emit_to_vec())?;
    let back_ids = ids(back.room_keys.iter().map(|key| key.session_id.clone()).collect());
    expect(back_ids == their_ids, "other sessions on the way back")?;
    expect(back.withheld.len() == theirs.withheld.len(), "other withheld entries on the way back")?;
    Ok(format!("{} room keys and {} withheld", theirs.room_keys.len(), theirs.withheld.len()))
}

/// Each withheld code, ours to them and back.
pub fn withheld(_: &mut ChaCha20Rng) -> Outcome {
    const SESSION_ID: &str = "X3lUlvLELLYxeTx4yOVu6UDpasGEVO0Jbu+QFnm0cKQ";
    let sender_key = Curve25519PublicKey::from_base64(SENDER_KEY)?;
    let codes = [
        "m.blacklisted",
        "m.unverified",
        "m.unauthorised",
        "m.unavailable",
        "m.history_not_shared",
        "m.no_olm",
        "org.example.of_our_own",
    ];
    for code in codes {
        let ours = match WithheldCode::parse(code)? {
            WithheldCode::NoOlm => Withheld::no_olm(sender_key),
            code => Withheld::new(RoomId::parse(ROOM_ID)?, SessionId::parse(SESSION_ID)?, sender_key, code),
        };
        let ours = ours.with_from_device(DeviceId::parse("DEVICE")?);
        let theirs: RoomKeyWithheldContent = serde_json::from_slice(&ours.emit_to_vec())?;
        expect(theirs.withheld_code().as_str() == code, "another code")?;
        let again = Withheld::parse(&serde_json::to_vec(&theirs)?)?;
        // They give a reason where we gave none: the code once more.
        let ours = again.reason().into_iter().fold(ours, Withheld::with_reason);
        expect(again == ours, &format!("{code} changed on the way"))?;
    }
    Ok(format!("{} codes", codes.len()))
}

/// Session data at the edge of the specification.
pub fn differences(d: &mut Differences, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    let data = random_session_data(rng)?;
    let mut plain: Value = serde_json::from_slice(&data.emit_to_vec())?;
    plain.as_object_mut().ok_or("an object")?.remove("shared_history");
    let with = |members: &[(&str, Value)]| {
        let mut changed = plain.clone();
        for (name, value) in members {
            changed[*name] = value.clone();
        }
        changed.to_string()
    };
    let without = |name: &str| {
        let mut changed = plain.clone();
        changed.as_object_mut().map(|members| members.remove(name));
        changed.to_string()
    };
    let (stable, prefixed, unstable) =
        ("shared_history", "m.shared_history", "org.matrix.msc3061.shared_history");
    let history = [
        ("shared_history as the specification spells it", true, with(&[(stable, true.into())])),
        ("shared_history as m.shared_history", true, with(&[(prefixed, true.into())])),
        ("shared_history as org.matrix.msc3061.shared_history", true, with(&[(unstable, true.into())])),
        (
            "shared_history true in one spelling, false in another",
            false,
            with(&[(prefixed, true.into()), (stable, false.into())]),
        ),
    ];
    for (name, shared, json) in history {
        d.case(
            report,
            ("MEG-53", name),
            shared,
            &|| expect(ExportedSessionData::parse(json.as_bytes())?.session.shared_history, "not shared"),
            &|| expect(serde_json::from_str::<ExportedRoomKey>(&json)?.shared_history, "not shared"),
        );
    }
    let other_id = random_session_data(rng)?.session_id().to_string();
    let data = [
        ("EXP-23", "shared_history that is a string", true, with(&[(prefixed, "true".into())])),
        ("EXP-24", "no sender_claimed_keys", true, without("sender_claimed_keys")),
        ("EXP-24", "no forwarding_curve25519_key_chain", true, without("forwarding_curve25519_key_chain")),
        ("EXP-24", "a member that nobody knows", true, with(&[("org.example.new", json!([{}]))])),
        (
            "EXP-25",
            "session data under the ID of another session",
            false,
            with(&[("session_id", other_id.into())]),
        ),
        ("EXP-21", "no sender_key", false, without("sender_key")),
        ("EXP-21", "no room_id", false, without("room_id")),
    ];
    for (requirement, name, accepted, json) in data {
        d.case(
            report,
            (requirement, name),
            accepted,
            &|| Ok(ExportedSessionData::parse(json.as_bytes()).map(drop)?),
            &|| Ok(serde_json::from_str::<ExportedRoomKey>(&json).map(drop)?),
        );
    }
    Ok(())
}

/// Session data of a new session, at some index.
pub fn random_session_data(rng: &mut ChaCha20Rng) -> Result<ExportedSessionData<'static>, Failure> {
    let mut outbound = OutboundGroupSession::new(rng)?;
    for _ in 0..below(rng, 20) {
        outbound.encrypt_to_vec(b"before the first index that is shared")?;
    }
    let mut inbound = InboundGroupSession::new(&outbound.session_key());
    exported(&mut inbound, ROOM_ID)
}

/// What a file has of a session, from its first known index on.
pub fn exported<'r>(
    session: &mut InboundGroupSession,
    room_id: &'r str,
) -> Result<ExportedSessionData<'r>, Failure> {
    let key = session.export_at(session.first_known_index())?;
    let mut data = BackedUpSessionData::new(key, Curve25519PublicKey::from_base64(SENDER_KEY)?);
    data.sender_claimed_ed25519 = Some(Ed25519PublicKey::from_base64(ED25519_KEY)?);
    Ok(ExportedSessionData::new(RoomId::parse(room_id)?, data))
}

/// `shared_history` apart, which has spellings that they do not know.
fn same_but_history(one: &BackedUpSessionData, other: &BackedUpSessionData) -> bool {
    one.session_key.as_bytes() == other.session_key.as_bytes()
        && one.sender_key == other.sender_key
        && one.sender_claimed_ed25519 == other.sender_claimed_ed25519
        && one.forwarding_chain == other.forwarding_chain
}
