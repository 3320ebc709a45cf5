#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod answer;
mod answer_text;
mod auth_data;
mod decrypt;
mod decryption_key;
mod deletion;
mod encrypt;
mod entry;
mod key_backup_data;
#[cfg(feature = "unstable-msc4048")]
pub mod msc4048;
mod passphrase;
mod path;
mod preference;
mod session_data;
mod trust;
mod upload;
mod version;

pub use mx_json::MalformedObject;
pub use mx_types::key_representation::KeyRepresentationError;

pub use crate::{
    answer::{KeysAnswer, MAX_ENTRY_LEN},
    answer_text::AnswerError,
    auth_data::{AuthData, AuthDataError, MAX_AUTH_DATA_LEN},
    decrypt::{DecryptError, RestoredSession},
    decryption_key::{BackupDecryptionKey, SecretError, SecretForm},
    deletion::Deletion,
    encrypt::EncryptError,
    entry::{Entry, EntryError},
    key_backup_data::KeyBackupData,
    passphrase::{MAX_ITERATIONS, PassphraseDerivation, PassphraseError, PassphraseInfo},
    path::{Keys, NEWEST_VERSION_PATH, keys_path, version_path},
    preference::{BackupPreference, PreferenceEffect, PreferenceSeen},
    session_data::{EncryptedSessionData, SessionDataError},
    trust::{Anchor, Doubt, KeySource, Problem, TrustAnchors, TrustedBackup, UntrustedBackup},
    upload::{DEFAULT_BATCH_LEN, Stored, UploadBatch, UploadOutcome},
    version::{NewBackup, ServerBackup, VersionError},
};

/// The name of the algorithm, as `algorithm` of a backup has it.
pub const ALGORITHM: &str = "m.megolm_backup.v1.curve25519-aes-sha2";

/// The name of the secret that the decryption key is, in secret storage and in `m.secret.request`.
pub const SECRET_NAME: &str = "m.megolm_backup.v1";
