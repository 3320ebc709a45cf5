use alloc::{format, string::String};

use mx_json::Value;

/// Whether the user wants a key backup: global account data of the type [`BackupPreference::TYPE`].
///
/// Client-server API, "Key backup enabled preference".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BackupPreference {
    /// The user has not said, or what is stored is no boolean.
    Unset,
    /// The user wants one.
    Enabled,
    /// The user wants none.
    Disabled,
}

/// When a preference was seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PreferenceSeen {
    /// While the user signs in.
    AtSignIn,
    /// Later, in a `/sync`.
    Later,
}

/// What to do about a preference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PreferenceEffect {
    /// Nothing: there is none, or all is as it says.
    Nothing,
    /// Switch the backup on or off, or offer just that.
    Follow,
    /// Ask the user first: the server controls the value, and must not be able to switch a backup.
    AskUser,
}

impl BackupPreference {
    /// The type of the account data.
    pub const TYPE: &str = "m.key_backup";

    /// Reads the content. What is no such content is as good as none.
    #[must_use]
    pub fn parse(content: &[u8]) -> Self {
        match mx_json::members(content, &["enabled"]) {
            Ok([Some(Value::Bool(true))]) => Self::Enabled,
            Ok([Some(Value::Bool(false))]) => Self::Disabled,
            _ => Self::Unset,
        }
    }

    /// The content, to be stored whenever the user switches the backup on or off.
    #[must_use]
    pub fn emit(enabled: bool) -> String {
        format!("{{\"enabled\":{enabled}}}")
    }

    /// What to do, where a backup `is_active` or not.
    #[must_use]
    pub const fn effect(self, seen: PreferenceSeen, is_active: bool) -> PreferenceEffect {
        match (self, seen) {
            (Self::Unset, _) => PreferenceEffect::Nothing,
            (Self::Enabled, _) if is_active => PreferenceEffect::Nothing,
            (Self::Disabled, _) if !is_active => PreferenceEffect::Nothing,
            (_, PreferenceSeen::AtSignIn) => PreferenceEffect::Follow,
            (_, PreferenceSeen::Later) => PreferenceEffect::AskUser,
        }
    }
}
