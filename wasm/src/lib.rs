#![doc = include_str!("../README.md")]
#![expect(clippy::missing_errors_doc, reason = "all throw an MxError, whose code names what went wrong")]

extern crate alloc;

mod attachment;
mod base64;
mod canonical_json;
mod ed25519;
mod failure;
mod key_export;
mod megolm;
mod object;
mod olm;
mod pickle_key;
mod random;
#[cfg(feature = "events")]
mod room_history;
mod sas;

#[cfg(feature = "events")]
pub use crate::room_history::RoomHistory;
pub use crate::{
    attachment::{AttachmentDecryptor, AttachmentDescription, AttachmentEncryptor, AttachmentVerifier},
    canonical_json::canonical_json,
    ed25519::ed25519_verify,
    key_export::{
        ExportKeys, ExportedSession, KeyDerivation, KeyExportFile, KeyExportReader, KeyExportWriter,
    },
    megolm::{InboundGroupSession, OutboundGroupSession},
    olm::{OlmAccount, OlmSession},
    pickle_key::PickleKey,
    sas::{SasAccepter, SasCompare, SasConfirmed, SasKeySent, SasPeerConfirmed, SasStarter, sas_offer},
};
