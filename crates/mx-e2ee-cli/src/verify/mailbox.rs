//! The messages for the device of an access token, at its homeserver.

use core::time::Duration;
use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use mx_types::fill_random;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::mail::{Letter, Message};
use crate::{
    failure::Failure,
    homeserver::{Answer, Client},
};

/// A device's messages.
///
/// They are looked at and left where they are: a sync that goes on from an earlier one takes them away, room keys as
/// well, from the client whose device this is.
#[derive(Debug)]
pub(super) struct Mailbox<'c> {
    client: &'c Client,
    /// What was handed out.
    seen: BTreeSet<String>,
    /// For transaction IDs, which are used once by a device.
    random: String,
    sent: u64,
    failures: u32,
}

#[derive(Deserialize)]
struct Sync {
    #[serde(default)]
    to_device: ToDevice,
}

#[derive(Default, Deserialize)]
struct ToDevice {
    #[serde(default)]
    events: Vec<Box<RawValue>>,
}

/// The body of `/sendToDevice`: a content by user and device.
#[derive(Serialize)]
struct Messages<'a> {
    messages: BTreeMap<&'a str, BTreeMap<&'a str, &'a RawValue>>,
}

impl<'c> Mailbox<'c> {
    pub(super) fn open(client: &'c Client) -> Result<Self, Failure> {
        let mut random = [0; 8];
        fill_random(&mut getrandom::SysRng, &mut random).map_err(Failure::refused)?;
        let random = format!("{:016x}", u64::from_be_bytes(random));
        Ok(Self { client, seen: BTreeSet::new(), random, sent: 0, failures: 0 })
    }

    pub(super) const fn client(&self) -> &'c Client {
        self.client
    }

    /// The messages that were not handed out before. A server that cannot be reached now may be reached the next time.
    pub(super) fn fetch(&mut self) -> Result<Vec<Message>, Failure> {
        let query = [("filter", FILTER), ("set_presence", "offline"), ("timeout", "0")];
        let answer = self.client.get_with(&["sync"], &query);
        if is_passing(&answer) && self.failures < MAX_FAILURES {
            self.failures += 1;
            return Ok(Vec::new());
        }
        let answer = answer?;
        self.failures = 0;
        let body = self.client.expect("the messages for the device", answer)?;
        let sync: Sync = serde_json::from_str(&body).map_err(|error| {
            Failure::refused(format!("the server's answer to sync is malformed: {error}"))
        })?;
        let events = sync.to_device.events;
        if events.len() >= SERVERS_LIMIT {
            return Err(Failure::refused(format!(
                "{} messages wait for the device, and the server shows no more of them at a time: let its client \
                 fetch them first",
                events.len()
            )));
        }
        let new: Vec<_> = events.into_iter().filter(|event| !self.seen.contains(event.get())).collect();
        // What the server does not show any more need not be remembered; but a client at work takes messages away.
        self.seen.extend(new.iter().map(|event| event.get().to_owned()));
        if self.seen.len() > MAX_SEEN {
            return Err(Failure::refused(format!("more than {MAX_SEEN} messages have come for the device")));
        }
        // What is malformed is nothing for us.
        Ok(new.iter().filter_map(|event| serde_json::from_str(event.get()).ok()).collect())
    }

    pub(super) fn send(&mut self, letter: &Letter<'_>) -> Result<(), Failure> {
        // The content is signed in a way: not a byte of it may change.
        let content: &RawValue = serde_json::from_str(letter.content).map_err(Failure::refused)?;
        let devices: BTreeMap<_, _> =
            letter.device_ids.iter().map(|device_id| (device_id.as_str(), content)).collect();
        let body = Messages { messages: BTreeMap::from([(letter.user_id, devices)]) };
        let body = serde_json::to_string(&body).map_err(Failure::refused)?;
        let transaction_id = format!("{}.{}", self.random, self.sent);
        self.sent += 1;
        let path = ["sendToDevice", letter.event_type, &transaction_id];
        // Under one transaction ID it arrives once, however often it is sent.
        let answer = patiently(|| self.client.put(&path, &body))?;
        self.client.expect("sending a message", answer).map(|_| ())
    }
}

/// Tries again what may succeed the next time.
fn patiently(request: impl Fn() -> Result<Answer, Failure>) -> Result<Answer, Failure> {
    for _ in 0..MAX_FAILURES {
        let answer = request();
        if !is_passing(&answer) {
            return answer;
        }
        thread::sleep(PAUSE);
    }
    request()
}

/// Whether the server cannot be reached, or has too much to do.
fn is_passing(answer: &Result<Answer, Failure>) -> bool {
    match answer {
        Ok(Answer::Refused(refusal)) => refusal.status == 429 || refusal.status >= 500,
        Err(Failure::InputOutput(_)) => true,
        _ => false,
    }
}

/// No rooms, nothing of the account: messages for the device are not filtered.
const FILTER: &str =
    r#"{"account_data":{"not_types":["*"]},"presence":{"not_types":["*"]},"room":{"rooms":[]}}"#;

/// As many Synapse shows at a time.
const SERVERS_LIMIT: usize = 100;

const MAX_SEEN: usize = 10_000;

/// Requests that fail one after the other.
const MAX_FAILURES: u32 = 5;

const PAUSE: Duration = Duration::from_secs(1);
