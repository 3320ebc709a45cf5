use alloc::string::String;

use mx_canonical_json::CanonicalObject;

use mx_json::MalformedObject;

use crate::object::{MAX_OBJECT_LEN, Members, json_text};

/// The type of the account data that names the default key.
pub const DEFAULT_KEY_EVENT_TYPE: &str = "m.secret_storage.default_key";

/// The content of `m.secret_storage.default_key` that makes this key the default one.
#[must_use]
pub fn default_key_content(key_id: &str) -> String {
    CanonicalObject::default().with_members(&[("key", &json_text(key_id))])
}

/// The ID of the default key; `None` where the content is an empty object, which is how clients take the default key back. A
/// client that uses one key only may then act as if there were none.
///
/// # Errors
///
/// [`MalformedObject`].
pub fn parse_default_key(content: &str) -> Result<Option<String>, MalformedObject> {
    Members::parse(content, MAX_OBJECT_LEN)?.optional_text("key")
}
