//! Alice's other devices, signed by `mx-e2ee identity sign-device` with the recovery key: on the homeserver itself, and offline.

use mx_cross_signing::{SignaturesUpload, TrustLevel};
use serde_json::json;

use crate::{
    Failure,
    client::Client,
    ensure,
    identities::{sees, send},
    stage::Stage,
};

pub(crate) fn play(stage: &mut Stage<'_>, recovery_key: &str) -> Result<(), Failure> {
    use TrustLevel::{Unsigned, Verified};
    stage.narrator.chapter("Alice's other devices, signed by mx-e2ee identity sign-device")?;
    let (phone, laptop, bot) = ("ALICEPHONE", "ALICELAPTOP", "ALICEBOT");
    let on_laptop = stage.alice.log_in_on(stage.rng, laptop)?;
    let on_bot = stage.alice.log_in_on(stage.rng, bot)?;
    sees(&mut stage.bob, &stage.alice, &[(phone, Verified), (laptop, Unsigned), (bot, Unsigned)])?;
    stage.narrator.step("Bob", "sees ALICELAPTOP and ALICEBOT as unsigned, although Alice is verified")?;

    let Stage { tool, alice, bob, narrator, .. } = stage;
    let token = tool.write("token", &on_laptop.session.access_token)?;
    let of_laptop = fingerprint(&on_laptop)?;
    let address = on_laptop.session.address();
    let server = ["identity", "sign-device", "--homeserver", address, "--token-file", &token];
    let device = ["--fingerprint", &of_laptop, "--recovery-key-fd", "0"];
    tool.run(&[&server[..], &device].concat(), recovery_key)?;
    sees(bob, alice, &[(phone, Verified), (laptop, Verified), (bot, Unsigned)])?;
    narrator.step("Alice", "signs ALICELAPTOP: Bob sees it as verified")?;

    // What an operator carries to a machine without a network.
    let user_id = alice.session.user_id.as_str();
    let body = json!({ "device_keys": { user_id: [] } }).to_string();
    let keys_query = alice.session.post("/_matrix/client/v3/keys/query", &body)?;
    let keys_query = tool.write("keys-query.json", &keys_query)?;
    let first_sync = alice.session.get("/_matrix/client/v3/sync?timeout=0")?;
    let account_data = tool.write("sync.json", &first_sync)?;
    let sign = ["identity", "sign-device", "--own", user_id, "--device", bot, "--recovery-key-fd", "0"];
    let files = ["--keys-query", &keys_query, "--account-data", &account_data, "--fingerprint"];
    let other = tool.refuse(&[&sign[..], &files, &[&of_laptop]].concat(), recovery_key)?;
    ensure(other.contains("fingerprint"), &format!("with another device's fingerprint it says: {other}"))?;
    let body = tool.run(&[&sign[..], &files, &[&fingerprint(&on_bot)?]].concat(), recovery_key)?;
    send(alice, SignaturesUpload::parse(&body)?)?;
    sees(bob, alice, &[(phone, Verified), (laptop, Verified), (bot, Verified)])?;
    narrator
        .step("Alice", "signs ALICEBOT offline and uploads what is printed: so is this one")
        .map_err(Failure::from)
}

/// The device's Ed25519 key, as the device shows it.
pub(crate) fn fingerprint(client: &Client) -> Result<String, Failure> {
    let keys = client.device.device_keys()?;
    let device_id = &client.session.device_id;
    let key = keys["keys"][format!("ed25519:{device_id}")].as_str();
    Ok(key.ok_or("the device has no Ed25519 key")?.to_owned())
}
