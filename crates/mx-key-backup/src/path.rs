use alloc::string::String;

use mx_types::{RoomId, SessionId};

/// `POST` makes a backup, `GET` gives the newest.
pub const NEWEST_VERSION_PATH: &str = "/_matrix/client/v3/room_keys/version";

/// Which keys of a backup a request is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keys<'a> {
    /// All.
    All,
    /// Those of a room.
    OfRoom(RoomId<'a>),
    /// That of a session.
    OfSession(RoomId<'a>, SessionId<'a>),
}

/// `GET`, `PUT` and `DELETE` a backup: `/room_keys/version/{version}`.
#[must_use]
pub fn version_path(version: &str) -> String {
    let mut path = String::from(NEWEST_VERSION_PATH);
    push_segment(&mut path, version);
    path
}

/// `GET`, `PUT` and `DELETE` keys: `/room_keys/keys/{roomId}/{sessionId}?version={version}`.
///
/// Session IDs have `/` and `+` in them: everything but letters, digits and `-._~` is percent-encoded.
#[must_use]
pub fn keys_path(keys: Keys<'_>, version: &str) -> String {
    let mut path = String::from("/_matrix/client/v3/room_keys/keys");
    match keys {
        Keys::All => {}
        Keys::OfRoom(room_id) => push_segment(&mut path, room_id.as_str()),
        Keys::OfSession(room_id, session_id) => {
            push_segment(&mut path, room_id.as_str());
            push_segment(&mut path, session_id.as_str());
        }
    }
    path.push_str("?version=");
    push_encoded(&mut path, version);
    path
}

fn push_segment(path: &mut String, segment: &str) {
    path.push('/');
    push_encoded(path, segment);
}

fn push_encoded(path: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(byte.into()),
            _ => {
                path.push('%');
                for digit in [byte >> 4, byte & 15] {
                    path.extend(char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase()));
                }
            }
        }
    }
}
