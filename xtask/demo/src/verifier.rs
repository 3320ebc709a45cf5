//! A device that verifies others, as a client composes it: mx-verification in the middle, its messages in an encrypted
//! room, and what follows from it signed and uploaded.

use std::{collections::VecDeque, sync::LazyLock, time::Instant};

use mx_cross_signing::{
    Identities, KeyStorage, OwnIdentity, SignaturesUpload, SigningKeys, Subject, TrustLevel, Verification,
    verify_own_device,
};
use mx_pickle::PickleKey;
use mx_signing::{KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, Ed25519PublicKey, RoomId, UserId};
use mx_verification::{
    Config, Event, FlowKey, Incoming, Keys, Outgoing, Step, Time, UserKeys, Verifications, Verified, Via,
    What,
};
use rand_core::CryptoRng;
use serde_json::{Value, json};

use crate::{
    Failure,
    device::Address,
    fail,
    narrator::{bytes, short},
    server::milliseconds_since_1970,
    stage::{DIRECT_ROOM_ID, Role, Stage},
    trust,
};

pub(crate) struct Verifier {
    pub(crate) who: Role,
    address: Address,
    signing_keys: SigningKeys,
    store: Store,
    verifications: Verifications,
    pickle_key: PickleKey,
    /// What a restart would begin with.
    pickle: Vec<u8>,
    flow: Option<FlowKey>,
    events: VecDeque<Event>,
    /// Events of the room that were read.
    read: usize,
}

/// What is known of identities and devices.
struct Store {
    own: OwnIdentity,
    identities: Identities,
    memory: SignatureMemory,
}

impl Keys for Store {
    fn user(&self, user_id: UserId<'_>) -> UserKeys {
        trust::user_keys(&self.own, &self.identities, user_id, false)
    }

    fn own_master_is_trusted(&self) -> bool {
        self.own.is_verified()
    }
}

impl Verifier {
    /// Makes an identity, uploads it, and signs the device with it.
    pub(crate) fn new(stage: &mut Stage<'_>, who: Role) -> Result<Self, Failure> {
        let address = stage.address(who);
        let (user_id, device_id) = (UserId::parse(&address.user_id)?, DeviceId::parse(&address.device_id)?);
        let ed25519 = Ed25519PublicKey::from_base64(&stage.device(who).account.ed25519_key())?;
        let signing_keys = SigningKeys::generate(&mut *stage.rng, user_id, KeyStorage::Secure)?;
        let identity = signing_keys.identity().ok_or("a key of the identity is missing")?;
        let msk = identity.master_signing_key().public_key().to_string();
        let upload = signing_keys.device_signing_upload(Some((device_id, &*stage.device(who))))?;
        let body = serde_json::from_str(&upload.body(None)?)?;
        stage.narrator.wire(&body)?;
        stage.server.upload_signing_keys(user_id.as_str(), &body)?;

        let mut own = OwnIdentity::new(user_id, device_id, ed25519);
        own.adopt(identity)?;
        let device_keys = stage.device(who).device_keys()?.to_string();
        let mut device = mx_cross_signing::Device::own(&device_keys, user_id, device_id)?;
        let verified = device.clone();
        let signed = verify_own_device(&own, &signing_keys, &mut device, &verified)?;
        let Verification::Signed(upload) = signed else { return fail("the self-signing key is missing") };
        let mut identities = Identities::default();
        identities.insert_device(device);
        let size = upload_signatures(stage, user_id, upload)?;
        let what = format!(
            "makes an identity, master signing key {}, and signs {device_id} with it: {} of signatures",
            short(&msk),
            bytes(size)
        );
        stage.tell(who, &what)?;

        let mut key = [0; 32];
        stage.rng.fill_bytes(&mut key);
        Ok(Self {
            who,
            verifications: Verifications::new(user_id, device_id, ed25519, Config::DEFAULT),
            address: stage.address(who),
            signing_keys,
            store: Store { own, identities, memory: SignatureMemory::default() },
            pickle_key: PickleKey::new(&key),
            pickle: Vec::new(),
            flow: None,
            events: VecDeque::new(),
            read: 0,
        })
    }

    /// Asks the server for the other's identity: how far the other's device is trusted for it.
    pub(crate) fn query_identity(&mut self, stage: &mut Stage<'_>) -> Result<TrustLevel, Failure> {
        let Address { user_id, device_id } = stage.address(self.who.other());
        let (user_id, device_id) = (UserId::parse(&user_id)?, DeviceId::parse(&device_id)?);
        stage.narrator.wire(&json!({ "device_keys": { user_id.as_str(): [] } }))?;
        let answer = stage.server.query_keys(user_id.as_str());
        stage.narrator.wire(&answer)?;
        let answer = answer.to_string();
        let response = KeysQueryResponse::parse(&answer)?;
        let Store { own, identities, memory } = &mut self.store;
        // What was known before is left aside: what counts here is what the server shows.
        *identities = Identities::default();
        let update = identities.receive(memory, own, &response, &[user_id]);
        if update.devices.iter().any(|user| !user.refused.is_empty()) {
            return fail("a device is refused");
        }
        let Ok(subject) = Subject::load(identities, user_id, device_id);
        Ok(subject.ok_or("the other's device is not there")?.trust(own).level)
    }

    /// Asks the other one.
    pub(crate) fn ask(&mut self, stage: &mut Stage<'_>) -> Result<(), Failure> {
        let Address { user_id, .. } = stage.address(self.who.other());
        let (room_id, user_id) = (RoomId::parse(DIRECT_ROOM_ID)?, UserId::parse(&user_id)?);
        let (_, step) = self.verifications.request_in_room(time(), &self.store, room_id, user_id)?;
        self.carry_out(stage, step)
    }

    pub(crate) fn accept(&mut self, stage: &mut Stage<'_>) -> Result<(), Failure> {
        self.act(stage, |verifications, rng, store, flow| {
            Ok(verifications.accept(rng, time(), store, flow)?)
        })
    }

    pub(crate) fn start_sas(&mut self, stage: &mut Stage<'_>) -> Result<(), Failure> {
        self.act(stage, |verifications, rng, _, flow| Ok(verifications.start_sas(rng, time(), flow)?))
    }

    /// The user says that the emoji are the same.
    pub(crate) fn confirm(&mut self, stage: &mut Stage<'_>) -> Result<(), Failure> {
        self.act(stage, |verifications, _, store, flow| Ok(verifications.confirm(time(), store, flow)?))
    }

    fn act(
        &mut self,
        stage: &mut Stage<'_>,
        act: impl FnOnce(&mut Verifications, &mut dyn CryptoRng, &Store, &FlowKey) -> Result<Step, Failure>,
    ) -> Result<(), Failure> {
        let flow = self.flow.as_ref().ok_or("nothing is being verified")?;
        let step = act(&mut self.verifications, &mut *stage.rng, &self.store, flow)?;
        self.carry_out(stage, step)
    }

    /// The next event, which must be what `pick` takes.
    pub(crate) fn hears<T>(
        &mut self,
        stage: &mut Stage<'_>,
        expected: &str,
        pick: impl FnOnce(What) -> Option<T>,
    ) -> Result<T, Failure> {
        self.listen(stage)?;
        let name = self.who.name();
        let Event { flow, what } =
            self.events.pop_front().ok_or_else(|| format!("{name} does not hear {expected}"))?;
        self.flow = Some(flow);
        let heard = format!("{what:?}");
        pick(what).ok_or_else(|| format!("{name} hears {heard}, not {expected}").into())
    }

    /// Does what follows from a verification.
    pub(crate) fn record(&mut self, stage: &mut Stage<'_>, verified: &Verified) -> Result<(), Failure> {
        for consequence in &verified.consequences {
            let Store { own, identities, .. } = &mut self.store;
            let device = &*stage.device(self.who);
            let upload = trust::record(own, &self.signing_keys, identities, device, consequence)?;
            let user_id = UserId::parse(&self.address.user_id)?;
            let size = upload_signatures(stage, user_id, upload)?;
            let what = format!("signs the master signing key of {}: {}", verified.user_id, bytes(size));
            stage.tell(self.who, &what)?;
        }
        Ok(())
    }

    /// Reads what is new in the room.
    pub(crate) fn listen(&mut self, stage: &mut Stage<'_>) -> Result<(), Failure> {
        let events: Vec<_> = stage.server.messages(DIRECT_ROOM_ID).skip(self.read).cloned().collect();
        self.read += events.len();
        events.iter().try_for_each(|event| self.receive(stage, event))
    }

    fn receive(&mut self, stage: &mut Stage<'_>, event: &Value) -> Result<(), Failure> {
        let received = stage.receive_room_event(self.who, event)?;
        let message = Incoming {
            sender: &received.sender.user_id,
            event_type: &received.event_type,
            content: &received.content.to_string(),
            via: Via::Room {
                room_id: DIRECT_ROOM_ID,
                event_id: event["event_id"].as_str().ok_or("the event has no ID")?,
                origin_server_ts: event["origin_server_ts"].as_u64().ok_or("the event has no time")?,
                from_this_device: received.sender == self.address,
                encrypted: Some(&event["content"].to_string()),
            },
        };
        let step = self.verifications.receive(&mut *stage.rng, time(), &self.store, &message)?;
        self.carry_out(stage, step)
    }

    /// Saves, sends, and keeps what is to be shown.
    fn carry_out(&mut self, stage: &mut Stage<'_>, step: Step) -> Result<(), Failure> {
        let Step { messages, events, queries, save, .. } = step;
        if save {
            self.pickle = self.verifications.pickle_to_vec(&mut *stage.rng, &self.pickle_key)?;
        }
        if !queries.is_empty() {
            return fail("keys are to be queried that are known");
        }
        for message in messages {
            match message {
                Outgoing::RoomRequest { request, content, .. } => {
                    let event_id =
                        self.send(stage, "m.room.message", &content, "m.key.verification.request")?;
                    let rng = &mut *stage.rng;
                    let sent = self.verifications.request_sent(rng, time(), &self.store, request, &event_id);
                    let (flow, step) = sent?;
                    self.flow = Some(flow);
                    self.carry_out(stage, step)?;
                }
                Outgoing::Room { event_type, content, .. } => {
                    self.send(stage, event_type, &content, event_type)?;
                }
                Outgoing::ToDevice { .. } => return fail("a message is not for the room"),
            }
        }
        self.events.extend(events);
        Ok(())
    }

    /// Sends an event and gives its ID.
    fn send(
        &self,
        stage: &mut Stage<'_>,
        event_type: &str,
        content: &str,
        label: &str,
    ) -> Result<String, Failure> {
        let content = serde_json::from_str(content)?;
        let event = stage.send_to_room(self.who, DIRECT_ROOM_ID, event_type, &content)?;
        let size = bytes(event["content"].to_string().len());
        stage.tell(self.who, &format!("sends {label}: {size} of m.room.encrypted"))?;
        Ok(event["event_id"].as_str().unwrap_or_default().to_owned())
    }
}

/// Uploads signatures, each of which the server must take: the length of the body.
fn upload_signatures(
    stage: &mut Stage<'_>,
    sender: UserId<'_>,
    mut upload: SignaturesUpload,
) -> Result<usize, Failure> {
    let body = upload.body();
    let object = serde_json::from_str(&body)?;
    stage.narrator.wire(&object)?;
    let answer = stage.server.upload_signatures(sender.as_str(), &object)?;
    stage.narrator.wire(&answer)?;
    let failures = upload.answered(&answer.to_string())?;
    if failures.is_empty() { Ok(body.len()) } else { fail("the server does not take a signature") }
}

fn time() -> Time {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    let monotonic_ms = u64::try_from(BEGINNING.elapsed().as_millis()).unwrap_or(u64::MAX);
    Time { monotonic_ms, unix_ms: milliseconds_since_1970() }
}
