//! A device that runs our crates: what its client does around `mx-verification`.

use mx_cross_signing::{KeySource as _, LocalTrust, OwnState, Usage, sign_own_master_signing_key};
use mx_curve25519::Ed25519SecretKey;
use mx_pickle::PickleKey;
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use mx_verification::{
    Cancelled, Config, Consequence, FlowKey, Keys, UserKeys, Verifications, Verified, What,
};
use rand_chacha::ChaCha20Rng;

use super::{
    super::identities::{Homeserver, Ours},
    net::Address,
};
use crate::report::{Failure, expect};

#[derive(Debug)]
pub struct OurDevice {
    pub address: Address,
    pub identities: Ours,
    pub flows: Verifications,
    /// What was shown.
    pub events: Vec<What>,
    /// The request that was sent to a room.
    pub asked_in_room: Option<FlowKey>,
    pub config: Config,
    pub pickle: Vec<u8>,
    ed25519: Ed25519SecretKey,
}

/// What the client has stored, for the verifications.
pub struct Known<'a>(pub &'a Ours);

pub const PICKLE_KEY: [u8; 32] = [7; 32];

impl OurDevice {
    pub fn log_in(
        rng: &mut ChaCha20Rng,
        server: &mut Homeserver,
        (user_id, device_id): (&str, &str),
    ) -> Result<Self, Failure> {
        let (identities, ed25519) = Ours::log_in(rng, server, user_id, device_id)?;
        let (config, user, device) = (Config::DEFAULT, UserId::parse(user_id)?, DeviceId::parse(device_id)?);
        Ok(Self {
            address: (user_id.to_owned(), device_id.to_owned()),
            identities,
            flows: Verifications::new(user, device, ed25519.public_key(), config),
            events: Vec::new(),
            asked_in_room: None,
            config,
            pickle: Vec::new(),
            ed25519,
        })
    }

    /// Makes an identity.
    pub fn bootstrap(&mut self, rng: &mut ChaCha20Rng, server: &mut Homeserver) -> Result<(), Failure> {
        self.identities.bootstrap(rng, server, &self.ed25519)
    }

    pub fn save(&mut self, rng: &mut ChaCha20Rng) -> Result<(), Failure> {
        self.pickle = self.flows.pickle_to_vec(rng, &PickleKey::new(&PICKLE_KEY))?;
        Ok(())
    }

    /// Does what follows from a verification, if the stored keys are those that were verified.
    pub fn verified(&mut self, server: &mut Homeserver, verified: &Verified) -> Result<(), Failure> {
        let own_user = self.address.0.clone();
        for consequence in &verified.consequences {
            match consequence {
                Consequence::TrustOwnMaster { master_signing_key } => {
                    let own = self.identities.own.identity().ok_or("no own identity")?;
                    let current = own.master_signing_key().public_key();
                    expect(current == *master_signing_key, "another own master signing key")?;
                    self.identities.verify_own()?;
                    let mut upload = sign_own_master_signing_key(&self.identities.own, &self.ed25519)?;
                    let response = server.upload_signatures(&own_user, &upload.body())?;
                    expect(upload.answered(&response)?.is_empty(), "the server refuses our signature")?;
                }
                Consequence::SignOwnDevice { device_id, ed25519 } => {
                    self.expect_device(&own_user, device_id, ed25519)?;
                    match self.identities.keys.export(&self.identities.own, Usage::SelfSigning) {
                        Ok(_) => self.identities.sign_device(server, device_id)?,
                        Err(_) => self.trust(&own_user, device_id)?,
                    }
                }
                Consequence::SignUser { user_id, master_signing_key } => {
                    let user = self.identities.user(user_id)?.ok_or("no identity")?;
                    let current = user.identity().master_signing_key().public_key();
                    expect(current == *master_signing_key, "another master signing key")?;
                    self.identities.verify(server, user_id)?;
                }
                Consequence::TrustDevice { user_id, device_id, ed25519 } => {
                    self.expect_device(user_id, device_id, ed25519)?;
                    self.trust(user_id, device_id)?;
                }
                _ => return crate::report::failure("another consequence"),
            }
        }
        Ok(())
    }

    fn expect_device(
        &self,
        user_id: &str,
        device_id: &str,
        ed25519: &Ed25519PublicKey,
    ) -> Result<(), Failure> {
        let device = self.identities.device(user_id, device_id)?.ok_or("no such device")?;
        expect(device.ed25519() == *ed25519, "another key of the device")
    }

    fn trust(&mut self, user_id: &str, device_id: &str) -> Result<(), Failure> {
        let (user_id, device_id) = (UserId::parse(user_id)?, DeviceId::parse(device_id)?);
        let device = self.identities.store.device_mut(user_id, device_id).ok_or("no such device")?;
        device.set_local_trust(LocalTrust::Verified);
        Ok(())
    }

    /// The only short string that was shown.
    pub fn short_string(&self) -> Result<([u16; 3], [u8; 7]), Failure> {
        let mut shown = self.events.iter().filter_map(|what| match what {
            What::ShortString { decimal, emoji } => Some((*decimal, *emoji)),
            _ => None,
        });
        let (Some((Some(decimal), Some(emoji))), None) = (shown.next(), shown.next()) else {
            return crate::report::failure(format!("no short string, or several: {:?}", self.events));
        };
        Ok((decimal, emoji.map(mx_sas::Emoji::index)))
    }

    pub fn has_verified(&self) -> bool {
        self.events.iter().any(|what| matches!(what, What::Verified(_)))
    }

    /// The code that ended the flow with us, and whether we sent it.
    pub fn cancelled(&self) -> Option<(&str, bool)> {
        self.events.iter().find_map(|what| match what {
            What::Cancelled(Cancelled::ByUs(reason)) => Some((reason.code(), true)),
            What::Cancelled(Cancelled::ByThem { code, .. }) => Some((code.as_deref().unwrap_or(""), false)),
            _ => None,
        })
    }
}

impl Keys for Known<'_> {
    fn user(&self, user_id: UserId<'_>) -> UserKeys {
        let ours = self.0;
        let user = ours.store.user(user_id).unwrap_or_else(|never| match never {});
        let identity = match user_id.as_str() == ours.own.user_id() {
            true => ours.own.identity(),
            false => user.as_ref().map(|user| user.identity()),
        };
        let key = |usage| identity.and_then(|identity| identity.public_key(usage));
        let devices = ours.store.devices(user_id);
        UserKeys {
            is_outdated: false,
            devices: devices.map(|device| (device.device_id().to_owned(), device.ed25519())).collect(),
            master_signing_key: key(Usage::Master),
            self_signing_key: key(Usage::SelfSigning),
            user_signing_key: key(Usage::UserSigning),
        }
    }

    fn own_master_is_trusted(&self) -> bool {
        self.0.own.state() == OwnState::Verified
    }
}
