//! What their machine wants to be sent.

use matrix_sdk_crypto::types::requests::{AnyOutgoingRequest, OutgoingVerificationRequest, ToDeviceRequest};
use ruma::{
    EventId, TransactionId,
    api::client::{keys::upload_signatures, message::send_message_event, to_device::send_event_to_device},
    events::MessageLikeEventContent as _,
    to_device::DeviceIdOrAllDevices,
};
use serde_json::Value;

use super::{
    super::block_on,
    net::{Message, Net, To},
};
use crate::report::Failure;

impl Net {
    /// Sends what a call of their machine has given.
    pub fn send_theirs(&mut self, index: usize, request: OutgoingVerificationRequest) -> Result<(), Failure> {
        match request {
            OutgoingVerificationRequest::ToDevice(request) => self.send_to_devices(index, &request),
            OutgoingVerificationRequest::InRoom(request) => {
                let content = serde_json::to_value(&*request.content)?;
                let event_type = request.content.event_type().to_string();
                self.post_to_room(self.theirs[index].address.clone(), &event_type, content);
                Ok(())
            }
        }
    }

    fn send_to_devices(&mut self, index: usize, request: &ToDeviceRequest) -> Result<(), Failure> {
        let sender = self.theirs[index].address.clone();
        for (user_id, devices) in &request.messages {
            for (device, content) in devices {
                let content: Value = serde_json::from_str(content.json().get())?;
                let device_ids = match device {
                    DeviceIdOrAllDevices::DeviceId(device_id) => vec![device_id.to_string()],
                    DeviceIdOrAllDevices::AllDevices => self.devices(user_id.as_str()),
                };
                for device_id in device_ids {
                    self.post(Message {
                        sender: sender.clone(),
                        to: To::Device((user_id.to_string(), device_id)),
                        event_type: request.event_type.to_string(),
                        content: content.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    fn devices(&self, user_id: &str) -> Vec<String> {
        let addresses = self.ours.iter().map(|device| &device.address);
        let addresses = addresses.chain(self.theirs.iter().map(|device| &device.address));
        addresses.filter(|(user, _)| user == user_id).map(|(_, device)| device.clone()).collect()
    }

    /// Sends what their machine has queued, as long as there is something, and says that it was sent.
    pub fn pump(&mut self, index: usize) -> Result<(), Failure> {
        loop {
            let machine = self.theirs[index].theirs.machine.clone();
            let mut sent = false;
            for request in block_on(machine.outgoing_requests())? {
                let id: &TransactionId = request.request_id();
                match request.request() {
                    AnyOutgoingRequest::ToDeviceRequest(request) => {
                        self.send_to_devices(index, request)?;
                        let response = send_event_to_device::v3::Response::new();
                        block_on(machine.mark_request_as_sent(id, &response))?;
                    }
                    AnyOutgoingRequest::RoomMessage(request) => {
                        let content = serde_json::to_value(&*request.content)?;
                        let event_type = request.content.event_type().to_string();
                        let sender = self.theirs[index].address.clone();
                        let event_id = self.post_to_room(sender, &event_type, content);
                        let response = send_message_event::v3::Response::new(EventId::parse(event_id)?);
                        block_on(machine.mark_request_as_sent(id, &response))?;
                    }
                    AnyOutgoingRequest::SignatureUpload(request) => {
                        self.theirs[index].theirs.upload_signatures(&mut self.server, request.clone())?;
                        let response = upload_signatures::v3::Response::new();
                        block_on(machine.mark_request_as_sent(id, &response))?;
                    }
                    // Keys for Olm, and queries: the tests say when.
                    _ => continue,
                }
                sent = true;
            }
            if !sent {
                return Ok(());
            }
        }
    }
}
