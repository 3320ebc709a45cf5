#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod collision;
mod device;
mod event;
mod history;
mod identity;
mod key;
mod own;
mod pickle;
mod receive;
mod role;
mod sharing;
mod showing;
mod signed;
mod signing_keys;
mod source;
mod trust;
mod upload;
mod user;
mod verification;

pub use device::{Device, LocalTrust, NotCrossSigned};
pub use event::Event;
pub use history::MAX_REPLACED_KEYS;
pub use identity::{Identity, IdentityError};
pub use key::{CrossSigningKey, KeyObjectError, MasterSigningKey, SelfSigningKey, UserSigningKey};
pub use own::{NotCurrent, OwnIdentity, OwnState};
pub use receive::{
    DEFAULT_MAX_DEVICES, DeviceChange, NoAnswer, ReceivedDevice, Update, UserDevices, receive,
};
pub use role::{Master, Role, SelfSigning, Usage, UserSigning};
pub use sharing::{Member, MemberProblem, Recipient, SharePolicy, ShareProblem, Strategy, WithheldCode};
pub use showing::{Membership, Origin, ShowPolicy, Showing, Warning, room_state};
pub use signed::{Signed, VerifiedSignature};
pub use signing_keys::{ImportError, KeyStorage, KeyUnusable, ReplaceError, SecretSource, SigningKeys};
pub use source::{Identities, KeySource};
pub use trust::{
    Chain, DeviceTrust, Gap, Link, LinkKind, Reason, Step, Subject, TrustLevel, trust, user_chain,
};
pub use upload::{DeviceSigningUpload, InvalidAuth, InvalidBody, SignaturesUpload, UploadFailure};
pub use user::{MAX_DEVICE_SIGNATURES, MAX_DISCARDED_KEYS, MAX_USER_SIGNATURES, UserIdentity, UserState};
pub use verification::{
    CannotSign, Migration, Verification, VerifyDeviceError, VerifyUserError, migration,
    sign_own_master_signing_key, sign_pending, verify_own_device, verify_user,
};
