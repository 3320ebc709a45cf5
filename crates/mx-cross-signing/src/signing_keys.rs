//! Our own private cross-signing keys.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use mx_curve25519::Ed25519SecretKey;
use mx_pickle::{Generation, Kind, PickleError, PickleKey, UnpickleError, sealed_len};
use mx_types::base64::{DecodeError, decode_secret, encode_secret};
use mx_types::{Ed25519PublicKey, RandomnessFailed, UserId};
use rand_core::TryCryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::identity::Identity;
use crate::key::{CrossSigningKey, MasterSigningKey};
use crate::own::OwnIdentity;
use crate::role::{Role, SelfSigning, Usage, UserSigning};
use crate::signed::{Signed, VerifiedSignature};

/// The private keys of our identity, as far as this device has them. Wiped on drop.
///
/// A key signs, and is given out, only while it belongs to the identity in use ([`OwnIdentity`]). Otherwise it is *set
/// aside*, not erased: that the identity is another one is the server's word, and this may be the only copy. Once the
/// user has verified the new identity, or withdrawn, [`erase_set_aside`](Self::erase_set_aside).
pub struct SigningKeys {
    user_id: String,
    master: Option<Ed25519SecretKey>,
    self_signing: Option<Ed25519SecretKey>,
    user_signing: Option<Ed25519SecretKey>,
    storage: KeyStorage,
    generation: Generation,
}

/// Whether the store that pickles go to keeps secrets from others, as a keychain does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyStorage {
    /// Nobody knows: the private master signing key is not pickled.
    #[default]
    Insecure,
    /// It does.
    Secure,
}

/// Where a secret came from. From anywhere else it must not be taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecretSource {
    /// Our secret storage, opened by its owner.
    SecretStorage,
    /// A device of ours that was verified before.
    VerifiedDevice,
}

impl SigningKeys {
    /// Draws a new identity. [`device_signing_upload`](Self::device_signing_upload) is what to send, and then
    /// [`OwnIdentity::adopt`] what to record.
    ///
    /// # Errors
    ///
    /// [`RandomnessFailed`].
    pub fn generate<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        user_id: UserId<'_>,
        storage: KeyStorage,
    ) -> Result<Self, RandomnessFailed> {
        let mut keys = Self::none(user_id, storage);
        for usage in Usage::ALL {
            *keys.slot(usage) = Some(Ed25519SecretKey::generate(rng)?);
        }
        Ok(keys)
    }

    /// For a device that has none yet.
    #[must_use]
    pub fn none(user_id: UserId<'_>, storage: KeyStorage) -> Self {
        Self {
            user_id: user_id.as_str().to_owned(),
            master: None,
            self_signing: None,
            user_signing: None,
            storage,
            generation: Generation::NEVER_PICKLED,
        }
    }

    /// Whose keys they are.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The public half of a key that is here, in use or set aside.
    #[must_use]
    pub fn public_key(&self, usage: Usage) -> Option<Ed25519PublicKey> {
        self.private_key(usage).map(Ed25519SecretKey::public_key)
    }

    /// Whether a key is here and belongs to the identity in use.
    ///
    /// # Errors
    ///
    /// [`KeyUnusable`].
    pub fn usable(&self, own: &OwnIdentity, usage: Usage) -> Result<(), KeyUnusable> {
        self.usable_key(own, usage).map(drop)
    }

    /// Draws a new self-signing or user-signing key in the place of the present one; the master signing key stays, and must be
    /// here. Upload as after [`generate`](Self::generate). What the old one has signed is void then: own devices need new
    /// signatures by a new self-signing key, other users by a new user-signing key.
    ///
    /// # Errors
    ///
    /// [`ReplaceError`]. Nothing has changed then.
    pub fn replace<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        own: &OwnIdentity,
        usage: Usage,
    ) -> Result<(), ReplaceError> {
        self.usable_key(own, Usage::Master).map_err(ReplaceError::MasterSigningKey)?;
        if usage == Usage::Master {
            return Err(ReplaceError::IsMasterSigningKey);
        }
        let key =
            Ed25519SecretKey::generate(rng).map_err(|RandomnessFailed| ReplaceError::RandomnessFailed)?;
        *self.slot(usage) = Some(key);
        Ok(())
    }

    /// The public identity of these keys, signed. All three must be here.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        let user_id = UserId::parse(&self.user_id).ok()?;
        let secret = self.master.as_ref()?;
        let msk = MasterSigningKey::new(user_id, secret.public_key());
        let ssk = certify::<SelfSigning>(secret, user_id, self.self_signing.as_ref()?);
        let usk = certify::<UserSigning>(secret, user_id, self.user_signing.as_ref()?);
        Some(Identity::new(msk, ssk, Some(usk)))
    }

    /// Takes a seed under the name of a secret, if its public half is the key that our present identity has under that
    /// name. With the master signing key our identity counts as verified from then on: see [`OwnIdentity::verify`] for what
    /// is to be done then.
    ///
    /// # Errors
    ///
    /// [`ImportError`]. Nothing has changed then.
    pub fn import(
        &mut self,
        own: &mut OwnIdentity,
        _source: SecretSource,
        secret_name: &str,
        seed: &str,
    ) -> Result<Usage, ImportError> {
        let usage = Usage::of_secret(secret_name).ok_or(ImportError::UnknownName)?;
        let identity = own.identity().filter(|_| own.user_id() == self.user_id);
        let identity = identity.ok_or(ImportError::NoIdentity)?;
        let mut bytes = Zeroizing::new([0; 33]);
        let len = decode_secret(seed, &mut *bytes).map_err(ImportError::Base64)?.len();
        let seed = bytes.first_chunk::<32>().filter(|_| len == 32).ok_or(ImportError::WrongLength)?;
        let key = Ed25519SecretKey::from_seed(seed);
        if identity.public_key(usage) != Some(key.public_key()) {
            return Err(ImportError::OtherKey { usage });
        }
        *self.slot(usage) = Some(key);
        if usage == Usage::Master {
            own.verified_msk = self.public_key(usage);
        }
        Ok(usage)
    }

    /// The seed of a key in use as 43 characters of Base64: for secret storage, and for own devices that are verified.
    ///
    /// # Errors
    ///
    /// [`KeyUnusable`].
    pub fn export(&self, own: &OwnIdentity, usage: Usage) -> Result<Zeroizing<String>, KeyUnusable> {
        let seed = self.usable_key(own, usage)?.seed().ok_or(KeyUnusable::Missing)?;
        let mut out = Zeroizing::new([0; 43]);
        let text = encode_secret(seed, &mut *out).map_err(|_| KeyUnusable::Missing)?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Erases the keys that do not belong to the identity in use. Returns whether there were any.
    pub fn erase_set_aside(&mut self, own: &OwnIdentity) -> bool {
        let mut erased = false;
        for usage in Usage::ALL {
            if self.usable(own, usage) == Err(KeyUnusable::SetAside) {
                *self.slot(usage) = None;
                erased = true;
            }
        }
        erased
    }

    /// How often the keys were pickled.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Seals the keys in a new vector, the private master signing key only if the storage is secure.
    ///
    /// # Errors
    ///
    /// [`PickleError`]. The keys are as they were before then.
    pub fn pickle_to_vec<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
    ) -> Result<Vec<u8>, PickleError> {
        let stored = Usage::ALL.map(|usage| {
            let secure = self.storage == KeyStorage::Secure || usage != Usage::Master;
            self.private_key(usage).filter(|_| secure).and_then(Ed25519SecretKey::seed)
        });
        let seeds = stored.iter().flatten().count();
        let plain_len = 4 + self.user_id.len() + 3 + 32 * seeds;
        let mut out = vec![0; sealed_len(plain_len)];
        let mut writer = key.seal(rng, KEYS, self.generation, plain_len, &mut out)?;
        writer.count(self.user_id.len());
        writer.bytes(self.user_id.as_bytes());
        for seed in stored {
            writer.bool(seed.is_some());
            writer.bytes(seed.map(<[u8; 32]>::as_slice).unwrap_or_default());
        }
        let generation = writer.generation();
        writer.finish()?;
        self.generation = generation;
        Ok(out)
    }

    /// Reads a pickle, unless its generation is before `oldest_acceptable`.
    ///
    /// # Errors
    ///
    /// [`UnpickleError`].
    pub fn from_pickle(
        key: &PickleKey,
        oldest_acceptable: Generation,
        storage: KeyStorage,
        pickle: &[u8],
    ) -> Result<Self, UnpickleError> {
        let mut reader = key.open(KEYS, oldest_acceptable, pickle)?;
        let mut user_id = vec![0; reader.count(mx_types::MAX_IDENTIFIER_LEN)?];
        reader.bytes(&mut user_id)?;
        let user_id = core::str::from_utf8(&user_id).ok().and_then(|user_id| UserId::parse(user_id).ok());
        let mut keys = Self::none(user_id.ok_or(UnpickleError::Invalid { field: "user ID" })?, storage);
        for usage in Usage::ALL {
            if reader.bool("mark of a key")? {
                let mut seed = Zeroizing::new([0; 32]);
                reader.bytes(&mut *seed)?;
                *keys.slot(usage) = Some(Ed25519SecretKey::from_seed(&seed));
            }
        }
        reader.finish()?;
        keys.generation = reader.generation();
        Ok(keys)
    }

    /// The key, if it belongs to the identity in use.
    pub(crate) fn usable_key(
        &self,
        own: &OwnIdentity,
        usage: Usage,
    ) -> Result<&Ed25519SecretKey, KeyUnusable> {
        let key = self.private_key(usage).ok_or(KeyUnusable::Missing)?;
        let identity = own.identity().filter(|identity| identity.user_id() == self.user_id);
        let current = identity.and_then(|identity| identity.public_key(usage));
        if current == Some(key.public_key()) { Ok(key) } else { Err(KeyUnusable::SetAside) }
    }

    pub(crate) const fn private_key(&self, usage: Usage) -> Option<&Ed25519SecretKey> {
        match usage {
            Usage::Master => self.master.as_ref(),
            Usage::SelfSigning => self.self_signing.as_ref(),
            Usage::UserSigning => self.user_signing.as_ref(),
        }
    }

    const fn slot(&mut self, usage: Usage) -> &mut Option<Ed25519SecretKey> {
        match usage {
            Usage::Master => &mut self.master,
            Usage::SelfSigning => &mut self.self_signing,
            Usage::UserSigning => &mut self.user_signing,
        }
    }
}

// All its secret parts are.
impl ZeroizeOnDrop for SigningKeys {}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys")
            .field("user_id", &self.user_id)
            .field("master", &self.public_key(Usage::Master))
            .field("self_signing", &self.public_key(Usage::SelfSigning))
            .field("user_signing", &self.public_key(Usage::UserSigning))
            .finish_non_exhaustive()
    }
}

/// The object of a key of ours, with the signature of our master signing key.
pub(crate) fn certify<R: Role>(
    master: &Ed25519SecretKey,
    user_id: UserId<'_>,
    key: &Ed25519SecretKey,
) -> Signed<R> {
    let key = CrossSigningKey::new(user_id, key.public_key());
    let signature = VerifiedSignature::make(master, key.object());
    Signed::new(key, signature)
}

/// Layout 1: `user ID ‖ for each role: is there (1) ‖ seed (32)`.
const KEYS: Kind = Kind { type_tag: 19, layout: 1 };

/// Why a private key cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyUnusable {
    /// It is not here: ask other own devices for it, or open secret storage.
    Missing,
    /// It is not the one of the identity in use.
    SetAside,
}

impl fmt::Display for KeyUnusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "private key is not on this device",
            Self::SetAside => "private key does not belong to the identity in use",
        })
    }
}

impl core::error::Error for KeyUnusable {}

/// Why a key was not replaced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReplaceError {
    /// The private master signing key, which must sign the new one, cannot be used.
    MasterSigningKey(KeyUnusable),
    /// A new master signing key is a new identity: generate all keys.
    IsMasterSigningKey,
    /// There was no randomness.
    RandomnessFailed,
}

impl fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MasterSigningKey(error) => write!(f, "master signing key: {error}"),
            Self::IsMasterSigningKey => {
                f.write_str("a new master signing key is a new identity: generate all keys")
            }
            Self::RandomnessFailed => f.write_str("no randomness for the new key"),
        }
    }
}

impl core::error::Error for ReplaceError {}

/// Why a seed was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ImportError {
    /// The name is not that of a private cross-signing key.
    UnknownName,
    /// No identity of ours is known that it could belong to.
    NoIdentity,
    /// It is not Base64.
    Base64(DecodeError),
    /// It is not 32 bytes long.
    WrongLength,
    /// Its public half is not the key of that name in our identity.
    OtherKey {
        /// The role that the name stands for.
        usage: Usage,
    },
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName => f.write_str("no private cross-signing key has this name"),
            Self::NoIdentity => f.write_str("no identity is known that the key could belong to"),
            Self::Base64(error) => error.fmt(f),
            Self::WrongLength => f.write_str("private key is not 32 bytes long"),
            Self::OtherKey { usage } => write!(f, "private key is not that of the present {usage}"),
        }
    }
}

impl core::error::Error for ImportError {}
