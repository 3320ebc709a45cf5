#![no_std]
#![doc = include_str!("../README.md")]

extern crate alloc;

mod default_key;
mod description;
mod encrypted;
mod key;
mod object;
mod passphrase;
mod permit;
mod pickle;
mod received;
mod secret;
mod secret_request;
mod secret_send;
mod sharing;
mod stored_secret;
mod unlock;

pub use mx_pickle::{Generation, PickleError, PickleKey, UnpickleError};

pub use mx_json::MalformedObject;

pub use crate::{
    default_key::{DEFAULT_KEY_EVENT_TYPE, default_key_content, parse_default_key},
    description::{AES_HMAC_SHA2, KeyCheck, KeyDescription, KeyDescriptionError, key_event_type},
    encrypted::{DecryptError, EncryptedSecret, EncryptedSecretError},
    key::{SecretStorageKey, generate_key_id},
    object::MAX_OBJECT_LEN,
    passphrase::{
        DEFAULT_ITERATIONS, KeyDerivation, MAX_ITERATIONS, NewPassphraseError, PassphraseError,
        PassphraseInfo,
    },
    permit::{AnswerPermit, AnswerRefused, KnownDevice, OwnDeviceTrust, SecretAnswer},
    received::{Accepted, ReceivedSecret, ValidateError},
    secret::{
        InvalidKeySecret, MASTER, MAX_SECRET_LEN, MEGOLM_BACKUP_V1, SELF_SIGNING, Secret, SecretTooLong,
        USER_SIGNING, UnvalidatedSecret,
    },
    secret_request::{Action, MAX_NAME_LEN, SecretRequest, SecretRequestError},
    secret_send::{SecretSend, SecretSendError},
    sharing::{
        MAX_ASKED_DEVICES, MAX_REQUESTS, ReceivedRequest, RequestError, RequestMessage, RequestRefused,
        SecretRefused, SecretSharing,
    },
    stored_secret::{MAX_ENTRIES, MAX_STORED_SECRET_LEN, ReadSecretError, StoredSecret, StoredSecretError},
    unlock::{UnlockError, Unlocked, Unlocking},
};
