//! The old spelling of MACs. Their machine takes it, and nothing of ours chooses it where there is the new one: so `mx-sas` is
//! driven by hand here, against their machine.

use matrix_sdk_crypto::Sas;
use mx_sas::{
    Accepter, Choice, Commitment, Compare, Flow, MacMethod, OwnKeys, Party, PinnedKeys, ReceivedMac,
    ShortStrings, Starter,
};
use mx_types::{DeviceId, UserId};
use mx_verification::{FlowKey, Place};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::{
    super::{block_on, identities::Ours},
    net::{Address, Message, Net, To},
    scene::{Side, Who, devices},
    theirs::methods,
};
use crate::{
    canonical_json::ruma,
    report::{Failure, Outcome, expect},
};

const ID: &str = "old-macs";
const OLD: &str = "hkdf-hmac-sha256";

/// Our device, whose messages are written here.
struct ByHand {
    net: Net,
    us: Address,
    them: Address,
    flow: FlowKey,
    identities: Ours,
}

/// Between two users, started by either.
pub fn flows(rng: &mut ChaCha20Rng) -> Outcome {
    for starts in Side::BOTH {
        let (mut net, us, them) = devices(rng, Who::Users, true)?;
        let identities = net.ours.pop().ok_or("no device of ours")?.identities;
        let flow = FlowKey { place: Place::ToDevice, user_id: them.0.clone(), id: ID.to_owned() };
        let mut by_hand = ByHand { net, us, them, flow, identities };
        by_hand.flow(rng, starts)?;
    }
    Ok("2 flows".to_owned())
}

impl ByHand {
    fn flow(&mut self, rng: &mut ChaCha20Rng, starts: Side) -> Result<(), Failure> {
        let timestamp = self.net.time().unix_ms;
        let content = json!({ "from_device": self.us.1, "methods": ["m.sas.v1"], "timestamp": timestamp, "transaction_id": ID });
        let (sender, to) = (self.us.clone(), To::Device(self.them.clone()));
        self.net.post(Message { sender, to, event_type: "m.key.verification.request".to_owned(), content });
        self.net.run()?;
        let request = self.net.theirs[0].request(&self.us.0, &self.flow)?;
        let ready = request.accept_with_methods(methods()).ok_or("they cannot accept")?;
        self.net.send_theirs(0, ready)?;
        self.net.run()?;
        let (us, them) = (self.us.clone(), self.them.clone());
        let (us, them) = (party(&us)?, party(&them)?);
        let choice = Choice { mac: MacMethod::HkdfHmacSha256, short_strings: ShortStrings::ALL };
        let compare: Compare<String> = match starts {
            Side::Us => {
                let start = json!({
                    "from_device": self.us.1,
                    "method": "m.sas.v1",
                    "key_agreement_protocols": ["curve25519-hkdf-sha256"],
                    "hashes": ["sha256"],
                    "message_authentication_codes": [OLD],
                    "short_authentication_string": ["decimal", "emoji"],
                    "transaction_id": ID,
                });
                self.send("start", start.clone())?;
                let accept = self.received("accept")?;
                expect(accept["message_authentication_code"] == OLD, "they do not take the old MACs")?;
                let commitment =
                    Commitment::from_base64(accept["commitment"].as_str().ok_or("no commitment")?)?;
                let starter = Starter::new(rng, Flow::new(ID, us, them)?.keep())?;
                let starter = starter.receive_accept(choice, commitment);
                self.send("key", json!({ "key": starter.public_key().to_string() }))?;
                let key = self.received("key")?;
                let key = key["key"].as_str().ok_or("no key")?;
                starter.receive_key(key, ruma(&start.to_string())?.as_bytes())?
            }
            Side::Them => {
                let (_, start) = block_on(request.start_sas())?.ok_or("they cannot start")?;
                self.net.send_theirs(0, start)?;
                self.net.run()?;
                let start = ruma(&self.received("start")?.to_string())?;
                let accepter = Accepter::new(rng, Flow::new(ID, them, us)?.keep(), choice, start.as_bytes())?;
                let accept = json!({
                    "key_agreement_protocol": "curve25519-hkdf-sha256",
                    "hash": "sha256",
                    "message_authentication_code": OLD,
                    "short_authentication_string": ["decimal", "emoji"],
                    "commitment": accepter.commitment().to_base64(&mut [0; Commitment::BASE64_LEN]),
                });
                self.send("accept", accept)?;
                let key = self.received("key")?;
                let (key, compare) = accepter.receive_key(key["key"].as_str().ok_or("no key")?)?;
                self.send("key", json!({ "key": key.to_string() }))?;
                compare
            }
        };
        let sas = self.net.theirs[0].sas(&self.us.0, &self.flow)?;
        expect(sas.decimals().map(|(a, b, c)| [a, b, c]) == compare.decimal(), "other numbers")?;
        self.macs(&sas, compare)?;
        expect(sas.is_done(), "they are not done")
    }

    fn macs(&mut self, sas: &Sas, compare: Compare<String>) -> Result<(), Failure> {
        let identity = self.identities.own.identity().ok_or("no identity")?;
        let own = OwnKeys {
            device: self.identities.own.ed25519(),
            master_signing_key: Some(identity.master_signing_key().public_key()),
        };
        let confirmed = compare.confirm();
        let macs = confirmed.macs(&own);
        let (name, master) = macs.master_signing_key.as_ref().ok_or("no MAC of the master signing key")?;
        let device = format!("ed25519:{}", self.us.1);
        let mac =
            json!({ device: macs.device.as_str(), format!("ed25519:{}", name.as_str()): master.as_str() });
        self.send("mac", json!({ "mac": mac, "keys": macs.keys.as_str() }))?;
        expect(!sas.is_cancelled(), "they do not take our MACs")?;
        let (requests, upload) = block_on(sas.confirm())?;
        for request in requests {
            self.net.send_theirs(0, request)?;
        }
        expect(upload.is_none(), "they sign before we say that we are done")?;
        self.net.run()?;
        let theirs = self.received("mac")?;
        let mac = theirs["mac"].as_object().ok_or("no MACs")?;
        let mac: Vec<(&str, &str)> =
            mac.iter().filter_map(|(name, mac)| Some((name.as_str(), mac.as_str()?))).collect();
        let user = self.identities.user(&self.them.0)?.ok_or("no identity of theirs")?;
        let device = self.identities.device(&self.them.0, &self.them.1)?.ok_or("no device of theirs")?;
        let pinned = PinnedKeys {
            device: Some(device.ed25519()),
            master_signing_key: Some(user.identity().master_signing_key().public_key()),
        };
        let keys = theirs["keys"].as_str().ok_or("no MAC of the list")?;
        let verified = confirmed.receive_mac(&ReceivedMac { mac: &mac, keys }, &pinned)?;
        expect(verified.device == pinned.device, "their device is not verified")?;
        expect(verified.master_signing_key == pinned.master_signing_key, "their user is not verified")?;
        self.send("done", json!({}))
    }

    fn send(&mut self, event_type: &str, content: Value) -> Result<(), Failure> {
        let (us, them, flow) = (self.us.clone(), self.them.clone(), self.flow.clone());
        self.net.make_up(&us, &them, &flow, event_type, content);
        self.net.run()
    }

    /// The content of the last message of a type that they have sent.
    fn received(&self, event_type: &str) -> Result<Value, Failure> {
        let mut sent = self.net.log.iter().rev();
        let sent =
            sent.find(|message| message.sender == self.them && message.event_type.ends_with(event_type));
        Ok(sent.ok_or_else(|| format!("they sent no {event_type}"))?.content.clone())
    }
}

fn party((user_id, device_id): &Address) -> Result<Party<'_>, Failure> {
    Ok(Party { user_id: UserId::parse(user_id)?, device_id: DeviceId::parse(device_id)? })
}
