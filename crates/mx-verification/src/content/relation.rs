use alloc::borrow::Cow;
use alloc::format;

use super::members::Members;

/// The content of a message that came encrypted in a room, with the relation that says to which flow it belongs.
///
/// `m.relates_to` stands in the content of the `m.room.encrypted`, where servers see it, and often there alone. `decrypted` is the
/// `content` in the plaintext, `encrypted` that of the event, with the ciphertext in it. Both are JSON. If the first has no
/// `m.relates_to` and the second has, the first is given with it; else as it is.
///
/// ```
/// use mx_verification::with_relation;
///
/// let encrypted = r#"{"algorithm":"m.megolm.v1.aes-sha2","m.relates_to":{"rel_type":"m.reference","event_id":"$1"}}"#;
/// let content = with_relation(r#"{"key":"..."}"#, encrypted);
/// assert_eq!(content, r#"{"m.relates_to":{"rel_type":"m.reference","event_id":"$1"},"key":"..."}"#);
/// ```
#[must_use]
pub fn with_relation<'t>(decrypted: &'t str, encrypted: &str) -> Cow<'t, str> {
    let relation = |content| Members::read(content, &[RELATES_TO]).map(|members| members.get(RELATES_TO));
    // One that stands there twice is none, and no place for a third.
    let (Ok(Err(super::Fault::Missing { .. })), Ok(Ok(relation))) =
        (relation(decrypted), relation(encrypted))
    else {
        return Cow::Borrowed(decrypted);
    };
    let Some(members) = decrypted.trim_ascii_start().strip_prefix('{') else {
        return Cow::Borrowed(decrypted);
    };
    let separator = if members.trim_ascii_start().starts_with('}') { "" } else { "," };
    Cow::Owned(format!("{{\"{RELATES_TO}\":{relation}{separator}{members}"))
}

const RELATES_TO: &str = "m.relates_to";
