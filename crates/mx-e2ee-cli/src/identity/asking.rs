//! What commands ask a homeserver about the account whose access token they have.

use serde::Deserialize;

use crate::{failure::Failure, homeserver::Client};

/// The answer to `/account/whoami`.
#[derive(Deserialize)]
pub(super) struct WhoAmI {
    pub(super) user_id: String,
    pub(super) device_id: Option<String>,
}

pub(super) fn who_am_i(client: &Client) -> Result<WhoAmI, Failure> {
    let body = client.expect("who the access token belongs to", client.get(&["account", "whoami"])?)?;
    serde_json::from_str(&body)
        .map_err(|error| Failure::refused(format!("the server's answer to whoami is malformed: {error}")))
}

/// The answer to `/keys/query` about one user.
pub(super) fn query(client: &Client, user_id: &str) -> Result<String, Failure> {
    let body = serde_json::json!({ "device_keys": { user_id: [] } }).to_string();
    client.expect("the keys of the user", client.post(&["keys", "query"], &body)?)
}
