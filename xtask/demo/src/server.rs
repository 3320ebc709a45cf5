//! A homeserver in memory: it stores what devices upload, hands each one-time key out once, and carries messages.
//! Media, which may be large, lie in a folder.
//!
//! It knows only ciphertext and public keys, and checks what a real one checks.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

use crate::scratch::Scratch;

/// The one-time key algorithm of the specification.
pub const SIGNED_CURVE25519: &str = "signed_curve25519";

/// Events larger than this are refused (client-server API, "Size limits").
pub const MAX_EVENT_LEN: usize = 65_536;

/// Why the server said no: Matrix's error code and a sentence.
#[derive(Debug)]
pub struct ServerError {
    code: &'static str,
    error: String,
}

impl core::fmt::Display for ServerError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the server refused with {}: {}", self.code, self.error)
    }
}

impl core::error::Error for ServerError {}

#[derive(Debug, Default)]
struct DeviceRecord {
    device_keys: Value,
    /// In upload order, because that is the order of issue (MSC4225).
    one_time_keys: VecDeque<(String, Value)>,
    /// Every one-time key ID ever seen, with its key: an ID must not name two keys.
    ever_uploaded: BTreeMap<String, Value>,
    fallback_key: Option<(String, Value)>,
}

/// The server.
#[derive(Debug, Default)]
pub struct Server {
    devices: BTreeMap<(String, String), DeviceRecord>,
    /// By the names that `/keys/query` has for them, then by user.
    signing_keys: BTreeMap<&'static str, BTreeMap<String, Value>>,
    to_device: BTreeMap<(String, String), VecDeque<Value>>,
    /// All rooms' events, in the order in which they came.
    timeline: Vec<Value>,
    media_sent: u64,
}

impl Server {
    /// `POST /_matrix/client/v3/keys/upload`: answers with the number of one-time keys it holds.
    ///
    /// # Errors
    ///
    /// When the device keys are of another device, or a key ID that is known comes with another key.
    pub fn upload_keys(
        &mut self,
        user_id: &str,
        device_id: &str,
        body: &Value,
    ) -> Result<Value, ServerError> {
        let record = self.devices.entry((user_id.to_owned(), device_id.to_owned())).or_default();
        if let Some(device_keys) = body.get("device_keys") {
            if device_keys["user_id"] != user_id || device_keys["device_id"] != device_id {
                return Err(invalid("the device keys name another device"));
            }
            record.device_keys = device_keys.clone();
        }
        for (key_id, key) in members(body, "one_time_keys")? {
            if !key_id.starts_with("signed_curve25519:") {
                return Err(invalid(&format!("{key_id} is not a signed_curve25519 key")));
            }
            match record.ever_uploaded.get(key_id) {
                Some(known) if known == key => {}
                Some(_) => return Err(invalid(&format!("{key_id} already names another key"))),
                None => {
                    record.ever_uploaded.insert(key_id.clone(), key.clone());
                    record.one_time_keys.push_back((key_id.clone(), key.clone()));
                }
            }
        }
        for (key_id, key) in members(body, "fallback_keys")? {
            if key["fallback"] != true {
                return Err(invalid(&format!("{key_id} does not say that it is a fallback key")));
            }
            record.fallback_key = Some((key_id.clone(), key.clone()));
        }
        Ok(json!({ "one_time_key_counts": { SIGNED_CURVE25519: record.one_time_keys.len() } }))
    }

    /// `POST /_matrix/client/v3/keys/device_signing/upload`, once for each user: a second time would take a password.
    ///
    /// # Errors
    ///
    /// When there is an identity already, a key is missing, or it is another user's.
    pub fn upload_signing_keys(&mut self, user_id: &str, body: &Value) -> Result<(), ServerError> {
        if self.signing_keys.values().any(|keys| keys.contains_key(user_id)) {
            return Err(invalid("the user has an identity already"));
        }
        for (uploaded, _) in SIGNING_KEYS {
            if body[uploaded]["user_id"] != user_id {
                return Err(invalid(&format!("{uploaded} is missing, or another user's")));
            }
        }
        for (uploaded, queried) in SIGNING_KEYS {
            let keys = self.signing_keys.entry(queried).or_default();
            keys.insert(user_id.to_owned(), body[uploaded].clone());
        }
        Ok(())
    }

    /// `POST /_matrix/client/v3/keys/signatures/upload`: adds the sender's signatures to own devices and to master signing keys.
    ///
    /// # Errors
    ///
    /// When an object is not there, or has changed. The others are signed then.
    pub fn upload_signatures(&mut self, sender: &str, body: &Value) -> Result<Value, ServerError> {
        for (user_id, objects) in body.as_object().into_iter().flatten() {
            for (key_id, object) in objects.as_object().into_iter().flatten() {
                let device = self.devices.get_mut(&(user_id.clone(), key_id.clone()));
                let device = device.filter(|_| user_id == sender).map(|record| &mut record.device_keys);
                let master = self.signing_keys.get_mut("master_keys").and_then(|keys| keys.get_mut(user_id));
                let master = master.filter(|master| {
                    master["keys"].as_object().is_some_and(|keys| keys.values().any(|key| key == key_id))
                });
                let stored = device.or(master).ok_or_else(|| invalid(&format!("there is no {key_id}")))?;
                if signed_part(stored) != signed_part(object) {
                    return Err(invalid(&format!("{key_id} is another one here")));
                }
                for (signer, signature) in members(&object["signatures"], sender)? {
                    stored["signatures"][sender][signer] = signature.clone();
                }
            }
        }
        Ok(json!({ "failures": {} }))
    }

    /// `POST /_matrix/client/v3/keys/query` for another user: so without the user-signing key.
    #[must_use]
    pub fn query_keys(&self, user_id: &str) -> Value {
        let of_user = self.devices.iter().filter(|((user, _), _)| user == user_id);
        let devices: Map<_, _> =
            of_user.map(|((_, device), record)| (device.clone(), record.device_keys.clone())).collect();
        let mut answer = json!({ "device_keys": { user_id: devices }, "failures": {} });
        for name in ["master_keys", "self_signing_keys"] {
            if let Some(key) = self.signing_keys.get(name).and_then(|keys| keys.get(user_id)) {
                answer[name][user_id] = key.clone();
            }
        }
        answer
    }

    /// `POST /_matrix/client/v3/keys/claim` for one device: the oldest one-time key, each once, and when there is none
    /// left the fallback key.
    #[must_use]
    pub fn claim_key(&mut self, user_id: &str, device_id: &str) -> Value {
        let mut keys = Map::new();
        if let Some(record) = self.devices.get_mut(&(user_id.to_owned(), device_id.to_owned())) {
            let one_time_key = record.one_time_keys.pop_front();
            keys.extend(one_time_key.or_else(|| record.fallback_key.clone()));
        }
        json!({ "one_time_keys": { user_id: { device_id: keys } }, "failures": {} })
    }

    /// `PUT /_matrix/client/v3/sendToDevice/…` for one device.
    ///
    /// # Errors
    ///
    /// When the message is too large.
    pub fn send_to_device(
        &mut self,
        sender: &str,
        (user_id, device_id): (&str, &str),
        content: Value,
    ) -> Result<(), ServerError> {
        let event = json!({ "type": "m.room.encrypted", "sender": sender, "content": content });
        check_size(&event)?;
        self.to_device.entry((user_id.to_owned(), device_id.to_owned())).or_default().push_back(event);
        Ok(())
    }

    /// The to-device part of `GET /_matrix/client/v3/sync`.
    #[must_use]
    pub fn sync_to_device(&mut self, user_id: &str, device_id: &str) -> Vec<Value> {
        let queue = self.to_device.remove(&(user_id.to_owned(), device_id.to_owned()));
        queue.unwrap_or_default().into()
    }

    /// `PUT /_matrix/client/v3/rooms/{roomId}/send/m.room.encrypted/…`: answers with the event as the others see it.
    ///
    /// # Errors
    ///
    /// When the event is too large.
    pub fn send_to_room(
        &mut self,
        sender: &str,
        room_id: &str,
        content: Value,
    ) -> Result<Value, ServerError> {
        let event = json!({
            "type": "m.room.encrypted",
            "event_id": format!("$event{}", self.timeline.len() + 1),
            "origin_server_ts": milliseconds_since_1970(),
            "room_id": room_id,
            "sender": sender,
            "content": content,
        });
        check_size(&event)?;
        self.timeline.push(event.clone());
        Ok(event)
    }

    /// `GET /_matrix/client/v3/rooms/{roomId}/messages`: all that was sent to the room.
    pub fn messages(&self, room_id: &str) -> impl Iterator<Item = &Value> {
        self.timeline.iter().filter(move |event| event["room_id"] == room_id)
    }

    /// `POST /_matrix/media/v3/upload`: where the media will be, and a place to write them to.
    ///
    /// # Errors
    ///
    /// When the folder takes no file.
    pub fn upload(&mut self, folder: &Scratch) -> io::Result<(String, File)> {
        self.media_sent += 1;
        let name = format!("media{}", self.media_sent);
        Ok((format!("{MEDIA}{name}"), folder.create(&name)?))
    }

    /// `GET /_matrix/client/v1/media/download/…`: the media, to read.
    ///
    /// # Errors
    ///
    /// When there is no such media.
    pub fn download(&self, folder: &Scratch, url: &str) -> io::Result<File> {
        let name = url.strip_prefix(MEDIA).filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric()));
        folder.open(name.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?)
    }
}

/// The server's name in front of what it calls its media.
const MEDIA: &str = "mxc://example.org/";

/// What `/keys/device_signing/upload` calls the keys, and what `/keys/query` does.
const SIGNING_KEYS: [(&str, &str); 3] = [
    ("master_key", "master_keys"),
    ("self_signing_key", "self_signing_keys"),
    ("user_signing_key", "user_signing_keys"),
];

fn signed_part(object: &Value) -> Value {
    let mut object = object.clone();
    for unsigned in ["signatures", "unsigned"] {
        object.as_object_mut().map(|object| object.remove(unsigned));
    }
    object
}

/// As events have it.
pub(crate) fn milliseconds_since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn check_size(event: &Value) -> Result<(), ServerError> {
    let size = event.to_string().len();
    if size <= MAX_EVENT_LEN {
        return Ok(());
    }
    Err(ServerError { code: "M_TOO_LARGE", error: format!("{size} bytes are more than {MAX_EVENT_LEN}") })
}

fn invalid(error: &str) -> ServerError {
    ServerError { code: "M_INVALID_PARAM", error: error.to_owned() }
}

fn members<'b>(
    body: &'b Value,
    name: &str,
) -> Result<impl Iterator<Item = (&'b String, &'b Value)>, ServerError> {
    let object = match body.get(name) {
        None => None,
        Some(Value::Object(object)) => Some(object),
        Some(_) => return Err(invalid(&format!("{name} is not an object"))),
    };
    Ok(object.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: (&str, &str) = ("@alice:example.org", "PHONE");

    fn claimed(server: &mut Server) -> Option<String> {
        let answer = server.claim_key(ALICE.0, ALICE.1);
        answer["one_time_keys"][ALICE.0][ALICE.1].as_object().unwrap().keys().next().cloned()
    }

    // OTK-10
    #[test]
    fn each_one_time_key_is_handed_out_once_and_then_the_fallback_key() {
        let mut server = Server::default();
        let body = json!({
            "one_time_keys": { "signed_curve25519:A": { "key": "a" }, "signed_curve25519:B": { "key": "b" } },
            "fallback_keys": { "signed_curve25519:F": { "key": "f", "fallback": true } },
        });
        let answer = server.upload_keys(ALICE.0, ALICE.1, &body).unwrap();
        assert_eq!(answer["one_time_key_counts"][SIGNED_CURVE25519], 2);
        let mut order = Vec::new();
        order.extend((0..4).filter_map(|_| claimed(&mut server)));
        assert_eq!(
            order,
            ["signed_curve25519:A", "signed_curve25519:B", "signed_curve25519:F", "signed_curve25519:F"]
        );
    }

    // OTK-2
    #[test]
    fn a_key_id_cannot_name_two_keys() {
        let mut server = Server::default();
        let body = |key: &str| json!({ "one_time_keys": { "signed_curve25519:A": { "key": key } } });
        server.upload_keys(ALICE.0, ALICE.1, &body("a")).unwrap();
        server.upload_keys(ALICE.0, ALICE.1, &body("a")).unwrap();
        server.upload_keys(ALICE.0, ALICE.1, &body("b")).unwrap_err();
        assert!(claimed(&mut server).is_some());
        server.upload_keys(ALICE.0, ALICE.1, &body("a")).unwrap();
        assert_eq!(claimed(&mut server), None, "a key that was claimed must not come back");
    }

    #[test]
    fn signatures_are_added_to_what_is_there_and_to_nothing_else() {
        let mut server = Server::default();
        let key = |usage: &str| json!({ "user_id": ALICE.0, "usage": [usage], "keys": { "ed25519:M": "M" } });
        let body = json!({
            "master_key": key("master"),
            "self_signing_key": key("self_signing"),
            "user_signing_key": key("user_signing"),
        });
        server.upload_signing_keys("@bob:example.org", &body).unwrap_err();
        server.upload_signing_keys(ALICE.0, &body).unwrap();
        server.upload_signing_keys(ALICE.0, &body).unwrap_err();

        let bob = "@bob:example.org";
        let signed = |usage: &str, sender: &str| {
            let mut key = key(usage);
            key["signatures"] = json!({ sender: { "ed25519:B": "signature" }, "@mallory:example.org": {} });
            json!({ ALICE.0: { "M": key } })
        };
        server.upload_signatures(bob, &signed("other", bob)).unwrap_err();
        server.upload_signatures(bob, &signed("master", bob)).unwrap();
        let answer = server.query_keys(ALICE.0);
        assert_eq!(
            answer["master_keys"][ALICE.0]["signatures"],
            json!({ bob: { "ed25519:B": "signature" } })
        );
        assert_eq!(answer["self_signing_keys"][ALICE.0], key("self_signing"));
        assert!(answer.get("user_signing_keys").is_none());
    }
}
