//! A device that runs their machine: what its client does around it.

use std::collections::BTreeMap;

use matrix_sdk_crypto::{
    DecryptionSettings, EncryptionSyncChanges, QrVerification, Sas, SasState, TrustRequirement, Verification,
    VerificationRequest, types::requests::OutgoingVerificationRequest,
};
use mx_verification::FlowKey;
use ruma::{
    UserId,
    events::{AnyMessageLikeEvent, AnyToDeviceEvent, key::verification::VerificationMethod},
    serde::Raw,
};
use serde_json::{Value, json};

use super::{
    super::{
        block_on,
        identities::{Homeserver, Theirs},
    },
    net::{Address, Message, ROOM, To},
};
use crate::report::Failure;

pub struct TheirDevice {
    pub address: Address,
    pub theirs: Theirs,
}

/// All that they can do; by itself their machine does not say that it can scan.
pub fn methods() -> Vec<VerificationMethod> {
    use VerificationMethod::{QrCodeScanV1, QrCodeShowV1, ReciprocateV1, SasV1};
    vec![SasV1, QrCodeShowV1, QrCodeScanV1, ReciprocateV1]
}

impl TheirDevice {
    pub fn log_in(server: &mut Homeserver, (user_id, device_id): (&str, &str)) -> Result<Self, Failure> {
        let theirs = Theirs::log_in(server, user_id, device_id)?;
        Ok(Self { address: (user_id.to_owned(), device_id.to_owned()), theirs })
    }

    /// Takes a message, in a room as its event was decrypted; accepts it, if it starts a comparison of short strings.
    pub fn receive(
        &self,
        message: &Message,
        decrypted: Option<Value>,
    ) -> Result<Vec<OutgoingVerificationRequest>, Failure> {
        let mut event = json!({
            "sender": message.sender.0,
            "type": message.event_type,
            "content": message.content,
        });
        match &message.to {
            To::Device(_) => {
                let event: Raw<AnyToDeviceEvent> = serde_json::from_value(event)?;
                let changes = EncryptionSyncChanges {
                    to_device_events: vec![event],
                    changed_devices: &Default::default(),
                    one_time_keys_counts: &BTreeMap::new(),
                    unused_fallback_keys: None,
                    next_batch_token: None,
                };
                let settings =
                    DecryptionSettings { sender_device_trust_requirement: TrustRequirement::Untrusted };
                block_on(self.theirs.machine.receive_sync_changes(changes, &settings))?;
            }
            To::Room { event_id } => {
                event["event_id"] = event_id.as_str().into();
                event["room_id"] = ROOM.into();
                event["origin_server_ts"] = u64::from(ruma::MilliSecondsSinceUnixEpoch::now().get()).into();
                // What their types do not take never reaches their machine.
                let event = decrypted.unwrap_or(event);
                if let Ok(event) = serde_json::from_value::<AnyMessageLikeEvent>(event) {
                    block_on(self.theirs.machine.receive_verification_event(&event))?;
                }
            }
        }
        let content = &message.content;
        let id = content["transaction_id"].as_str().or(content["m.relates_to"]["event_id"].as_str());
        let started =
            id.and_then(|id| self.verification(&message.sender.0, id)).and_then(Verification::sas_v1);
        Ok(started
            .filter(|sas| matches!(sas.state(), SasState::Started { .. }))
            .and_then(|sas| sas.accept())
            .into_iter()
            .collect())
    }

    fn verification(&self, user_id: &str, id: &str) -> Option<Verification> {
        self.theirs.machine.get_verification(&UserId::parse(user_id).ok()?, id)
    }

    /// What they know of a flow with a user.
    pub fn request(&self, user_id: &str, flow: &FlowKey) -> Result<VerificationRequest, Failure> {
        let request = self.theirs.machine.get_verification_request(&UserId::parse(user_id)?, &flow.id);
        Ok(request.ok_or("they know of no request")?)
    }

    pub fn sas(&self, user_id: &str, flow: &FlowKey) -> Result<Sas, Failure> {
        let sas = self.verification(user_id, &flow.id).and_then(Verification::sas_v1);
        Ok(*sas.ok_or("they compare no short strings")?)
    }

    pub fn qr(&self, user_id: &str, flow: &FlowKey) -> Result<QrVerification, Failure> {
        let qr = self.verification(user_id, &flow.id).and_then(Verification::qr_v1);
        Ok(*qr.ok_or("they have no code")?)
    }
}
