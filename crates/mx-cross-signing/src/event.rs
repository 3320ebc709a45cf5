//! What a response brought that somebody should know.

use alloc::string::String;

use mx_signing::VerifyError;
use mx_types::Ed25519PublicKey;

use crate::identity::IdentityError;
use crate::own::OwnState;
use crate::receive::NoAnswer;
use crate::role::Usage;
use crate::user::UserState;

/// What a response brought. Each is reported once, by the response that brought it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The response says nothing about a user.
    NoAnswer {
        /// The user.
        user_id: String,
        /// Why not.
        problem: NoAnswer,
    },
    /// The identity in the response is missing or not taken; what was stored is kept.
    IdentityKept {
        /// The user, perhaps ourselves.
        user_id: String,
        /// What is wrong with the one in the response.
        error: IdentityError,
    },
    /// We have an identity now.
    OwnIdentityNew {
        /// What it is to this device.
        state: OwnState,
    },
    /// Our own master signing key is another: alert the user. The private keys do not fit it any more.
    OwnIdentityChanged {
        /// The one before.
        from: Ed25519PublicKey,
        /// The present one.
        to: Ed25519PublicKey,
        /// What it is to this device.
        state: OwnState,
    },
    /// The first identity of a user was seen, and pinned.
    IdentityNew {
        /// The user.
        user_id: String,
        /// What it is to us.
        state: UserState,
    },
    /// A user's master signing key is another. If the state is `Verified`, we signed the new one already and this is for
    /// information; otherwise the user must be notified before communication continues.
    IdentityChanged {
        /// The user.
        user_id: String,
        /// The one before.
        from: Ed25519PublicKey,
        /// The present one.
        to: Ed25519PublicKey,
        /// What it is to us.
        state: UserState,
    },
    /// A self-signing key, or our own user-signing key, was replaced under the same master signing key.
    KeyReplaced {
        /// The user, perhaps ourselves.
        user_id: String,
        /// Which key.
        usage: Usage,
    },
    /// The user's state is another although the identity is not.
    StateChanged {
        /// The user.
        user_id: String,
        /// The state before, as seen from our present identity.
        from: UserState,
        /// The present state.
        to: UserState,
    },
    /// A signature is there that should carry trust, and is wrong. It was not stored.
    InvalidSignature {
        /// The user.
        user_id: String,
        /// The device that it is on; otherwise it is ours on the user's master signing key.
        device_id: Option<String>,
        /// What is wrong.
        error: VerifyError,
    },
    /// A device ID is one of the user's cross-signing keys in Base64: warn, and never verify it.
    DeviceIdIsSigningKey {
        /// The user.
        user_id: String,
        /// The device.
        device_id: String,
    },
}
