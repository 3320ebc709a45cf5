//! `m.secret.request`: asked for in the clear.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use mx_types::{DeviceId, InvalidIdentifier, MAX_IDENTIFIER_LEN};

use mx_json::MalformedObject;

use crate::object::{Kept, MAX_OBJECT_LEN, Members, json_text, object};

/// The longest name of a secret that is asked for, in bytes. Also that of request IDs.
pub const MAX_NAME_LEN: usize = MAX_IDENTIFIER_LEN;

/// The content of a to-device message of type `m.secret.request`. It came unencrypted: anybody can have written it, in the name
/// of any device of the sender.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretRequest {
    /// What is wanted.
    pub action: Action,
    /// The device that is said to ask.
    pub requesting_device_id: String,
    /// Names the request, together with the device.
    pub request_id: String,
}

/// What is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// The secret of this name.
    Request {
        /// The name.
        name: String,
    },
    /// Nothing any more: the request of this ID is over.
    Cancellation,
}

impl SecretRequest {
    /// Reads the content.
    ///
    /// # Errors
    ///
    /// [`SecretRequestError`].
    pub fn parse(content: &str) -> Result<Self, SecretRequestError> {
        let members = Members::parse(content, MAX_OBJECT_LEN)?;
        let action = match members.text("action")?.as_str() {
            "request" => Action::Request { name: name(&members, "name")? },
            "request_cancellation" => Action::Cancellation,
            _ => return Err(SecretRequestError::UnknownAction),
        };
        let requesting_device_id = members.text("requesting_device_id")?;
        DeviceId::parse(&requesting_device_id).map_err(SecretRequestError::DeviceId)?;
        let request_id = name(&members, "request_id")?;
        Ok(Self { action, requesting_device_id, request_id })
    }

    /// The content.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut members = Kept::new();
        let mut text = |name: &str, value: &str| members.insert(name.to_owned(), json_text(value));
        match &self.action {
            Action::Request { name } => {
                text("action", "request");
                text("name", name);
            }
            Action::Cancellation => {
                text("action", "request_cancellation");
            }
        }
        text("requesting_device_id", &self.requesting_device_id);
        text("request_id", &self.request_id);
        object(&members)
    }
}

/// A member that is a name or an ID.
fn name(members: &Members<'_>, member: &'static str) -> Result<String, SecretRequestError> {
    let text = members.text(member)?;
    if is_name(&text) { Ok(text) } else { Err(SecretRequestError::Length { member, len: text.len() }) }
}

/// Whether a text can be a name or an ID that is kept while a request is open.
pub(crate) const fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_NAME_LEN
}

/// Why a content is not a request for a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SecretRequestError {
    /// Not the object that it must be.
    Object(MalformedObject),
    /// The action is neither `request` nor `request_cancellation`.
    UnknownAction,
    /// The requesting device has no device ID.
    DeviceId(InvalidIdentifier),
    /// A name or ID is empty or longer than [`MAX_NAME_LEN`].
    Length {
        /// Which.
        member: &'static str,
        /// Its length in bytes.
        len: usize,
    },
}

impl From<MalformedObject> for SecretRequestError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}

impl fmt::Display for SecretRequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bad request for a secret: ")?;
        match self {
            Self::Object(error) => error.fmt(f),
            Self::UnknownAction => f.write_str("unknown action"),
            Self::DeviceId(error) => write!(f, "requesting_device_id: {error}"),
            Self::Length { member, len } => {
                write!(f, "{member} has {len} bytes, 1 to {MAX_NAME_LEN} are allowed")
            }
        }
    }
}

impl core::error::Error for SecretRequestError {}
