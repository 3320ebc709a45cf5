//! Devices come and go while the tracker follows: through `/sync`, through `/keys/changes` after a restart, and out of
//! the room.

use mx_device_list::{Flags, What};
use serde_json::{Value, json};

use crate::{
    Failure,
    client::{Client, Heard},
    ensure,
    server::Session,
    stage::Stage,
};

pub(crate) fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.narrator.chapter("Devices come and go while the trackers follow")?;
    let laptop = add(stage)?;
    delete(stage, &laptop)?;
    restart(stage)?;
    leave(stage)
}

/// Bob logs in on a laptop: Alice hears of it.
fn add(stage: &mut Stage<'_>) -> Result<Client, Failure> {
    let laptop = stage.bob.log_in_on(stage.rng, "BOBLAPTOP")?;
    let of = &laptop.session;
    let heard = stage.alice.follow("Bob's laptop", |_, heard| is_news(heard, of, is_new))?;
    ensure(heard.changed.contains(&of.user_id), "/sync had no change of Bob's list")?;
    ensure(!is_outdated(&stage.alice, of), "Bob's list is outdated although it was queried")?;
    stage.narrator.step("Alice", "hears of BOBLAPTOP: changed in /sync, a query, a new device")?;
    Ok(laptop)
}

/// He deletes it again from his phone, with his password: both hear of it.
fn delete(stage: &mut Stage<'_>, laptop: &Client) -> Result<(), Failure> {
    let of = &laptop.session;
    stage.bob.follow("his own laptop", |_, heard| is_news(heard, of, is_new))?;
    let body = |auth: Option<&str>| {
        let auth: Option<Value> = auth.map(serde_json::from_str).transpose()?;
        Ok(json!({ "devices": [of.device_id], "auth": auth }).to_string())
    };
    stage.bob.session.post_with_password("/_matrix/client/v3/delete_devices", body)?;
    for client in [&mut stage.alice, &mut stage.bob] {
        client.follow("the laptop's end", |_, heard| is_news(heard, of, is_deleted))?;
        ensure(client.lists.device_ids(&of.user_id) == ["BOBPHONE"], "Bob's phone is not all that is left")?;
    }
    stage
        .narrator
        .step("Bob", "deletes BOBLAPTOP with his password; both trackers take it from the list")
        .map_err(Failure::from)
}

/// Alice's program ends, Bob logs in on a tablet, her program begins again with what it had saved.
fn restart(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let from = stage.alice.lists.next_batch.clone().ok_or("Alice has no token")?;
    let tablet = stage.bob.log_in_on(stage.rng, "BOBTABLET")?;
    let of = &tablet.session;
    stage.alice.lists.restart()?;
    ensure(!is_outdated(&stage.alice, of), "Alice knows of the tablet before she can")?;
    let to = stage.alice.first_sync()?;
    let changed = stage.alice.receive_changes(&from, &to)?;
    ensure(changed.contains(&of.user_id), "/keys/changes does not name Bob")?;
    ensure(is_outdated(&stage.alice, of), "the change was not saved")?;
    let mut heard = Heard::default();
    stage.alice.refresh(&mut heard.news)?;
    ensure(is_news(&heard, of, is_new), "the query after /keys/changes did not bring the tablet")?;
    stage.narrator.step("Alice", "was away; /keys/changes names Bob, a query brings BOBTABLET")?;
    stage.bob.follow("his own tablet", |_, heard| is_news(heard, of, is_new))?;
    Ok(())
}

/// Bob leaves the room and comes back.
fn leave(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let room_id = stage.room_id.clone();
    let user_id = stage.bob.session.user_id.clone();
    stage.bob.session.post(&format!("/_matrix/client/v3/rooms/{room_id}/leave"), "{}")?;
    stage.alice.follow("Bob's leaving", |_, heard| heard.left.contains(&user_id))?;
    ensure(!stage.alice.lists.flags(&user_id).tracked, "Alice follows Bob's list without a room")?;
    let body = json!({ "user_id": user_id }).to_string();
    stage.alice.session.post(&format!("/_matrix/client/v3/rooms/{room_id}/invite"), &body)?;
    stage.bob.session.post(&format!("/_matrix/client/v3/join/{room_id}"), "{}")?;
    stage.alice.follow("Bob's return", |_, heard| heard.changed.contains(&user_id))?;
    let current = Flags { tracked: true, outdated: false };
    ensure(stage.alice.lists.flags(&user_id) == current, "Bob's list is not followed and current again")?;
    stage
        .narrator
        .step("Alice", "hears that Bob left the room, forgets his list, and takes it up when he is back")?;
    Ok(())
}

/// Whether a query brought this about this device.
fn is_news(heard: &Heard, of: &Session, is: fn(&What) -> bool) -> bool {
    let mut events = heard.news.devices.iter();
    events.any(|event| {
        event.user_id == of.user_id && event.device_id.as_ref() == Some(&of.device_id) && is(&event.what)
    })
}

fn is_new(what: &What) -> bool {
    matches!(what, What::DeviceNew { returned: false, .. })
}

fn is_deleted(what: &What) -> bool {
    matches!(what, What::DeviceDeleted { .. })
}

fn is_outdated(client: &Client, of: &Session) -> bool {
    client.lists.flags(&of.user_id).outdated
}
