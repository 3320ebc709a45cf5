//! How many one-time keys the server has, and whether the fallback key was used.

use alloc::borrow::Cow;

use serde::Deserialize;

use crate::time::{Timestamp, Wait};

/// The algorithm of the keys that are uploaded.
const SIGNED_CURVE25519: &str = "signed_curve25519";

/// Milliseconds for which the fallback key before stays readable after the first message on the present one: an hour.
const PREVIOUS_FALLBACK_KEPT: u64 = 3_600_000;

/// Counts of one-time keys: `device_one_time_keys_count` of a `/sync` response, `one_time_key_counts` of a response to `/keys/upload`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
pub struct Counts {
    /// Keys of the algorithm `signed_curve25519`; others are of no use.
    pub signed_curve25519: Option<u64>,
}

/// What it means that a count, or all counts, are missing from a `/sync` response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MissingCount {
    /// There are no keys left: `/sync` of the specification.
    Zero,
    /// Nothing has changed: sliding sync.
    Unchanged,
}

/// What is known of our own keys on the server. After a restart the next `/sync` tells it anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerKeys {
    one_time_keys: Option<u64>,
    /// Nothing, if the server does not say.
    has_unused_fallback_key: Option<bool>,
    is_uploading: bool,
}

/// What to upload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ToUpload {
    /// One-time keys to be generated.
    pub one_time_keys: u64,
    /// Whether a new fallback key is to be generated. It replaces the one on the server.
    pub fallback_key: bool,
}

impl ServerKeys {
    /// Takes what a `/sync` response says: `device_one_time_keys_count`, and `device_unused_fallback_key_types`, whose presence says
    /// that the server has fallback keys at all.
    pub fn receive_sync(
        &mut self,
        counts: Option<Counts>,
        unused_fallback_key_types: Option<&[Cow<'_, str>]>,
        missing: MissingCount,
    ) {
        match (counts.and_then(|counts| counts.signed_curve25519), missing) {
            (None, MissingCount::Unchanged) => {}
            (None, MissingCount::Zero) => self.one_time_keys = Some(0),
            (count, _) => self.one_time_keys = count,
        }
        if let Some(types) = unused_fallback_key_types {
            self.has_unused_fallback_key = Some(types.iter().any(|name| name == SIGNED_CURVE25519));
        }
    }

    /// What to generate and upload so that the server has `wanted` one-time keys, if anything. Nothing while an upload is on its way, or
    /// before the server has said what it has.
    #[must_use]
    pub fn to_upload(&self, wanted: u64) -> Option<ToUpload> {
        let to_upload = ToUpload {
            one_time_keys: self.one_time_keys.map_or(0, |count| wanted.saturating_sub(count)),
            fallback_key: self.has_unused_fallback_key == Some(false),
        };
        let is_needed = to_upload.one_time_keys > 0 || to_upload.fallback_key;
        (is_needed && !self.is_uploading).then_some(to_upload)
    }

    /// An upload was sent. Until it is answered nothing new is generated; if no answer comes, the same keys are sent again.
    pub const fn upload_sent(&mut self) {
        self.is_uploading = true;
    }

    /// The upload was accepted, with `one_time_key_counts` of the response.
    pub const fn upload_accepted(&mut self, counts: Counts, with_fallback_key: bool) {
        self.is_uploading = false;
        self.one_time_keys = Some(match counts.signed_curve25519 {
            Some(count) => count,
            None => 0,
        });
        if with_fallback_key {
            self.has_unused_fallback_key = Some(true);
        }
    }

    /// The upload was refused for good.
    pub const fn upload_refused(&mut self) {
        self.is_uploading = false;
    }
}

/// When the private half of the fallback key before the present one is dropped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FallbackRetirement {
    /// When the first message on the present key came. To be stored with the account.
    pub first_used: Option<Timestamp>,
}

impl FallbackRetirement {
    /// A message on the present fallback key was decrypted.
    pub fn present_used(&mut self, now: Timestamp) {
        self.first_used.get_or_insert(now);
    }

    /// A new fallback key was generated: the present one becomes the one before.
    pub const fn replaced(&mut self) {
        self.first_used = None;
    }

    /// Whether the key before is to be forgotten now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.first_used.is_some_and(|used| Wait::new(used, PREVIOUS_FALLBACK_KEPT).is_over(now))
    }
}
