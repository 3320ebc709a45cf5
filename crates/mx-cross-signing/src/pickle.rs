//! Stored state: what must survive a restart, sealed.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use mx_pickle::{Generation, Kind, PickleError, PickleKey, Reader, UnpickleError, sealed_len};
use mx_signing::{DeviceKeys, MAX_OBJECT_LEN};
use mx_types::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, UserId};
use rand_core::TryCryptoRng;

use crate::device::{Device, LocalTrust};
use crate::history::{KeyHistory, MAX_REPLACED_KEYS, Seen};
use crate::identity::Identity;
use crate::key::CrossSigningKey;
use crate::own::OwnIdentity;
use crate::role::Role;
use crate::signed::{Signed, VerifiedSignature};
use crate::user::{MAX_DEVICE_SIGNATURES, MAX_DISCARDED_KEYS, MAX_USER_SIGNATURES, UserIdentity};

const OWN: Kind = Kind { type_tag: 16, layout: 1 };
const USER: Kind = Kind { type_tag: 17, layout: 1 };
const DEVICE: Kind = Kind { type_tag: 18, layout: 1 };

macro_rules! pickled {
    ($name:ident, $kind:expr) => {
        impl $name {
            /// How often it was pickled.
            #[must_use]
            pub const fn generation(&self) -> Generation {
                self.generation
            }

            /// Seals the state in a new vector, and counts that in its generation.
            ///
            /// # Errors
            ///
            /// [`PickleError`]. The state is as it was before then.
            pub fn pickle_to_vec<R: TryCryptoRng + ?Sized>(
                &mut self,
                rng: &mut R,
                key: &PickleKey,
            ) -> Result<Vec<u8>, PickleError> {
                let (pickle, generation) = seal(rng, key, $kind, self.generation, &self.encode())?;
                self.generation = generation;
                Ok(pickle)
            }

            /// Reads a pickle, unless its generation is before `oldest_acceptable`: an older state knows less of what was
            /// pinned, verified and discarded.
            ///
            /// # Errors
            ///
            /// [`UnpickleError`].
            pub fn from_pickle(
                key: &PickleKey,
                oldest_acceptable: Generation,
                pickle: &[u8],
            ) -> Result<Self, UnpickleError> {
                let mut reader = key.open($kind, oldest_acceptable, pickle)?;
                let mut state = Self::decode(&mut reader)?;
                reader.finish()?;
                state.generation = reader.generation();
                Ok(state)
            }
        }
    };
}

pickled!(OwnIdentity, OWN);
pickled!(UserIdentity, USER);

impl Device {
    /// Seals the device in a new vector. `previous` is the generation of its last pickle.
    ///
    /// # Errors
    ///
    /// [`PickleError`].
    pub fn pickle_to_vec<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        key: &PickleKey,
        previous: Generation,
    ) -> Result<Vec<u8>, PickleError> {
        seal(rng, key, DEVICE, previous, &self.encode()).map(|(pickle, _)| pickle)
    }

    /// Reads a pickle, unless its generation is before `oldest_acceptable`.
    ///
    /// # Errors
    ///
    /// [`UnpickleError`].
    pub fn from_pickle(
        key: &PickleKey,
        oldest_acceptable: Generation,
        pickle: &[u8],
    ) -> Result<Self, UnpickleError> {
        let mut reader = key.open(DEVICE, oldest_acceptable, pickle)?;
        let device = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(device)
    }
}

fn seal<R: TryCryptoRng + ?Sized>(
    rng: &mut R,
    key: &PickleKey,
    kind: Kind,
    previous: Generation,
    state: &[u8],
) -> Result<(Vec<u8>, Generation), PickleError> {
    let mut out = vec![0; sealed_len(state.len())];
    let mut writer = key.seal(rng, kind, previous, state.len(), &mut out)?;
    writer.bytes(state);
    let generation = writer.generation();
    writer.finish()?;
    Ok((out, generation))
}

impl OwnIdentity {
    /// `user ID ‖ device ID ‖ its key ‖ identity? ‖ verified key? ‖ history`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.text(&self.user_id);
        out.text(&self.device_id);
        out.key(self.ed25519);
        out.option(self.identity.as_ref(), Encoder::identity);
        out.option(self.verified_msk, Encoder::key);
        out.history(&self.history);
        out.0
    }

    fn decode(reader: &mut Reader<'_, '_>) -> Result<Self, UnpickleError> {
        Ok(Self {
            user_id: text(reader, MAX_ID_LEN)?,
            device_id: text(reader, MAX_ID_LEN)?,
            ed25519: key(reader)?,
            identity: option(reader, identity)?,
            verified_msk: option(reader, key)?,
            history: history(reader)?,
            generation: Generation::NEVER_PICKLED,
        })
    }
}

impl UserIdentity {
    /// `identity ‖ our signatures ‖ pinned ‖ accepted ‖ latch ‖ discarded ‖ verified here? ‖ device signatures ‖ history`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.identity(&self.identity);
        out.list(&self.signatures, |out, signed| out.signed(signed));
        out.key(self.pinned);
        out.key(self.accepted);
        out.0.push(self.previously_verified.into());
        out.list(&self.discarded, |out, key| out.key(*key));
        out.option(self.verified_here, Encoder::key);
        out.list(&self.device_signatures, |out, key| out.key(*key));
        out.history(&self.history);
        out.0
    }

    fn decode(reader: &mut Reader<'_, '_>) -> Result<Self, UnpickleError> {
        let identity = identity(reader)?;
        let user_id = identity.user_id();
        Ok(Self {
            signatures: list(reader, MAX_USER_SIGNATURES, |reader| signed(reader, user_id))?,
            pinned: key(reader)?,
            accepted: key(reader)?,
            previously_verified: reader.bool("latch")?,
            discarded: list(reader, MAX_DISCARDED_KEYS, key)?,
            verified_here: option(reader, key)?,
            device_signatures: list(reader, MAX_DEVICE_SIGNATURES, key)?,
            history: history(reader)?,
            generation: Generation::NEVER_PICKLED,
            identity,
        })
    }
}

impl Device {
    /// `user ID ‖ device ID ‖ algorithms ‖ Curve25519 key? ‖ Ed25519 key ‖ object ‖ dehydrated ‖ signature? ‖ local trust`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.text(&self.keys.user_id);
        out.text(&self.keys.device_id);
        out.list(&self.keys.algorithms, |out, algorithm| out.text(algorithm));
        out.option(self.keys.curve25519, |out, key| out.0.extend_from_slice(key.as_bytes()));
        out.key(self.keys.ed25519);
        out.text(&self.object);
        out.0.push(self.is_dehydrated.into());
        out.option(self.cross_signature, Encoder::signature);
        out.0.push(match self.local_trust {
            LocalTrust::Unset => 0,
            LocalTrust::Verified => 1,
            LocalTrust::Blacklisted => 2,
            LocalTrust::Ignored => 3,
        });
        out.0
    }

    fn decode(reader: &mut Reader<'_, '_>) -> Result<Self, UnpickleError> {
        let keys = DeviceKeys {
            user_id: text(reader, MAX_ID_LEN)?,
            device_id: text(reader, MAX_ID_LEN)?,
            algorithms: list(reader, MAX_OBJECT_LEN, |reader| text(reader, MAX_OBJECT_LEN))?,
            curve25519: option(reader, |reader| {
                let field = "Curve25519 key";
                Curve25519PublicKey::from_bytes(reader.array()?).map_err(|_| UnpickleError::Invalid { field })
            })?,
            ed25519: key(reader)?,
        };
        Ok(Self {
            keys,
            object: text(reader, MAX_OBJECT_LEN)?,
            is_dehydrated: reader.bool("mark of a dehydrated device")?,
            cross_signature: option(reader, signature)?,
            local_trust: match reader.u8()? {
                0 => LocalTrust::Unset,
                1 => LocalTrust::Verified,
                2 => LocalTrust::Blacklisted,
                3 => LocalTrust::Ignored,
                _ => return Err(UnpickleError::Invalid { field: "local trust" }),
            },
        })
    }
}

/// The state as bytes, before it is sealed.
#[derive(Default)]
struct Encoder(Vec<u8>);

impl Encoder {
    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn key(&mut self, key: Ed25519PublicKey) {
        self.0.extend_from_slice(key.as_bytes());
    }

    fn signature(&mut self, signature: VerifiedSignature) {
        self.key(signature.signer());
        self.0.extend_from_slice(signature.signature().as_bytes());
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        items.iter().for_each(|item| write(self, item));
    }

    fn signed<R: Role>(&mut self, signed: &Signed<R>) {
        self.text(signed.key().object());
        self.signature(signed.signature());
    }

    fn identity(&mut self, identity: &Identity) {
        self.text(identity.user_id());
        self.text(identity.master_signing_key().object());
        self.signed(identity.self_signing_key());
        self.option(identity.user_signing_key(), Self::signed);
    }

    fn history(&mut self, history: &KeyHistory) {
        self.list(&history.seen, |out, seen| {
            out.key(seen.msk);
            out.list(&seen.ssks, |out, key| out.key(*key));
            out.list(&seen.usks, |out, key| out.key(*key));
        });
    }
}

fn text(reader: &mut Reader<'_, '_>, limit: usize) -> Result<String, UnpickleError> {
    let len = reader.count(limit)?;
    if len > reader.remaining() {
        return Err(UnpickleError::EndsEarly);
    }
    let mut bytes = vec![0; len];
    reader.bytes(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| UnpickleError::Invalid { field: "text" })
}

fn key(reader: &mut Reader<'_, '_>) -> Result<Ed25519PublicKey, UnpickleError> {
    let field = "Ed25519 key";
    Ed25519PublicKey::from_bytes(reader.array()?).map_err(|_| UnpickleError::Invalid { field })
}

fn signature(reader: &mut Reader<'_, '_>) -> Result<VerifiedSignature, UnpickleError> {
    let signer = key(reader)?;
    Ok(VerifiedSignature::restored(signer, Ed25519Signature::from_bytes(reader.array()?)))
}

fn option<T>(
    reader: &mut Reader<'_, '_>,
    read: impl FnOnce(&mut Reader<'_, '_>) -> Result<T, UnpickleError>,
) -> Result<Option<T>, UnpickleError> {
    if reader.bool("mark of a value")? { read(reader).map(Some) } else { Ok(None) }
}

fn list<T>(
    reader: &mut Reader<'_, '_>,
    limit: usize,
    mut read: impl FnMut(&mut Reader<'_, '_>) -> Result<T, UnpickleError>,
) -> Result<Vec<T>, UnpickleError> {
    let count = reader.count(limit)?;
    (0..count).map(|_| read(reader)).collect()
}

fn object<R: Role>(reader: &mut Reader<'_, '_>, user_id: &str) -> Result<CrossSigningKey<R>, UnpickleError> {
    let object = text(reader, MAX_OBJECT_LEN)?;
    let key = UserId::parse(user_id).ok().and_then(|user_id| CrossSigningKey::parse(&object, user_id).ok());
    // It was written in canonical form, and its signatures are of that very text.
    key.filter(|key| key.object() == object).ok_or(UnpickleError::Invalid { field: "cross-signing key" })
}

fn signed<R: Role>(reader: &mut Reader<'_, '_>, user_id: &str) -> Result<Signed<R>, UnpickleError> {
    let key = object(reader, user_id)?;
    Ok(Signed::new(key, signature(reader)?))
}

fn identity(reader: &mut Reader<'_, '_>) -> Result<Identity, UnpickleError> {
    let user_id = text(reader, MAX_ID_LEN)?;
    let msk = object(reader, &user_id)?;
    let ssk = signed(reader, &user_id)?;
    let usk = option(reader, |reader| signed(reader, &user_id))?;
    Ok(Identity::new(msk, ssk, usk))
}

fn history(reader: &mut Reader<'_, '_>) -> Result<KeyHistory, UnpickleError> {
    let seen = list(reader, MAX_HISTORIES, |reader| {
        Ok(Seen {
            msk: key(reader)?,
            ssks: list(reader, MAX_REPLACED_KEYS + 1, key)?,
            usks: list(reader, MAX_REPLACED_KEYS + 1, key)?,
        })
    })?;
    Ok(KeyHistory { seen })
}

/// Master signing keys that are looked after at once: the present, the pinned and the accepted one.
const MAX_HISTORIES: usize = 3;

const MAX_ID_LEN: usize = mx_types::MAX_IDENTIFIER_LEN;
