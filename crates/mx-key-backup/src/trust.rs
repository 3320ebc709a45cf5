use alloc::{borrow::ToOwned as _, string::String, vec::Vec};
use core::fmt;

use mx_curve25519::Curve25519PublicKey;
use mx_signing::VerifyError;
use mx_types::{DeviceId, Ed25519PublicKey, KeyId, UserId};

use crate::{AuthData, AuthDataError, BackupDecryptionKey, ServerBackup};

/// What this device trusts, from which trust in a backup may follow. Nothing of it comes from the server.
#[derive(Clone, Copy, Debug)]
pub struct TrustAnchors<'a> {
    /// Our user.
    pub user_id: UserId<'a>,
    /// Our master signing key, if this device has verified it.
    pub master_signing_key: Option<Ed25519PublicKey>,
    /// Those of our devices that are verified, with their Ed25519 keys; this one is.
    pub devices: &'a [(DeviceId<'a>, Ed25519PublicKey)],
    /// The decryption key, if it is here, and where it is from.
    pub decryption_key: Option<(&'a BackupDecryptionKey, KeySource)>,
}

/// A trusted source of a decryption key. There is no variant for any other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeySource {
    /// This device made it.
    Generated,
    /// The user typed it in.
    TypedIn,
    /// It was in secret storage.
    SecretStorage,
    /// A verified device of our own user sent it, and it was asked for.
    SecretSharing,
}

/// What a backup is trusted by, or not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Anchor {
    /// A signature of our master signing key.
    MasterSigningKey(Ed25519PublicKey),
    /// A signature of a verified device of ours.
    Device {
        /// The device.
        device_id: String,
        /// Its key.
        key: Ed25519PublicKey,
    },
    /// The public key is that of the decryption key.
    DecryptionKey(KeySource),
}

/// An anchor that does not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Doubt {
    /// What was looked at.
    pub anchor: Anchor,
    /// Why it does not hold.
    pub problem: Problem,
}

/// Why an anchor does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// There is no such signature, or it is not valid.
    Signature(VerifyError),
    /// The decryption key that is here has another public key: it is of another backup.
    OtherPublicKey,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(error) => error.fmt(f),
            Self::OtherPublicKey => f.write_str("decryption key is of another backup"),
        }
    }
}

impl ServerBackup {
    /// Whether sessions may be encrypted for this backup, and why: it is signed by our master signing key or by a verified
    /// device of ours, or its public key is that of a decryption key from a trusted source.
    ///
    /// # Errors
    ///
    /// [`UntrustedBackup`].
    pub fn trust(&self, anchors: &TrustAnchors<'_>) -> Result<TrustedBackup, UntrustedBackup> {
        let auth_data = self.auth_data().map_err(UntrustedBackup::Unusable)?;
        TrustedBackup::examine(self.version(), &auth_data, anchors)
    }
}

/// The version of a backup that is trusted, and its public key. Only with a value of this type can anything be encrypted.
///
/// ```compile_fail
/// # use mx_key_backup::{ServerBackup, TrustedBackup};
/// # fn upload(backup: &ServerBackup, rng: &mut impl rand_core::CryptoRng) {
/// backup.encrypt_bytes(rng, b"session");
/// # }
/// ```
/// ```compile_fail
/// # use mx_key_backup::TrustedBackup;
/// # fn make(public_key: mx_types::Curve25519PublicKey) -> TrustedBackup {
/// TrustedBackup { version: "1".into(), public_key, grounds: Vec::new(), doubts: Vec::new() }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TrustedBackup {
    version: String,
    public_key: Curve25519PublicKey,
    grounds: Vec<Anchor>,
    doubts: Vec<Doubt>,
}

impl TrustedBackup {
    pub(crate) fn examine(
        version: &str,
        auth_data: &AuthData,
        anchors: &TrustAnchors<'_>,
    ) -> Result<Self, UntrustedBackup> {
        let unusable = |error| UntrustedBackup::Unusable(AuthDataError::Json(error));
        let signed = auth_data.signed().map_err(unusable)?;
        let (mut grounds, mut doubts) = (Vec::new(), Vec::new());
        let mut found = |anchor, result: Result<(), Problem>| match result {
            Ok(()) => grounds.push(anchor),
            Err(problem) => doubts.push(Doubt { anchor, problem }),
        };
        let verify = |name: &str, key| {
            let key_id =
                KeyId::new("ed25519", name).map_err(|_| Problem::Signature(VerifyError::NoSignature))?;
            signed.verify(anchors.user_id.as_str(), key_id, key).map(drop).map_err(Problem::Signature)
        };
        if let Some(msk) = anchors.master_signing_key {
            found(Anchor::MasterSigningKey(msk), verify(&alloc::format!("{msk}"), msk));
        }
        for (device_id, key) in anchors.devices {
            let anchor = Anchor::Device { device_id: device_id.as_str().to_owned(), key: *key };
            found(anchor, verify(device_id.as_str(), *key));
        }
        if let Some((key, source)) = anchors.decryption_key {
            let same = key.public_key() == auth_data.public_key();
            found(Anchor::DecryptionKey(source), if same { Ok(()) } else { Err(Problem::OtherPublicKey) });
        }
        if grounds.is_empty() {
            return Err(UntrustedBackup::NoGround(doubts));
        }
        Ok(Self { version: version.to_owned(), public_key: auth_data.public_key(), grounds, doubts })
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The public key to which sessions are encrypted.
    #[must_use]
    pub const fn public_key(&self) -> Curve25519PublicKey {
        self.public_key
    }

    /// What it is trusted by: at least one.
    #[must_use]
    pub fn grounds(&self) -> &[Anchor] {
        &self.grounds
    }

    /// What else was looked at, and does not hold. One to look at is [`Problem::OtherPublicKey`]: sessions can be
    /// stored then, but the decryption key that is here does not restore them.
    #[must_use]
    pub fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }
}

/// Why nothing may be encrypted for a backup.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UntrustedBackup {
    /// Its algorithm is unknown, or its `auth_data` malformed.
    Unusable(AuthDataError),
    /// Nothing that this device trusts vouches for it: what was looked at, and why it does not hold. Empty if this device
    /// trusts nothing yet: verify it, or let the user type in the decryption key.
    NoGround(Vec<Doubt>),
}

impl fmt::Display for UntrustedBackup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(error) => error.fmt(f),
            Self::NoGround(doubts) if doubts.is_empty() => {
                f.write_str("backup is not trusted: there is nothing yet that could vouch for it")
            }
            Self::NoGround(doubts) => {
                f.write_str("backup is not trusted")?;
                doubts.iter().enumerate().try_for_each(|(index, doubt)| {
                    f.write_str(if index == 0 { ": " } else { "; " })?;
                    match &doubt.anchor {
                        Anchor::MasterSigningKey(_) => f.write_str("master signing key")?,
                        Anchor::Device { device_id, .. } => write!(f, "device {device_id}")?,
                        Anchor::DecryptionKey(_) => f.write_str("decryption key")?,
                    }
                    write!(f, ": {}", doubt.problem)
                })
            }
        }
    }
}

impl core::error::Error for UntrustedBackup {}
