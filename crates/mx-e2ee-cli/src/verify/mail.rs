//! How messages get from one device to the other: through a homeserver, or through a folder.

use core::time::Duration;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{folder::Folder, mailbox::Mailbox};
use crate::{failure::Failure, homeserver::Client, identity::asking::query};

/// A message to this device, as it came.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Message {
    pub(super) sender: String,
    #[serde(rename = "type")]
    pub(super) event_type: String,
    pub(super) content: Box<RawValue>,
}

#[derive(Deserialize)]
struct Flow {
    transaction_id: String,
}

impl Message {
    pub(super) fn is_request(&self) -> bool {
        self.event_type == "m.key.verification.request"
    }

    /// Of which verification it is, if it says so.
    pub(super) fn transaction_id(&self) -> Option<String> {
        serde_json::from_str::<Flow>(self.content.get()).ok().map(|flow| flow.transaction_id)
    }
}

/// A message to devices of a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letter<'a> {
    pub(super) user_id: &'a str,
    pub(super) device_ids: &'a [String],
    pub(super) event_type: &'a str,
    pub(super) content: &'a str,
}

/// Where messages go and come from.
#[derive(Debug)]
pub(super) enum Mail<'c> {
    Folder(Folder),
    Server(Mailbox<'c>),
}

impl<'c> Mail<'c> {
    pub(super) fn folder(path: &Path, user_id: &str, device_id: &str) -> Result<Self, Failure> {
        Folder::open(path, user_id, device_id).map(Self::Folder)
    }

    pub(super) fn server(client: &'c Client) -> Result<Self, Failure> {
        Mailbox::open(client).map(Self::Server)
    }

    /// The messages that have come since, without those that are none of a verification.
    pub(super) fn fetch(&mut self) -> Result<Vec<Message>, Failure> {
        let mut messages = match self {
            Self::Folder(folder) => folder.fetch()?,
            Self::Server(server) => server.fetch()?,
        };
        messages.retain(|message| message.event_type.starts_with("m.key.verification."));
        Ok(messages)
    }

    pub(super) fn send(&mut self, letter: &Letter<'_>) -> Result<(), Failure> {
        match self {
            Self::Folder(folder) => folder.send(letter),
            Self::Server(server) => server.send(letter),
        }
    }

    /// How long to wait before looking again.
    pub(super) const fn interval(&self) -> Duration {
        match self {
            Self::Folder(_) => Duration::from_millis(100),
            Self::Server(_) => Duration::from_secs(1),
        }
    }

    /// The present keys of users, where somebody can be asked for them.
    pub(super) fn query(&self, user_ids: &[&str]) -> Result<Option<String>, Failure> {
        match self {
            Self::Folder(_) => Ok(None),
            Self::Server(server) => query(server.client(), user_ids).map(Some),
        }
    }
}
