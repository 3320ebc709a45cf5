//! A secret that has arrived, and is not ours yet.

use alloc::string::String;
use core::fmt;

use crate::secret::{Secret, UnvalidatedSecret};
use crate::sharing::{RequestMessage, SecretSharing};

/// The answer of a verified device to a request of ours. The request is open until this has been
/// [validated](Self::validate).
pub struct ReceivedSecret {
    pub(crate) request_id: String,
    pub(crate) device_id: String,
    pub(crate) secret: UnvalidatedSecret,
}

/// What came of an answer.
#[derive(Debug)]
#[must_use]
pub struct Accepted<T> {
    /// What the check has made of the secret.
    pub value: T,
    /// To be sent to the other devices that were asked, if there are any.
    pub cancellation: Option<RequestMessage>,
}

impl ReceivedSecret {
    /// The name of the secret that was asked for under this request ID.
    #[must_use]
    pub fn name(&self) -> &str {
        self.secret.name()
    }

    /// The device that has sent it.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.device_id
    }

    /// Hands the secret to `check`, as [`UnvalidatedSecret::validate`] does, and closes the request if that is content.
    ///
    /// # Errors
    ///
    /// [`ValidateError`]. Where the check failed, the request stays open for the other devices that were asked; this one is not
    /// listened to again.
    pub fn validate<T, E>(
        self,
        sharing: &mut SecretSharing,
        check: impl FnOnce(&Secret) -> Result<T, E>,
    ) -> Result<Accepted<T>, ValidateError<E>> {
        if sharing.requested_name(&self.request_id) != Some(self.secret.name()) {
            return Err(ValidateError::Closed);
        }
        let value = self.secret.validate(check).map_err(ValidateError::Wrong)?;
        let cancellation = sharing.close(&self.request_id, Some(&self.device_id));
        Ok(Accepted { value, cancellation })
    }
}

impl fmt::Debug for ReceivedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedSecret")
            .field("request_id", &self.request_id)
            .field("device_id", &self.device_id)
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// Why a secret that was received is not used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ValidateError<E> {
    /// The request was answered by another device meanwhile, or cancelled. The secret was not looked at.
    Closed,
    /// The check has refused it.
    Wrong(E),
}

impl<E: fmt::Display> fmt::Display for ValidateError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("request for the secret is not open any more"),
            Self::Wrong(error) => write!(f, "received secret is not the right one: {error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for ValidateError<E> {}
