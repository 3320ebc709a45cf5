//! Storing sessions, what the server says, deleting, paths, and the user's preference.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use mx_key_backup::{
    BackupPreference, DEFAULT_BATCH_LEN, Deletion, KeyBackupData, Keys, KeysAnswer, MalformedObject,
    NEWEST_VERSION_PATH, PreferenceEffect, PreferenceSeen, UploadOutcome, keys_path, version_path,
};
use mx_room_key::RoomKey;
use mx_types::{RoomId, SessionId};
use serde_json::Value;
use support::{ROOM, first_hand, key, rng, room, trusted};

const OTHER_ROOM: &str = "!other\"\\:example.org";

fn sessions(count: u8) -> Vec<RoomKey> {
    let room_of = |seed: u8| RoomId::parse(if seed.is_multiple_of(2) { ROOM } else { OTHER_ROOM }).unwrap();
    (0..count).map(|seed| first_hand(seed, room_of(seed), u32::from(seed))).collect()
}

const STORED: &[u8] = br#"{"etag":"abc","count":7}"#;

// BAK-34
#[test]
fn sessions_are_stored_in_batches_and_marked_after_a_200_only() {
    let (backup, mut rng) = (trusted(&key()), rng(1));
    let mut room_keys = sessions(130);
    let mut requests = Vec::new();
    while let Some(batch) = backup.batch(&mut rng, &room_keys, DEFAULT_BATCH_LEN).unwrap() {
        assert!(!batch.is_empty());
        requests.push(batch.len());
        assert_eq!(batch.path(), "/_matrix/client/v3/room_keys/keys?version=7");
        // What was stored is what is restored.
        let mut answer = KeysAnswer::of_all(batch.body().as_bytes());
        let mut restored = 0;
        while let Some(entry) = answer.next_entry().unwrap() {
            let session = entry.decrypt(&key()).unwrap();
            let data: KeyBackupData = entry.data().unwrap();
            assert_eq!(u64::from(session.data().session_key.first_known_index()), data.first_message_index);
            restored += 1;
        }
        assert_eq!(restored, batch.len());
        match batch.clone().outcome(500, b"") {
            UploadOutcome::Failed { status: 500, errcode: None } => {}
            outcome => panic!("{outcome:?}"),
        }
        let UploadOutcome::Stored(stored) = batch.outcome(200, STORED) else { panic!("not stored") };
        assert_eq!((stored.version(), stored.etag(), stored.count()), ("7", "abc", 7));
        let marked = room_keys.iter_mut().filter(|room_key| !room_key.is_backed_up());
        let marked = marked.fold(0, |marked, room_key| marked + usize::from(stored.mark("7", room_key)));
        assert_eq!(marked, restored);
    }
    assert_eq!(requests, [100, 30]);
    assert!(room_keys.iter().all(RoomKey::is_backed_up));
}

// BAK-34
#[test]
fn only_what_was_stored_and_only_for_its_version_is_marked() {
    let backup = trusted(&key());
    let mut late = first_hand(1, room(), 10);
    let mut other = first_hand(2, room(), 0);
    let batch = backup.batch(&mut rng(1), [&late], 100).unwrap().unwrap();
    let UploadOutcome::Stored(stored) = batch.outcome(200, STORED) else { panic!("not stored") };
    assert!(!stored.mark("7", &mut other) && !other.is_backed_up());
    assert!(!stored.mark("8", &mut late) && !late.is_backed_up(), "another backup is in use now");
    // While the request was under way, the session became known from earlier on.
    let mut grown = first_hand(1, room(), 10);
    grown.merge(first_hand(1, room(), 3)).unwrap();
    assert!(!stored.mark("7", &mut grown) && !grown.is_backed_up());
    assert!(stored.mark("7", &mut late) && late.is_backed_up());
    assert!(backup.batch(&mut rng(1), [&late], 100).unwrap().is_none());
    let elsewhere = RoomId::parse(OTHER_ROOM).unwrap();
    assert!(!stored.mark("7", &mut first_hand(1, elsewhere, 10)));
}

// BAK-32, BAK-33
#[test]
fn what_the_server_answers_has_its_meaning() {
    let outcome = |status, answer: &str| {
        let batch = trusted(&key()).batch(&mut rng(1), [&first_hand(1, room(), 0)], 1).unwrap().unwrap();
        batch.outcome(status, answer.as_bytes())
    };
    let wrong = r#"{"errcode":"M_WRONG_ROOM_KEYS_VERSION","error":"x","current_version":"42"}"#;
    let UploadOutcome::OtherVersion { current_version } = outcome(403, wrong) else { panic!("403") };
    assert_eq!(current_version.as_deref(), Some("42"));
    let not_found = outcome(404, r#"{"errcode":"M_NOT_FOUND","error":"x"}"#);
    assert!(matches!(not_found, UploadOutcome::OtherVersion { current_version: None }));
    let forbidden = outcome(403, r#"{"errcode":"M_FORBIDDEN"}"#);
    assert!(matches!(forbidden, UploadOutcome::Failed { status: 403, errcode: Some(_) }));
    let limited = outcome(429, r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}"#);
    assert!(matches!(limited, UploadOutcome::RateLimited { retry_after_ms: Some(2000) }));
    assert!(matches!(outcome(429, "<html>"), UploadOutcome::RateLimited { retry_after_ms: None }));
    assert!(matches!(outcome(502, "<html>"), UploadOutcome::Failed { status: 502, errcode: None }));
    for answer in ["", "{}", "[]", r#"{"etag":1,"count":1}"#, r#"{"etag":"","count":-1}"#] {
        assert!(matches!(outcome(200, answer), UploadOutcome::Malformed(_)), "{answer}");
    }
    let missing = MalformedObject::Missing { member: "etag" };
    assert!(matches!(outcome(200, "{}"), UploadOutcome::Malformed(error) if error == missing));
}

// BAK-32
#[test]
fn attack_042_ids_are_percent_encoded_in_paths() {
    let session_id = SessionId::parse("ab/cd+ef?g=h&i#j%k").unwrap();
    assert_eq!(
        keys_path(Keys::OfSession(room(), session_id), "1/2 &"),
        "/_matrix/client/v3/room_keys/keys/%21room%3Aexample.org/ab%2Fcd%2Bef%3Fg%3Dh%26i%23j%25k?version=1%2F2%20%26"
    );
    let room_id = RoomId::parse("!../../ä:x").unwrap();
    assert_eq!(
        keys_path(Keys::OfRoom(room_id), "7"),
        "/_matrix/client/v3/room_keys/keys/%21..%2F..%2F%C3%A4%3Ax?version=7"
    );
    assert_eq!(keys_path(Keys::All, "7"), "/_matrix/client/v3/room_keys/keys?version=7");
    assert_eq!(version_path("7/../8"), format!("{NEWEST_VERSION_PATH}/7%2F..%2F8"));
}

// BAK-37
#[test]
fn what_the_user_deletes_is_no_longer_backed_up() {
    let marked = |deletion: &Deletion| {
        let mut room_keys = sessions(4);
        room_keys.iter_mut().for_each(|room_key| room_key.set_backed_up(true));
        let mut deleted = room_keys.iter_mut().map(|room_key| deletion.mark(room_key)).collect::<Vec<_>>();
        for (deleted, room_key) in deleted.iter_mut().zip(&room_keys) {
            assert_eq!(*deleted, !room_key.is_backed_up());
        }
        deleted
    };
    let deletion = Deletion::of_backup_by_user("7");
    assert_eq!(deletion.path(), "/_matrix/client/v3/room_keys/version/7");
    assert_eq!(marked(&deletion), [true; 4]);
    assert_eq!(marked(&Deletion::of_keys_by_user("7", Keys::All)), [true; 4]);
    let deletion = Deletion::of_keys_by_user("7", Keys::OfRoom(room()));
    assert_eq!(deletion.path(), keys_path(Keys::OfRoom(room()), "7"));
    assert_eq!(marked(&deletion), [true, false, true, false]);
    let id = sessions(4)[2].session_id();
    let keys = Keys::OfSession(room(), SessionId::parse(id.as_str()).unwrap());
    assert_eq!(marked(&Deletion::of_keys_by_user("7", keys)), [false, false, true, false]);
}

// BAK-35
#[test]
fn the_preference_is_followed_at_sign_in_and_asked_about_later() {
    use BackupPreference::{Disabled, Enabled, Unset};
    assert_eq!(BackupPreference::TYPE, "m.key_backup");
    for enabled in [true, false] {
        let content: Value = serde_json::from_str(&BackupPreference::emit(enabled)).unwrap();
        assert_eq!(content, serde_json::json!({"enabled": enabled}));
        let expected = if enabled { Enabled } else { Disabled };
        assert_eq!(BackupPreference::parse(content.to_string().as_bytes()), expected);
    }
    for content in ["", "{}", "[]", r#"{"enabled":"true"}"#, r#"{"enabled":null}"#, r#"{"enabled":1}"#] {
        assert_eq!(BackupPreference::parse(content.as_bytes()), Unset, "{content}");
    }
    let (at_sign_in, later) = (PreferenceSeen::AtSignIn, PreferenceSeen::Later);
    let expected = [
        (Unset, at_sign_in, false, PreferenceEffect::Nothing),
        (Unset, later, true, PreferenceEffect::Nothing),
        (Enabled, at_sign_in, false, PreferenceEffect::Follow),
        (Enabled, at_sign_in, true, PreferenceEffect::Nothing),
        (Disabled, at_sign_in, true, PreferenceEffect::Follow),
        (Disabled, at_sign_in, false, PreferenceEffect::Nothing),
        (Enabled, later, false, PreferenceEffect::AskUser),
        (Disabled, later, true, PreferenceEffect::AskUser),
        (Disabled, later, false, PreferenceEffect::Nothing),
    ];
    for (preference, seen, is_active, effect) in expected {
        assert_eq!(preference.effect(seen, is_active), effect, "{preference:?} {seen:?} {is_active}");
    }
}
