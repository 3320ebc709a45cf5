use core::fmt;

use mx_types::{BufferTooSmall, Ed25519PublicKey, RandomnessFailed};
use rand_core::TryCryptoRng;

use crate::{
    Keys, MAX_FLOW_ID_LEN, ReciprocateSecret, VerifiedKey, WrongSecret,
    layout::{Layout, MAX_DISPLAYED_LEN},
};

/// The keys of the displaying device, fixed when the verification began, and with them the mode.
///
/// A device that does not trust the master signing key of its own user displays no code to another user. To a device of
/// its own user it does, and says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Displaying {
    /// To another user.
    ToOtherUser {
        /// Our user's master signing key, which this device trusts.
        own_master: Ed25519PublicKey,
        /// The other user's master signing key.
        their_master: Ed25519PublicKey,
    },
    /// To another device of our user, by one that trusts the master signing key.
    Trusting {
        /// Our user's master signing key.
        own_master: Ed25519PublicKey,
        /// The key of the other device.
        their_device: Ed25519PublicKey,
    },
    /// To another device of our user, by one that does not trust the master signing key yet.
    NotTrusting {
        /// The key of this device.
        own_device: Ed25519PublicKey,
        /// Our user's master signing key, as the server has it.
        own_master: Ed25519PublicKey,
    },
}

impl Displaying {
    /// The keys as they stand in the code.
    #[must_use]
    pub fn keys(&self) -> Keys {
        match *self {
            Self::ToOtherUser { own_master, their_master } => {
                Keys::OtherUser { displaying_user: own_master.into(), scanning_user: their_master.into() }
            }
            Self::Trusting { own_master, their_device } => {
                Keys::OwnUserTrusted { master: own_master.into(), scanning_device: their_device.into() }
            }
            Self::NotTrusting { own_device, own_master } => {
                Keys::OwnUserUntrusted { displaying_device: own_device.into(), master: own_master.into() }
            }
        }
    }

    /// What a device that has scanned the code has agreed to: the second key.
    const fn confirmed(&self) -> VerifiedKey {
        match *self {
            Self::ToOtherUser { their_master: key, .. } | Self::NotTrusting { own_master: key, .. } => {
                VerifiedKey::MasterSigningKey(key)
            }
            Self::Trusting { their_device, .. } => VerifiedKey::DeviceKey(their_device),
        }
    }
}

/// A code to be displayed. There is one for each flow: hidden and displayed again, it is the same.
///
/// `T` holds the ID of the flow: a `&str`, or a `String` that is stored with the code.
#[derive(Debug)]
pub struct Displayed<T> {
    flow_id: T,
    displaying: Displaying,
    secret: ReciprocateSecret,
}

impl Displayed<&str> {
    /// The longest code, in bytes.
    pub const MAX_LEN: usize = MAX_DISPLAYED_LEN;
}

impl<T: AsRef<str>> Displayed<T> {
    /// A code with a fresh secret. `flow_id` is the transaction ID, or the ID of the request's event.
    ///
    /// # Errors
    ///
    /// [`DisplayError`].
    pub fn new<R: TryCryptoRng + ?Sized>(
        rng: &mut R,
        flow_id: T,
        displaying: Displaying,
    ) -> Result<Self, DisplayError> {
        let secret = ReciprocateSecret::generate(rng).map_err(DisplayError::RandomnessFailed)?;
        Self::from_parts(flow_id, displaying, secret)
    }

    /// The code of a flow that was stored.
    ///
    /// # Errors
    ///
    /// [`DisplayError::FlowIdLength`].
    pub fn from_parts(
        flow_id: T,
        displaying: Displaying,
        secret: ReciprocateSecret,
    ) -> Result<Self, DisplayError> {
        match flow_id.as_ref().len() {
            1..=MAX_FLOW_ID_LEN => Ok(Self { flow_id, displaying, secret }),
            len => Err(DisplayError::FlowIdLength { len }),
        }
    }

    /// The secret, to be stored with the flow.
    #[must_use]
    pub const fn secret(&self) -> &ReciprocateSecret {
        &self.secret
    }

    /// The length of the code in bytes.
    #[must_use]
    pub fn emitted_len(&self) -> usize {
        self.layout().len()
    }

    /// Writes the code to the beginning of `out` and returns it: one segment in byte mode of a QR symbol. Whoever sees it
    /// can answer in the other device's place; wipe it when it is not displayed any more.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`].
    pub fn emit<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        self.layout().emit(out)
    }

    /// The code, in a vector that is wiped when dropped.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn emit_to_vec(&self) -> zeroize::Zeroizing<alloc::vec::Vec<u8>> {
        let mut out = zeroize::Zeroizing::new(alloc::vec![0; self.emitted_len()]);
        // Just as long as the code.
        let _ = self.emit(&mut out);
        out
    }

    /// Takes the secret of an `m.key.verification.start` of the method `m.reciprocate.v1`: the other device has scanned
    /// the code. Ask the user whether it says so, too.
    ///
    /// # Errors
    ///
    /// [`WrongSecret`]. The flow is over then: cancel it.
    pub fn receive_start(self, secret: &ReciprocateSecret) -> Result<WaitingForUser, WrongSecret> {
        self.secret.verify(secret)?;
        Ok(WaitingForUser { confirmed: self.displaying.confirmed() })
    }

    fn layout(&self) -> Layout<'_> {
        Layout {
            flow_id: self.flow_id.as_ref(),
            keys: self.displaying.keys(),
            secret: self.secret.as_bytes(),
        }
    }
}

/// The code was scanned; whether by the right device, the user sees. Nothing is verified before they have said so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub struct WaitingForUser {
    confirmed: VerifiedKey,
}

impl WaitingForUser {
    /// The user says that the other device reports success. Send `m.key.verification.done`.
    ///
    /// If they say that it does not, drop this and cancel with `m.user`.
    pub const fn confirm(self) -> VerifiedKey {
        self.confirmed
    }
}

/// Why there is no code to display.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DisplayError {
    /// The ID of the flow is empty or longer than [`MAX_FLOW_ID_LEN`].
    FlowIdLength {
        /// Its length in bytes.
        len: usize,
    },
    /// The random generator failed.
    RandomnessFailed(RandomnessFailed),
}

impl fmt::Display for DisplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FlowIdLength { len } => write!(f, "ID of the verification has {len} bytes, not 1 to 255"),
            Self::RandomnessFailed(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for DisplayError {}
