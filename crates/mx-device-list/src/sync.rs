//! What servers say about lists that have changed.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::Deserialize;

/// `device_lists` of a `/sync` response, or a response to `/keys/changes`.
///
/// Client-server API, "Extensions to /sync" of end-to-end encryption. Where it cannot be read, nobody knows whose list has changed: call
/// [`Tracker::mark_all_outdated`](crate::Tracker::mark_all_outdated).
///
/// ```
/// let lists: mx_device_list::DeviceLists<'_> = serde_json::from_str(r#"{ "changed": ["@bob:example.org"] }"#)?;
/// assert_eq!(lists.changed, ["@bob:example.org"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
pub struct DeviceLists<'t> {
    /// Users whose devices or identity have changed, or who share an encrypted room with us now.
    #[serde(borrow, default)]
    pub changed: Vec<Cow<'t, str>>,
    /// Users who share no encrypted room with us any more.
    #[serde(borrow, default)]
    pub left: Vec<Cow<'t, str>>,
}
