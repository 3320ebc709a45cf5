//! One message or session key, from its Base64.

use mx_curve25519::{Ed25519PublicKey, Ed25519Signature};
use mx_megolm::{ExportedSessionKey, MegolmMessage, SessionKey};
use mx_olm::{MAX_MESSAGE_TEXT_LEN, MessageType, NormalMessage, OlmMessage, PreKeyMessage};
use mx_types::base64::{TrailingBits, decode_array, decode_to_vec};

use super::Explanation;
use crate::record::Record;

/// Base64 of which nothing is known: the first byte and what parses tell.
pub(super) fn base64(text: &str) -> Explanation {
    match first_byte(text) {
        Some(EXPORT_VERSION) => exported_session_key(text),
        Some(SHARING_VERSION) => session_key(text),
        Some(MESSAGE_VERSION) => message(text),
        Some(4) => Explanation::not_understood(
            "version 4: messages with a longer MAC, which some clients wrote for a while and no specification describes",
        ),
        Some(version) if decode_to_vec(text, TrailingBits::Ignored).is_ok() => Explanation::not_understood(
            format!("version {version}; messages have version 3, session keys 1 or 2"),
        ),
        _ => Explanation::not_understood("neither JSON nor Base64"),
    }
}

/// The three kinds of messages share a version. Their fields differ, so that a text is one of them.
fn message(text: &str) -> Explanation {
    let bytes = match decode_to_vec(text, TrailingBits::Ignored) {
        Ok(bytes) => bytes,
        Err(error) => return Explanation::not_understood(error),
    };
    let megolm = MegolmMessage::try_from(bytes.as_slice()).map(|message| of_megolm(&bytes, &message, None));
    let pre_key = OlmMessage::parse(MessageType::PreKey, &bytes).map(|message| of_olm(&message));
    let normal = OlmMessage::parse(MessageType::Normal, &bytes).map(|message| of_olm(&message));
    match (megolm, pre_key, normal) {
        (Ok(message), ..) | (_, Ok(message), _) | (_, _, Ok(message)) => message,
        (Err(megolm), Err(pre_key), Err(normal)) => Explanation::not_understood(format!(
            "as a Megolm message: {megolm}; as an Olm pre-key message: {pre_key}; as an Olm normal message: {normal}"
        )),
    }
}

/// A Megolm message, and the session that is named beside it: its ID is the key that must have signed the message.
pub(super) fn megolm_message(text: &str, session_id: Option<&str>) -> Explanation {
    let bytes = match decode_to_vec(text, TrailingBits::Ignored) {
        Ok(bytes) => bytes,
        Err(error) => return Explanation::not_understood(format!("the ciphertext: {error}")),
    };
    match MegolmMessage::try_from(bytes.as_slice()) {
        Ok(message) => of_megolm(&bytes, &message, session_id),
        Err(error) => Explanation::not_understood(format!("not a Megolm message: {error}")),
    }
}

/// An Olm message whose type is stated beside it.
pub(super) fn olm_message(message_type: u64, text: &str) -> Explanation {
    let parsed = MessageType::try_from(message_type).and_then(|message_type| {
        mx_olm::OlmMessageBuf::from_base64(message_type, text, MAX_MESSAGE_TEXT_LEN)
    });
    match parsed.as_ref().map_err(|error| *error).and_then(|message| message.parse()) {
        Ok(message) => of_olm(&message),
        Err(error) => {
            Explanation::not_understood(format!("not an Olm message of type {message_type}: {error}"))
        }
    }
}

/// A session key of either format, beside the ID of a session or not.
pub(super) fn any_session_key(text: &str, session_id: Option<&str>) -> Explanation {
    let mut explanation = match first_byte(text) {
        Some(EXPORT_VERSION) => exported_session_key(text),
        Some(SHARING_VERSION) => session_key(text),
        Some(version) => {
            return Explanation::not_understood(format!(
                "session key of version {version}; there are 1 and 2"
            ));
        }
        None => return Explanation::not_understood("the session key is not Base64"),
    };
    if let Some(stated) = session_id.filter(|_| explanation.is_good) {
        let is_own = explanation.record.text("session_id") == stated;
        explanation.is_good = is_own;
        explanation.record =
            explanation.record.with("session_id_beside_it", if is_own { "the same" } else { "ANOTHER" });
    }
    explanation
}

fn session_key(text: &str) -> Explanation {
    match SessionKey::from_base64(text) {
        Ok(key) => Explanation::good(
            Record::new()
                .with("what", "Megolm session key, sharing format")
                .with("version", SHARING_VERSION)
                .with("session_id", key.session_id().as_str())
                .with("first_known_index", key.first_known_index())
                .with("bytes", SessionKey::LEN)
                .with("signature", "valid: made by the session's owner"),
        ),
        Err(error) => Explanation::not_understood(format!("not a session key in sharing format: {error}")),
    }
}

fn exported_session_key(text: &str) -> Explanation {
    match ExportedSessionKey::from_base64(text) {
        Ok(key) => Explanation::good(
            Record::new()
                .with("what", "Megolm session key, export format")
                .with("version", EXPORT_VERSION)
                .with("session_id", key.session_id().as_str())
                .with("first_known_index", key.first_known_index())
                .with("bytes", ExportedSessionKey::LEN)
                .with("signature", "none: nothing proves where it comes from"),
        ),
        Err(error) => Explanation::not_understood(format!("not a session key in export format: {error}")),
    }
}

fn of_megolm(bytes: &[u8], message: &MegolmMessage<'_>, session_id: Option<&str>) -> Explanation {
    let signature = session_id.map_or(Signature::NotChecked, |session_id| signature(bytes, session_id));
    let record = Record::new()
        .with("what", "Megolm message")
        .with("version", MESSAGE_VERSION)
        .with("message_index", message.message_index())
        .with("bytes", bytes.len());
    let record = with_ciphertext(record, message.ciphertext())
        .with("mac_bytes", 8)
        .with("signature_bytes", SIGNATURE_LEN)
        .with("signature", signature.as_str());
    Explanation { record, is_good: signature != Signature::Wrong }
}

fn of_olm(message: &OlmMessage<'_>) -> Explanation {
    Explanation::good(match message {
        OlmMessage::PreKey(message) => of_pre_key(message),
        OlmMessage::Normal(message) => {
            let record = Record::new().with("what", "Olm normal message").with("version", MESSAGE_VERSION);
            with_normal(record, message)
        }
    })
}

fn of_pre_key(message: &PreKeyMessage<'_>) -> Record {
    let keys = message.keys();
    let record = Record::new()
        .with("what", "Olm pre-key message")
        .with("version", MESSAGE_VERSION)
        .with("session_id", keys.session_id().to_string())
        .with("senders_identity_key", keys.identity_key.to_string())
        .with("base_key", keys.base_key.to_string())
        .with("receivers_one_time_key", keys.one_time_key.to_string());
    with_normal(record, message.message())
}

fn with_normal(record: Record, message: &NormalMessage<'_>) -> Record {
    let record =
        record.with("ratchet_key", message.ratchet_key().to_string()).with("chain_index", message.index());
    with_ciphertext(record, message.ciphertext()).with("mac_bytes", 8)
}

/// Between 1 and 16 bytes of the ciphertext are padding.
fn with_ciphertext(record: Record, ciphertext: &[u8]) -> Record {
    let len = ciphertext.len();
    let plaintext = format!("{} to {}", len.saturating_sub(16), len.saturating_sub(1));
    record.with("ciphertext_bytes", len).with("plaintext_bytes", plaintext)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Signature {
    Valid,
    Wrong,
    NotChecked,
}

impl Signature {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid: made by the session that is named",
            Self::Wrong => "WRONG: not made by the session that is named",
            Self::NotChecked => "not checked: the message does not say which session made it",
        }
    }
}

/// The ID of a Megolm session is the public key that signs its messages.
fn signature(bytes: &[u8], session_id: &str) -> Signature {
    let parts = Ed25519PublicKey::from_base64(session_id).ok().zip(bytes.split_last_chunk::<SIGNATURE_LEN>());
    let is_valid = parts.is_some_and(|(key, (signed, signature))| {
        mx_curve25519::verify(&key, signed, &Ed25519Signature::from_bytes(*signature)).is_ok()
    });
    if is_valid { Signature::Valid } else { Signature::Wrong }
}

/// The version, which is no secret even where the rest is.
fn first_byte(text: &str) -> Option<u8> {
    let [version, ..]: [u8; 3] = decode_array(text.get(..4)?, TrailingBits::Ignored).ok()?;
    Some(version)
}

const EXPORT_VERSION: u8 = 1;
const SHARING_VERSION: u8 = 2;
const MESSAGE_VERSION: u8 = 3;
const SIGNATURE_LEN: usize = 64;
