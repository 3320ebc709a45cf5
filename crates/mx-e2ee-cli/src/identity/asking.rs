//! What commands ask a homeserver about the account whose access token they have.

use mx_cross_signing::SignaturesUpload;
use serde::Deserialize;
use serde_json::{Map, json};

use crate::{failure::Failure, homeserver::Client};

/// The answer to `/account/whoami`.
#[derive(Deserialize)]
pub(crate) struct WhoAmI {
    pub(crate) user_id: String,
    pub(crate) device_id: Option<String>,
}

pub(crate) fn who_am_i(client: &Client) -> Result<WhoAmI, Failure> {
    let body = client.expect("who the access token belongs to", client.get(&["account", "whoami"])?)?;
    serde_json::from_str(&body)
        .map_err(|error| Failure::refused(format!("the server's answer to whoami is malformed: {error}")))
}

/// The answer to `/keys/query` about these users.
pub(crate) fn query(client: &Client, user_ids: &[&str]) -> Result<String, Failure> {
    let devices: Map<_, _> = user_ids.iter().map(|user_id| ((*user_id).to_owned(), json!([]))).collect();
    let body = json!({ "device_keys": devices }).to_string();
    let what = if user_ids.len() == 1 { "the keys of the user" } else { "the keys of the users" };
    client.expect(what, client.post(&["keys", "query"], &body)?)
}

/// Uploads signatures. That the server refuses one is a failure.
pub(crate) fn upload_signatures(client: &Client, mut upload: SignaturesUpload) -> Result<(), Failure> {
    let answer = client.post(&["keys", "signatures", "upload"], &upload.body())?;
    let body = client.expect("uploading the signature", answer)?;
    let failures = upload.answered(&body);
    let failures =
        failures.map_err(|error| Failure::refused(format!("the server's answer to the upload: {error}")))?;
    match failures.first() {
        None => Ok(()),
        Some(failure) => Err(Failure::refused(format!(
            "the server refuses the signature on {}: {}",
            failure.key_id, failure.errcode
        ))),
    }
}
