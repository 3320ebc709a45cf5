//! How a verification ended, and what that means.

use mx_verification::{Cancelled, Consequence, Verified};

use crate::record::Record;

#[derive(Debug)]
pub(super) enum End {
    Verified {
        verified: Verified,
        /// Whether the other side has said that it is done.
        is_confirmed: bool,
    },
    /// And nothing was verified.
    Not { why: String, by: &'static str, code: Option<String> },
}

impl End {
    pub(super) fn not(why: &str) -> Self {
        Self::Not { why: why.to_owned(), by: "nobody", code: None }
    }

    pub(super) fn of_cancelled(cancelled: &Cancelled) -> Self {
        match cancelled {
            Cancelled::ByUs(reason) => {
                Self::Not { why: reason.to_string(), by: "this device", code: Some(reason.code().to_owned()) }
            }
            Cancelled::ByThem { code, reason } => {
                let known = code.as_deref().and_then(words_of);
                let why = known.or(reason.as_deref()).unwrap_or("the other side gives no reason");
                Self::Not { why: why.to_owned(), by: "the other side", code: code.clone() }
            }
        }
    }

    /// What is said of it, without what was signed.
    pub(super) fn record(&self) -> Record {
        match self {
            Self::Verified { verified, is_confirmed } => {
                let mut record =
                    Record::new().with("result", "verified").with("user_id", verified.user_id.as_str());
                if let Some((device_id, ed25519)) = &verified.device {
                    record =
                        record.with("device_id", device_id.as_str()).with("fingerprint", ed25519.to_string());
                }
                if let Some(key) = verified.master_signing_key {
                    record = record.with("master_signing_key", key.to_string());
                }
                let means: Vec<_> = verified.consequences.iter().map(meaning).collect();
                record
                    .with(
                        "other_side",
                        if *is_confirmed { "is done, too" } else { "has not said that it is done" },
                    )
                    .with("means", means.join("; "))
            }
            Self::Not { why, by, code } => Record::new()
                .with("result", "not verified")
                .with("ended_by", *by)
                .with("code", code.clone())
                .with("why", why.as_str()),
        }
    }
}

/// What a user may take for true from now on.
fn meaning(consequence: &Consequence) -> String {
    match consequence {
        Consequence::TrustOwnMaster { .. } => {
            "the master signing key is yours; other commands may be told so, with --own USER=KEY".to_owned()
        }
        Consequence::SignOwnDevice { device_id, .. } => {
            format!("device {device_id} is yours; others see that when your self-signing key has signed it")
        }
        Consequence::SignUser { user_id, .. } => format!(
            "you and {user_id} talk to each other, and to every device that {user_id} has signed; your other \
             devices see that when your user-signing key has signed the master signing key"
        ),
        Consequence::TrustDevice { device_id, .. } => format!(
            "only device {device_id} was verified, and not the user; nothing is signed, and no other device learns of it"
        ),
        _ => String::new(),
    }
}

/// Codes of the specification in words; another one is explained by the other side.
fn words_of(code: &str) -> Option<&'static str> {
    Some(match code {
        "m.user" => "the other user has cancelled",
        "m.timeout" => "it took too long for the other side",
        "m.unknown_transaction" => "the other side knows nothing of it any more",
        "m.unknown_method" => "there is no way of verifying that both have",
        "m.unexpected_message" => "the other side did not expect this message",
        "m.key_mismatch" => "the keys are others for the other side: somebody may be between you",
        "m.user_mismatch" => "the other side expected another user",
        "m.invalid_message" => "the other side cannot read a message",
        "m.accepted" => "another device goes on with it",
        "m.mismatched_commitment" => {
            "the other side was shown another key than was promised: somebody may be between you"
        }
        "m.mismatched_sas" => "the other user sees something else: somebody may be between you",
        _ => return None,
    })
}
