//! The two users, and in which order what is played.

use std::{io::Write, thread};

use mx_demo::narrator::Narrator;
use mx_types::base64::encode_to_string;
use rand_core::CryptoRng;
use serde_json::{Value, json};

use crate::{
    Failure, backup,
    bootstrap::{self, SetUp},
    client::Client,
    device_lists, identities, one_time_keys,
    server::{Server, Session},
    sign_device,
    tool::Tool,
    verify_devices, verify_tool, verify_users,
};

/// Everything that takes part.
pub(crate) struct Stage<'s> {
    pub(crate) rng: &'s mut dyn CryptoRng,
    pub(crate) narrator: Narrator<'s>,
    pub(crate) tool: Tool,
    address: String,
    pub(crate) alice: Client,
    pub(crate) bob: Client,
    pub(crate) room_id: String,
}

/// Plays everything.
pub(crate) fn play<'s>(
    rng: &'s mut dyn CryptoRng,
    out: &'s mut dyn Write,
    tool: Tool,
    address: &str,
) -> Result<Stage<'s>, Failure> {
    let mut stage = Stage::open(rng, Narrator::new(out, false), tool, address)?;
    stage.share_room()?;
    one_time_keys::play(&mut stage)?;
    device_lists::play(&mut stage)?;
    let SetUp { keys, recovery_key } = bootstrap::play(&mut stage)?;
    let bobs = identities::play(&mut stage, &keys)?;
    sign_device::play(&mut stage, &recovery_key)?;
    backup::play(&mut stage, &bobs)?;
    verify_devices::play(&mut stage, &keys)?;
    verify_users::play(&mut stage, &keys, &bobs)?;
    verify_tool::play(&mut stage, &recovery_key)?;
    stage.narrator.chapter("Synapse accepted every object, and showed what was computed.")?;
    Ok(stage)
}

impl<'s> Stage<'s> {
    /// Registers the users and uploads the keys of their devices.
    fn open(
        rng: &'s mut dyn CryptoRng,
        mut narrator: Narrator<'s>,
        tool: Tool,
        address: &str,
    ) -> Result<Self, Failure> {
        let server = Server::new(address);
        narrator.chapter(&format!("Synapse answers at {address}."))?;
        let mut enter = |name| register(rng, &mut narrator, &server, name);
        let (alice, bob) = (enter("alice")?, enter("bob")?);
        let address = address.to_owned();
        Ok(Self { rng, narrator, tool, address, alice, bob, room_id: String::new() })
    }

    /// One more user.
    pub(crate) fn register(&mut self, name: &str) -> Result<Client, Failure> {
        register(self.rng, &mut self.narrator, &Server::new(&self.address), name)
    }

    /// An encrypted room with both, so that each hears of the other's devices.
    fn share_room(&mut self) -> Result<(), Failure> {
        let encryption =
            json!({ "type": "m.room.encryption", "content": { "algorithm": "m.megolm.v1.aes-sha2" } });
        let body = json!({
            "preset": "private_chat",
            "invite": [self.bob.session.user_id],
            "initial_state": [encryption],
        });
        let answer = self.alice.session.post("/_matrix/client/v3/createRoom", &body.to_string())?;
        let answer: Value = serde_json::from_str(&answer)?;
        self.room_id = answer["room_id"].as_str().ok_or("the server did not name the room")?.to_owned();
        self.bob.session.post(&format!("/_matrix/client/v3/join/{}", self.room_id), "{}")?;
        self.narrator.step("Both", "share an encrypted room, and follow each other's device list")?;
        let (alices, bobs) = (self.alice.session.device_id.clone(), self.bob.session.device_id.clone());
        for (client, device_id) in [(&mut self.alice, bobs), (&mut self.bob, alices)] {
            client.follow("the other's device", |_, heard| {
                let mut devices = heard.news.devices.iter();
                devices.any(|event| event.device_id.as_ref() == Some(&device_id))
            })?;
        }
        Ok(())
    }

    /// Says how to use the server, and waits to be ended. A third user is for trying the tool: she has two devices and no
    /// identity.
    pub(crate) fn keep(mut self) -> Result<(), Failure> {
        let session = Server::new(&self.address).register("carol", "CAROLPHONE", &password(self.rng))?;
        let carol = Client::new(self.rng, session)?;
        let bot = carol.log_in_on(self.rng, "CAROLBOT")?;
        self.narrator.chapter(&format!("Synapse stays at {} until Ctrl-C.", self.address))?;
        for (name, client) in [("Alice", &self.alice), ("Bob", &self.bob), ("Carol", &carol), ("", &bot)] {
            let Session { user_id, device_id, access_token, password, .. } = &client.session;
            let what = format!("{user_id}, password {password}; {device_id}, access token {access_token}");
            self.narrator.step(name, &what)?;
        }
        self.narrator.step("", &format!("the room of Alice and Bob is {}", self.room_id))?;
        self.narrator.chapter("To try the tool, in another terminal:")?;
        let at = |client: &Client| {
            let Session { access_token, .. } = &client.session;
            format!("--homeserver {} --token-fd 3 3<<<{access_token}", self.address)
        };
        let bootstrap =
            format!("mx-e2ee identity bootstrap --device CAROLPHONE requests.json {}", at(&carol));
        let sign_device = format!("mx-e2ee identity sign-device {}", at(&bot));
        for line in [bootstrap, sign_device] {
            self.narrator.step("", &line)?;
        }
        loop {
            thread::park();
        }
    }
}

/// Registers a user and uploads the keys of the first device.
fn register(
    rng: &mut dyn CryptoRng,
    narrator: &mut Narrator<'_>,
    server: &Server,
    name: &str,
) -> Result<Client, Failure> {
    let session = server.register(name, &(name.to_uppercase() + "PHONE"), &password(rng))?;
    let client = Client::new(rng, session)?;
    let Session { user_id, device_id, .. } = &client.session;
    let what = format!("registers {user_id} and uploads the keys of {device_id}");
    narrator.step(&capitalized(name), &what)?;
    Ok(client)
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn password(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 12];
    rng.fill_bytes(&mut bytes);
    encode_to_string(&bytes)
}
