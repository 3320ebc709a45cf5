//! The main job, from accounts to room messages.

use serde_json::{Value, json};

use crate::{
    Failure, fail,
    narrator::{bytes, short},
    stage::{
        ROOM_ID,
        Role::{self, Alice, Bob},
        Stage,
    },
    verification,
};

/// One-time keys that each of the two uploads.
const ONE_TIME_KEYS: usize = 6;

/// A to-device event type of our own, for the words that the two exchange over Olm.
const NOTE: &str = "org.example.note";

/// Plays everything but the file.
///
/// # Errors
///
/// At the first step that does not go as told.
pub(crate) fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    accounts_and_keys(stage)?;
    verification::play(stage)?;
    olm_both_ways_out_of_order(stage)?;
    olm_from_a_fallback_key(stage)?;
    room(stage)
}

fn accounts_and_keys(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.chapter("Accounts and keys")?;
    for who in [Alice, Bob] {
        stage.introduce(who)?;
    }
    for who in [Alice, Bob] {
        stage.upload_keys(who, ONE_TIME_KEYS)?;
    }
    for who in [Alice, Bob] {
        stage.query_keys(who)?;
    }
    Ok(())
}

fn olm_both_ways_out_of_order(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.chapter("An Olm session, messages both ways out of order")?;
    let key = stage.claim_key(Alice)?;
    stage.open_olm_session(Alice, &key)?;
    let words = ["Hello Bob", "this is Alice", "on a new phone"];
    let first = out_of_order(stage, Alice, &words, [1, 2, 0])?;
    out_of_order(stage, Bob, &["Hello Alice", "I see", "how is it?"], [2, 0, 1])?;
    out_of_order(stage, Alice, &["small", "and", "quick"], [0, 2, 1])?;
    if stage.receive_to_device(Bob, &first).is_ok() {
        return fail("Bob decrypted a message twice");
    }
    stage.tell(Bob, "refuses Alice's first message when the server delivers it again: its key is gone")?;
    Ok(())
}

/// Sends `words`, delivers them in another order, and returns the event that was read first.
fn out_of_order(
    stage: &mut Stage<'_>,
    who: Role,
    words: &[&str],
    order: [usize; 3],
) -> Result<Value, Failure> {
    for text in words {
        stage.send_to_device(who, NOTE, &json!({ "body": text }), &format!("“{text}”"))?;
    }
    let events = stage.sync(who.other());
    for place in order {
        let event = events.get(place).ok_or("the server lost a message")?;
        let received = stage.receive_to_device(who.other(), event)?;
        if received.event_type != NOTE || received.content["body"] != words[place] {
            return fail("a message arrived changed");
        }
        let what = format!("reads message {} of 3: “{}”", place + 1, words[place]);
        stage.tell(who.other(), &what)?;
    }
    Ok(events.into_iter().nth(order[0]).unwrap_or_default())
}

fn olm_from_a_fallback_key(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.chapter("An Olm session from the fallback key")?;
    for _ in 2..ONE_TIME_KEYS {
        stage.claim_key(Alice)?; // as so many other devices would
    }
    let key = stage.claim_key(Alice)?;
    stage.open_olm_session(Alice, &key)?;
    stage.send_to_device(Alice, NOTE, &json!({ "body": "still there?" }), "“still there?”")?;
    for event in stage.sync(Bob) {
        let received = stage.receive_to_device(Bob, &event)?;
        stage.tell(Bob, &format!("reads “{}”", received.content["body"].as_str().unwrap_or_default()))?;
    }
    Ok(())
}

fn room(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.chapter("A room, encrypted with Megolm")?;
    let mut first = Value::Null;
    for (who, words) in [
        (Alice, ["Welcome to the room", "it is encrypted", "and the server reads none of it"]),
        (Bob, ["Thank you", "what shall we send?", "perhaps a file"]),
    ] {
        let mut events = Vec::new();
        for text in words {
            let content = json!({ "msgtype": "m.text", "body": text });
            let event = stage.send_to_room(who, ROOM_ID, "m.room.message", &content)?;
            let size = bytes(event["content"].to_string().len());
            stage.tell(who, &format!("sends “{text}”: {size} of m.room.encrypted"))?;
            events.push((text, event));
        }
        for (text, event) in events.iter().rev() {
            let received = stage.receive_room_event(who.other(), event)?;
            if received.content["body"] != *text {
                return fail("a room message arrived changed");
            }
            let from = &received.sender.device_id;
            let what = format!("reads message index {} from {from}: “{text}”", received.message_index);
            stage.tell(who.other(), &what)?;
        }
        first = events.into_iter().next().map(|(_, event)| event).unwrap_or_default();
    }
    let session_id = short(first["content"]["session_id"].as_str().unwrap_or_default());
    first["event_id"] = "$replay".into();
    match stage.receive_room_event(Alice, &first) {
        Ok(_) => return fail("Alice took a replay for a new event"),
        Err(why) => stage.tell(Alice, &format!("refuses a replay in Megolm session {session_id}: {why}"))?,
    }
    Ok(())
}
