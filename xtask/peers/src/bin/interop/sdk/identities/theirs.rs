//! A device that runs their machine, its trust put in our words (TRU-6, IDC-5, IDC-10).

use std::collections::BTreeMap;

use matrix_sdk_crypto::{
    Device, LocalTrust, OlmMachine, UserIdentity,
    types::requests::{AnyIncomingResponse, AnyOutgoingRequest, OutgoingRequest},
};
use mx_cross_signing::{OwnState, TrustLevel, UserState};
use mx_types::Ed25519PublicKey;
use ruma::{
    OwnedUserId, TransactionId, UserId,
    api::{
        IncomingResponse as _,
        client::keys::{get_keys, upload_keys, upload_signatures, upload_signing_keys},
    },
};
use serde_json::json;

use super::{super::block_on, homeserver::Homeserver};
use crate::report::{Failure, expect, failure};

pub struct Theirs {
    pub machine: OlmMachine,
}

impl Theirs {
    pub fn new(user_id: &str, device_id: &str) -> Result<Self, Failure> {
        let user_id = UserId::parse(user_id)?;
        Ok(Self { machine: block_on(OlmMachine::new(&user_id, device_id.into())) })
    }

    pub fn user_id(&self) -> &str {
        self.machine.user_id().as_str()
    }

    pub fn ed25519(&self) -> Result<Ed25519PublicKey, Failure> {
        Ok(Ed25519PublicKey::from_base64(&self.machine.identity_keys().ed25519.to_base64())?)
    }

    /// Its device keys as it uploads them.
    pub fn device_keys(&self) -> Result<String, Failure> {
        let (_, request) = block_on(self.machine.upload_device_keys())?.ok_or("no device keys to upload")?;
        Ok(request.device_keys.ok_or("no device keys in the upload")?.json().get().to_owned())
    }

    /// A new device, which uploads its keys.
    pub fn log_in(server: &mut Homeserver, user_id: &str, device_id: &str) -> Result<Self, Failure> {
        let theirs = Self::new(user_id, device_id)?;
        let (id, request) = block_on(theirs.machine.upload_device_keys())?.ok_or("no device keys")?;
        theirs.upload_device(server, &id, &request)?;
        Ok(theirs)
    }

    fn upload_device(
        &self,
        server: &mut Homeserver,
        id: &TransactionId,
        request: &upload_keys::v3::Request,
    ) -> Result<(), Failure> {
        let device_keys = request.device_keys.as_ref().ok_or("no device keys in the upload")?;
        server.upload_device(self.user_id(), device_keys.json().get())?;
        let response = upload_keys::v3::Response::new(BTreeMap::new());
        Ok(block_on(self.machine.mark_request_as_sent(id, &response))?)
    }

    /// Makes an identity, uploads it, and signs this device with it: the body of the upload.
    pub fn bootstrap(&self, server: &mut Homeserver) -> Result<String, Failure> {
        let requests = block_on(self.machine.bootstrap_cross_signing(true))?;
        if let Some(upload) = requests.upload_keys_req {
            let AnyOutgoingRequest::KeysUpload(request) = upload.request() else {
                return failure("another request than for device keys");
            };
            self.upload_device(server, upload.request_id(), request)?;
        }
        let keys = requests.upload_signing_keys_req;
        let body = json!({
            "master_key": keys.master_key,
            "self_signing_key": keys.self_signing_key,
            "user_signing_key": keys.user_signing_key,
        })
        .to_string();
        server.upload_signing_keys(self.user_id(), &body)?;
        let response = upload_signing_keys::v3::Response::new();
        let response = AnyIncomingResponse::SigningKeysUpload(&response);
        block_on(self.machine.mark_request_as_sent(&TransactionId::new(), response))?;
        self.upload_signatures(server, requests.upload_signatures_req)?;
        Ok(body)
    }

    /// Uploads signatures: the body.
    pub fn upload_signatures(
        &self,
        server: &mut Homeserver,
        request: upload_signatures::v3::Request,
    ) -> Result<String, Failure> {
        let body = json!(request.signed_keys).to_string();
        let response = server.upload_signatures(self.user_id(), &body)?;
        expect(response == r#"{"failures":{}}"#, "the server refuses a signature of theirs")?;
        let request = OutgoingRequest::from(request);
        let response = upload_signatures::v3::Response::new();
        block_on(self.machine.mark_request_as_sent(request.request_id(), &response))?;
        Ok(body)
    }

    pub fn query(&self, server: &Homeserver, users: &[&str]) -> Result<(), Failure> {
        self.receive(&server.query(self.user_id(), users), users)
    }

    pub fn receive(&self, body: &str, users: &[&str]) -> Result<(), Failure> {
        let users: Vec<OwnedUserId> = users.iter().map(UserId::parse).collect::<Result<_, _>>()?;
        // Whom it does not track it does not latch.
        block_on(self.machine.update_tracked_users(users.iter().map(|user_id| &**user_id)))?;
        let (id, _) = self.machine.query_keys_for_users(users.iter().map(|user_id| &**user_id));
        let response = http::Response::new(body.as_bytes());
        let response = get_keys::v3::Response::try_from_http_response(response)?;
        Ok(block_on(self.machine.mark_request_as_sent(&id, &response))?)
    }

    pub fn identity(&self, user_id: &str) -> Result<Option<UserIdentity>, Failure> {
        Ok(block_on(self.machine.get_identity(&UserId::parse(user_id)?, None))?)
    }

    pub fn device(&self, user_id: &str, device_id: &str) -> Result<Option<Device>, Failure> {
        Ok(block_on(self.machine.get_device(&UserId::parse(user_id)?, device_id.into(), None))?)
    }

    /// The user says that the present own identity is theirs.
    pub fn verify_own(&self) -> Result<(), Failure> {
        let own = self.identity(self.user_id())?.and_then(UserIdentity::own).ok_or("no own identity")?;
        block_on(own.verify())?;
        Ok(())
    }

    /// Verifies another user as they are now, and uploads that: the body.
    pub fn verify(&self, server: &mut Homeserver, user_id: &str) -> Result<String, Failure> {
        let user = self.identity(user_id)?.and_then(UserIdentity::other).ok_or("no identity")?;
        let request = block_on(user.verify())?;
        self.upload_signatures(server, request)
    }

    /// Verifies another device of theirs, and uploads that: the body.
    pub fn sign_device(&self, server: &mut Homeserver, device_id: &str) -> Result<String, Failure> {
        let device = self.device(self.user_id(), device_id)?.ok_or("no device")?;
        let request = block_on(device.verify())?;
        self.upload_signatures(server, request)
    }

    pub fn user_state(&self, user_id: &str) -> Result<Option<UserState>, Failure> {
        let Some(user) = self.identity(user_id)?.and_then(UserIdentity::other) else { return Ok(None) };
        Ok(Some(if user.is_verified() {
            UserState::Verified
        } else if user.has_verification_violation() {
            UserState::VerificationViolation
        } else if user.identity_needs_user_approval() {
            UserState::PinViolation
        } else {
            UserState::Pinned
        }))
    }

    pub fn own_state(&self) -> Result<OwnState, Failure> {
        let Some(own) = self.identity(self.user_id())?.and_then(UserIdentity::own) else {
            return Ok(OwnState::NoIdentity);
        };
        Ok(if own.is_verified() {
            OwnState::Verified
        } else if own.has_verification_violation() {
            OwnState::VerificationViolation
        } else {
            OwnState::NeverVerified
        })
    }

    pub fn level(&self, user_id: &str, device_id: &str) -> Result<Option<TrustLevel>, Failure> {
        let Some(device) = self.device(user_id, device_id)? else { return Ok(None) };
        let level = if device.is_blacklisted() {
            TrustLevel::Blacklisted
        } else if device.is_verified() {
            TrustLevel::Verified
        } else if !device.is_cross_signed_by_owner() {
            TrustLevel::Unsigned
        } else if user_id == self.user_id() {
            match self.own_state()? {
                OwnState::VerificationViolation => TrustLevel::CrossSignedViolation,
                _ => TrustLevel::CrossSignedTofu,
            }
        } else {
            match self.user_state(user_id)? {
                Some(UserState::VerificationViolation) => TrustLevel::CrossSignedViolation,
                Some(UserState::PinViolation) => TrustLevel::CrossSignedPinViolation,
                _ => TrustLevel::CrossSignedTofu,
            }
        };
        Ok(Some(level))
    }

    pub fn set_local_trust(&self, user_id: &str, device_id: &str, trust: LocalTrust) -> Result<(), Failure> {
        let device = self.device(user_id, device_id)?.ok_or("no device")?;
        Ok(block_on(device.set_local_trust(trust))?)
    }
}
