//! `m.secret.send`: the answer, inside of an Olm message.

use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

use mx_json::MalformedObject;

use crate::object::{Members, json_text};
use crate::secret::{MAX_SECRET_LEN, Secret, SecretTooLong};
use crate::secret_request::is_name;

/// The content of an `m.secret.send` that was the payload of an Olm message, and of no other: in the clear it means nothing.
///
/// What it holds is a secret of nobody knows what kind until [`SecretSharing::receive_secret`](crate::SecretSharing::receive_secret).
pub struct SecretSend {
    pub(crate) request_id: String,
    pub(crate) secret: Secret,
}

impl SecretSend {
    /// Reads the content. `content` is as secret as what is in it, and the caller's to be wiped.
    ///
    /// # Errors
    ///
    /// [`SecretSendError`].
    pub fn parse(content: &str) -> Result<Self, SecretSendError> {
        // Six characters for one is the longest escape.
        let members = Members::parse(content, 7 * MAX_SECRET_LEN)?;
        let request_id = members.text("request_id")?;
        if !is_name(&request_id) {
            return Err(SecretSendError::RequestId { len: request_id.len() });
        }
        let secret = Secret::new(members.secret_text("secret")?).map_err(SecretSendError::TooLong)?;
        Ok(Self { request_id, secret })
    }

    /// The ID of the request that it answers.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }
}

/// Only its secret is one, and that hides itself.
impl fmt::Debug for SecretSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretSend").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}

/// The content that answers the request of this ID, written without a copy elsewhere.
pub(crate) fn emit(request_id: &str, secret: &Secret) -> Zeroizing<String> {
    let request_id = json_text(request_id);
    let secret = secret.as_str();
    let (before, between, after) = (r#"{"request_id":"#, r#","secret":""#, r#""}"#);
    // No character becomes more than six, so that the string does not grow.
    let len = before.len() + request_id.len() + between.len() + 6 * secret.len() + after.len();
    let mut out = Zeroizing::new(String::with_capacity(len));
    out.push_str(before);
    out.push_str(&request_id);
    out.push_str(between);
    for character in secret.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\0'..='\x1f' => {
                out.push_str("\\u00");
                let code = u32::from(character);
                out.extend(
                    [code >> 4, code & 15].into_iter().filter_map(|digit| char::from_digit(digit, 16)),
                );
            }
            _ => out.push(character),
        }
    }
    out.push_str(after);
    out
}

/// Why a content is not an answer to a request for a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SecretSendError {
    /// Not the object that it must be.
    Object(MalformedObject),
    /// The request ID is empty or longer than [`MAX_NAME_LEN`](crate::MAX_NAME_LEN).
    RequestId {
        /// Its length in bytes.
        len: usize,
    },
    /// The secret is too long.
    TooLong(SecretTooLong),
}

impl From<MalformedObject> for SecretSendError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}

impl fmt::Display for SecretSendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bad answer to a request for a secret: ")?;
        match self {
            Self::Object(error) => error.fmt(f),
            Self::RequestId { len } => write!(f, "request_id has {len} bytes"),
            Self::TooLong(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SecretSendError {}
