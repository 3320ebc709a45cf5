//! The requests of this device and those of others, as values.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use mx_pickle::Generation;
use mx_types::{DeviceId, RandomnessFailed, UserId};
use rand_core::TryCryptoRng;

use crate::key::random_text;
use crate::permit::{AnswerPermit, AnswerRefused, KnownDevice, OwnDeviceTrust};
use crate::received::ReceivedSecret;
use crate::secret::{Secret, UnvalidatedSecret};
use crate::secret_request::{Action, MAX_NAME_LEN, SecretRequest, is_name};
use crate::secret_send::SecretSend;

/// Requests of this device that may be open at once, and also those of others.
pub const MAX_REQUESTS: usize = 100;

/// Devices that may be asked for one secret.
pub const MAX_ASKED_DEVICES: usize = 1_024;

/// What this device asks other own devices for, and what they ask it for.
///
/// Nothing that is sent in the clear opens, closes or answers a request of this device. Store the pickle after each change, before
/// what came out is sent.
#[derive(Debug)]
pub struct SecretSharing {
    pub(crate) user_id: String,
    pub(crate) device_id: String,
    pub(crate) requests: Vec<OpenRequest>,
    pub(crate) received: Vec<ReceivedRequest>,
    pub(crate) generation: Generation,
}

/// A request of this device.
#[derive(Debug)]
pub(crate) struct OpenRequest {
    pub(crate) request_id: String,
    pub(crate) name: String,
    pub(crate) asked: Vec<AskedDevice>,
}

#[derive(Debug)]
pub(crate) struct AskedDevice {
    pub(crate) device_id: String,
    pub(crate) has_answered: bool,
}

/// What another device asks for. Nothing of it is authenticated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceivedRequest {
    /// The device that is said to ask.
    pub device_id: String,
    /// Names the request, together with the device.
    pub request_id: String,
    /// The name of the secret.
    pub name: String,
}

/// A message of type `m.secret.request`, to be sent to these devices of our own user, unencrypted.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct RequestMessage {
    /// The content, the same for all.
    pub content: String,
    /// The devices.
    pub device_ids: Vec<String>,
    /// The ID of the request.
    pub request_id: String,
}

impl SecretSharing {
    /// Nothing is asked for yet. `user_id` and `device_id` are those of this device.
    #[must_use]
    pub fn new(user_id: UserId<'_>, device_id: DeviceId<'_>) -> Self {
        Self {
            user_id: user_id.as_str().to_owned(),
            device_id: device_id.as_str().to_owned(),
            requests: Vec::new(),
            received: Vec::new(),
            generation: Generation::NEVER_PICKLED,
        }
    }

    /// Opens a request for a secret. Ask verified devices: no other is listened to.
    ///
    /// # Errors
    ///
    /// [`RequestError`]. Nothing has changed then.
    pub fn request<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        name: &str,
        devices: &[DeviceId<'_>],
    ) -> Result<RequestMessage, RequestError> {
        if !is_name(name) {
            return Err(RequestError::NameLength { len: name.len() });
        }
        if self.requests.len() >= MAX_REQUESTS {
            return Err(RequestError::TooManyRequests);
        }
        let mut device_ids: Vec<_> = devices.iter().map(|id| id.as_str().to_owned()).collect();
        device_ids.sort_unstable();
        device_ids.dedup();
        device_ids.retain(|id| *id != self.device_id);
        if device_ids.is_empty() {
            return Err(RequestError::NoDevices);
        }
        if device_ids.len() > MAX_ASKED_DEVICES {
            return Err(RequestError::TooManyDevices);
        }
        let request_id = random_text(rng).map_err(|RandomnessFailed| RequestError::RandomnessFailed)?;
        let asked = device_ids.iter();
        let asked = asked.map(|id| AskedDevice { device_id: id.clone(), has_answered: false }).collect();
        let message = self.message(&request_id, Action::Request { name: name.to_owned() }, device_ids);
        self.requests.push(OpenRequest { request_id, name: name.to_owned(), asked });
        Ok(message)
    }

    /// The requests that are open: ID and name of the secret.
    pub fn requests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.requests.iter().map(|request| (request.request_id.as_str(), request.name.as_str()))
    }

    /// Closes a request of this device, and only this one. What comes out is to be sent to the devices that were asked; `None`
    /// if there is no such request.
    pub fn cancel(&mut self, request_id: &str) -> Option<RequestMessage> {
        self.close(request_id, None)
    }

    /// Takes an answer. `sender` is the device whose identity key is the sender key of the Olm session in which it came.
    ///
    /// The request is still open: see [`ReceivedSecret::validate`].
    ///
    /// # Errors
    ///
    /// [`SecretRefused`]. Nothing has changed then.
    pub fn receive_secret(
        &mut self,
        sender: &KnownDevice<'_>,
        content: &SecretSend,
    ) -> Result<ReceivedSecret, SecretRefused> {
        if sender.user_id.as_str() != self.user_id {
            return Err(SecretRefused::NotOwnUser);
        }
        let request = self.requests.iter_mut().find(|request| request.request_id == content.request_id);
        let request = request.ok_or(SecretRefused::NotRequested)?;
        let device_id = sender.device_id.as_str();
        let asked = request.asked.iter_mut().find(|asked| asked.device_id == device_id);
        let asked = asked.ok_or(SecretRefused::NotAsked)?;
        if sender.trust == OwnDeviceTrust::NotVerified {
            return Err(SecretRefused::NotVerified);
        }
        if asked.has_answered {
            return Err(SecretRefused::AnsweredBefore);
        }
        asked.has_answered = true;
        let text = zeroize::Zeroizing::new(content.secret.as_str().to_owned());
        Ok(ReceivedSecret {
            request_id: request.request_id.clone(),
            device_id: device_id.to_owned(),
            secret: UnvalidatedSecret::new(request.name.clone(), Secret::of(text)),
        })
    }

    /// Takes a request of another device, or its cancellation. `sender` is who has sent the to-device message.
    ///
    /// A request is kept until it is [permitted](Self::permit), [dismissed](Self::dismiss) or cancelled. A cancellation
    /// removes the one request with its ID of its device.
    ///
    /// # Errors
    ///
    /// [`RequestRefused`]. Nothing has changed then.
    pub fn receive_request(
        &mut self,
        sender: UserId<'_>,
        request: SecretRequest,
    ) -> Result<(), RequestRefused> {
        if sender.as_str() != self.user_id {
            return Err(RequestRefused::NotOwnUser);
        }
        if request.requesting_device_id == self.device_id {
            return Err(RequestRefused::ThisDevice);
        }
        let SecretRequest { action, requesting_device_id: device_id, request_id } = request;
        let known = self.position(&device_id, &request_id);
        match (action, known) {
            (Action::Cancellation, Some(position)) => {
                self.received.remove(position);
            }
            (Action::Cancellation, None) => {}
            (Action::Request { .. }, Some(_)) => return Err(RequestRefused::Repeated),
            (Action::Request { .. }, None) if self.received.len() >= MAX_REQUESTS => {
                return Err(RequestRefused::TooManyRequests);
            }
            (Action::Request { name }, None) => {
                self.received.push(ReceivedRequest { device_id, request_id, name });
            }
        }
        Ok(())
    }

    /// The requests of other devices that are open, in the order in which they came.
    #[must_use]
    pub fn received_requests(&self) -> &[ReceivedRequest] {
        &self.received
    }

    /// Whether a device may have what it has asked for under this ID: only a device of our own user that is verified and
    /// cross-signed. The request is over then, and only this one.
    ///
    /// # Errors
    ///
    /// [`AnswerRefused`]. Nothing has changed then.
    pub fn permit(
        &mut self,
        device: &KnownDevice<'_>,
        request_id: &str,
    ) -> Result<AnswerPermit, AnswerRefused> {
        if device.user_id.as_str() != self.user_id {
            return Err(AnswerRefused::NotOwnUser);
        }
        let device_id = device.device_id.as_str();
        let position = self.position(device_id, request_id).ok_or(AnswerRefused::NotRequested)?;
        match device.trust {
            OwnDeviceTrust::CrossSigned => {}
            OwnDeviceTrust::VerifiedHere => return Err(AnswerRefused::NotCrossSigned),
            OwnDeviceTrust::NotVerified => return Err(AnswerRefused::NotVerified),
        }
        let ReceivedRequest { device_id, request_id, name } = self.received.remove(position);
        Ok(AnswerPermit { request_id, name, device_id })
    }

    /// Forgets a request of another device, as the user wishes or because the secret is not here. Returns whether there was one.
    pub fn dismiss(&mut self, device_id: &str, request_id: &str) -> bool {
        let position = self.position(device_id, request_id);
        position.map(|position| self.received.remove(position)).is_some()
    }

    /// The name of the secret that is asked for under this ID.
    pub(crate) fn requested_name(&self, request_id: &str) -> Option<&str> {
        self.requests().find(|(id, _)| *id == request_id).map(|(_, name)| name)
    }

    /// Closes a request, and tells the devices that were asked but for one.
    pub(crate) fn close(&mut self, request_id: &str, but: Option<&str>) -> Option<RequestMessage> {
        let position = self.requests.iter().position(|request| request.request_id == request_id)?;
        let OpenRequest { request_id, asked, .. } = self.requests.remove(position);
        let asked = asked.into_iter().map(|asked| asked.device_id);
        let device_ids: Vec<_> = asked.filter(|id| Some(id.as_str()) != but).collect();
        (!device_ids.is_empty()).then(|| self.message(&request_id, Action::Cancellation, device_ids))
    }

    fn message(&self, request_id: &str, action: Action, device_ids: Vec<String>) -> RequestMessage {
        let request_id = request_id.to_owned();
        let requesting_device_id = self.device_id.clone();
        let request = SecretRequest { action, requesting_device_id, request_id };
        RequestMessage { content: request.to_json(), device_ids, request_id: request.request_id }
    }

    fn position(&self, device_id: &str, request_id: &str) -> Option<usize> {
        self.received
            .iter()
            .position(|request| request.device_id == device_id && request.request_id == request_id)
    }
}

/// Why no request was opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// The name is empty or longer than [`MAX_NAME_LEN`].
    NameLength {
        /// Its length in bytes.
        len: usize,
    },
    /// [`MAX_REQUESTS`] are open. Cancel some.
    TooManyRequests,
    /// There is no device to ask but this one.
    NoDevices,
    /// More than [`MAX_ASKED_DEVICES`].
    TooManyDevices,
    /// There was no randomness.
    RandomnessFailed,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameLength { len } => {
                write!(f, "name of the secret has {len} bytes, 1 to {MAX_NAME_LEN} are allowed")
            }
            Self::TooManyRequests => write!(f, "{MAX_REQUESTS} requests are open, cancel some"),
            Self::NoDevices => f.write_str("there is no other device to ask"),
            Self::TooManyDevices => write!(f, "at most {MAX_ASKED_DEVICES} devices can be asked"),
            Self::RandomnessFailed => RandomnessFailed.fmt(f),
        }
    }
}

impl core::error::Error for RequestError {}

/// Why an answer was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SecretRefused {
    /// It is another user's.
    NotOwnUser,
    /// No request of this ID is open.
    NotRequested,
    /// That device was not asked.
    NotAsked,
    /// That device is not verified.
    NotVerified,
    /// That device has answered before.
    AnsweredBefore,
}

impl fmt::Display for SecretRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOwnUser => "secrets are taken from own devices only",
            Self::NotRequested => "no request of this ID is open",
            Self::NotAsked => "device was not asked",
            Self::NotVerified => "device is not verified",
            Self::AnsweredBefore => "device has answered before",
        })
    }
}

impl core::error::Error for SecretRefused {}

/// Why a request of another device was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RequestRefused {
    /// It is another user's.
    NotOwnUser,
    /// It is said to be this device's.
    ThisDevice,
    /// That device has a request of this ID already.
    Repeated,
    /// [`MAX_REQUESTS`] are open.
    TooManyRequests,
}

impl fmt::Display for RequestRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOwnUser => f.write_str("secrets are shared with own devices only"),
            Self::ThisDevice => f.write_str("request is said to be this device's"),
            Self::Repeated => f.write_str("device has a request of this ID already"),
            Self::TooManyRequests => write!(f, "{MAX_REQUESTS} requests are open"),
        }
    }
}

impl core::error::Error for RequestRefused {}
