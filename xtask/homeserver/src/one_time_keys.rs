//! One-time keys and the fallback key: counted, claimed, used up, uploaded again; and Olm sessions from each of them.

use mx_demo::narrator::short;
use mx_device_list::ToUpload;
use serde_json::json;

use crate::{
    Failure,
    client::{Heard, ONE_TIME_KEYS},
    ensure,
    stage::Stage,
};

/// One-time keys that Bob wants to have on the server in the end.
const WANTED: u64 = 5;

pub(crate) fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.narrator.chapter("One-time keys, a fallback key, and Olm sessions")?;
    let heard = stage.bob.follow("its one-time keys", |_, _| true)?;
    is_counted(&heard, ONE_TIME_KEYS as u64, true)?;
    ensure(stage.bob.server_keys.to_upload(ONE_TIME_KEYS as u64).is_none(), "nothing was used yet")?;
    stage
        .narrator
        .step("Bob", "hears from /sync that 2 one-time keys and an unused fallback key are there")?;

    for count in 1..=ONE_TIME_KEYS {
        ensure(!claim_and_talk(stage)?, "a fallback key came although there were one-time keys")?;
        is_counted(&stage.bob.follow("its keys", |_, _| true)?, (ONE_TIME_KEYS - count) as u64, true)?;
    }
    ensure(claim_and_talk(stage)?, "after the last one-time key no fallback key came")?;
    ensure(claim_and_talk(stage)?, "the fallback key came once only")?;

    is_counted(&stage.bob.follow("its keys", |_, _| true)?, 0, false)?;
    let wanted = ToUpload { one_time_keys: WANTED, fallback_key: true };
    ensure(
        stage.bob.server_keys.to_upload(WANTED) == Some(wanted),
        "Bob does not see what is to be uploaded",
    )?;
    let count = stage.bob.upload_keys(stage.rng, usize::try_from(WANTED)?)?;
    ensure(count == WANTED, &format!("the server has {count} one-time keys of {WANTED} after the upload"))?;
    is_counted(&stage.bob.follow("its keys", |_, _| true)?, WANTED, true)?;
    ensure(stage.bob.server_keys.to_upload(WANTED).is_none(), "Bob would upload more")?;
    stage
        .narrator
        .step("Bob", "hears that all are used up, uploads 5 and a fallback key; /sync counts them")?;

    let answer = json!({ "text": "I have new keys" });
    let to = stage.alice.address();
    stage.bob.send_to_device(stage.rng, &to, "m.dummy", &answer)?;
    let received = stage.alice.receive_to_device()?;
    ensure(received.content == answer && !received.opened_session, "Bob's answer is not what he said")?;
    stage.narrator.step("Alice", "decrypts Bob's answer in a session that she had opened")?;
    Ok(())
}

/// Alice claims a key of Bob's device, opens a session with it and sends a message through it, which Bob decrypts. Gives whether it is
/// the fallback key.
fn claim_and_talk(stage: &mut Stage<'_>) -> Result<bool, Failure> {
    let to = stage.bob.address();
    let claimed = stage.alice.claim(&to)?;
    let key = claimed.key.to_string();
    let session_id = stage.alice.device.open_olm_session(stage.rng, &to, &key)?;
    let content = json!({ "text": "hello", "key": key });
    stage.alice.send_to_device(stage.rng, &to, "m.dummy", &content)?;
    let received = stage.bob.receive_to_device()?;
    let is_as_sent = received.content == content && received.sender == stage.alice.address();
    ensure(is_as_sent && received.opened_session, "what Bob decrypted is not what Alice has sent")?;
    ensure(received.session_id == session_id, "the two ends name their session differently")?;
    let kind = if claimed.fallback { "fallback key" } else { "one-time key" };
    let what = format!("claims the {kind} {}, signed by {}; Bob decrypts", short(&key), to.device_id);
    stage.narrator.step("Alice", &what)?;
    Ok(claimed.fallback)
}

/// Whether `/sync` counts the keys under its names for them. No count is 0 (DL-60).
fn is_counted(heard: &Heard, one_time_keys: u64, has_unused_fallback_key: bool) -> Result<(), Failure> {
    let count = heard.counts.ok_or("/sync has no device_one_time_keys_count")?.signed_curve25519.unwrap_or(0);
    ensure(count == one_time_keys, &format!("/sync counts {count} one-time keys, not {one_time_keys}"))?;
    let types = heard.unused_fallback_key_types.as_ref();
    let types = types.ok_or("/sync has no device_unused_fallback_key_types")?;
    let expected: &[&str] = if has_unused_fallback_key { &["signed_curve25519"] } else { &[] };
    ensure(types == expected, &format!("/sync names the unused fallback keys {types:?}, not {expected:?}"))
}
