//! `events decrypt`: a room's exported events, offline.

mod attachments;
mod event;
mod judge;
mod reader;
mod replay;
mod sessions;
mod summary;

use std::{io::Read, path::PathBuf};

use clap::{Args, Subcommand};
use mx_types::RoomId;
use serde_json::Value;

use self::{
    attachments::Attachments,
    event::{Encrypted, Event},
    judge::{Judge, Judged},
    reader::{Found, Reader},
    sessions::{Needed, Sessions},
    summary::Summary,
};
use crate::{
    failure::{Failure, Verdict},
    input::Input,
    key_file::KeyFile,
    media::Lenient,
    output::{Output, Replace},
    passphrase::Descriptor,
    place::Place,
    progress::{Progress, Watched},
    record::Record,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Decrypt a room's exported events with a key file, one verdict for each
    #[command(after_help = "\
EVENTS is JSON, one event a line or an array of them, also within an export of Element or an answer to
/messages. Each becomes a line of JSON: its place, the verdict, and the event, decrypted or as it was.
Verdicts: decrypted, not encrypted, redacted, no key, index before the first known one,
bad MAC or signature, replayed index, wrong room, other algorithm, malformed. A summary follows.

Keys in a file are unauthenticated: who could write the file could name any sender. Senders are claims.
The attachment mxc://SERVER/MEDIA is DIR/SERVER/MEDIA or DIR/MEDIA, and becomes MEDIA.decrypted beside it.

Examples:
  mx-e2ee events decrypt --keys element-keys.txt room.jsonl -o clear.jsonl
  mx-e2ee events decrypt --keys element-keys.txt --media downloads room.jsonl | jq .event.content.body

Exit code 1: something was not decrypted, and its line says why.")]
    Decrypt(Decrypt),
}

#[derive(Args, Debug)]
pub(crate) struct Decrypt {
    /// The key file, as clients export it
    #[arg(long, value_name = "FILE")]
    keys: Place,
    /// Read the passphrase from this file descriptor instead of asking for it
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse)]
    passphrase_fd: Option<Descriptor>,
    /// The room of events that do not name theirs
    #[arg(long, value_name = "ROOM")]
    room: Option<String>,
    /// Decrypt attachments that were downloaded to DIR, too
    #[arg(long, value_name = "DIR")]
    media: Option<PathBuf>,
    #[command(flatten)]
    lenient: Lenient,
    /// Where to write the events
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: Place,
    #[command(flatten)]
    replace: Replace,
    /// The events
    #[arg(value_name = "EVENTS", default_value = "-")]
    input: Place,
}

pub(crate) fn run(command: Command, json: bool) -> Result<Verdict, Failure> {
    let Command::Decrypt(arguments) = command;
    let Decrypt { keys, passphrase_fd, room, media, lenient, output, replace, input } = arguments;
    if keys == Place::Standard && input == Place::Standard {
        return Err(Failure::misused("keys and events cannot both come from standard input"));
    }
    if let Some(room) = &room {
        RoomId::parse(room).map_err(|error| Failure::misused(format!("--room: {error}")))?;
    }
    let leniency = lenient.leniency();
    let mut attachments = media.map(|folder| Attachments::new(&folder, leniency, replace)).transpose()?;
    let mut out = Output::create(&output, replace)?;
    let mut input = Input::open(&input)?.rewindable()?;
    let mut keys = KeyFile::open(&keys, passphrase_fd)?;

    // Twice over the events, so that of a large key file only what they need is kept.
    let needed = needed(&mut input, room.as_deref())?;
    let sessions = Sessions::load(&mut keys, &needed)?;
    drop((keys, needed));
    input.rewind()?;
    let mut judge = Judge::new(sessions, room);
    let mut summary = Summary::default();
    let (name, len) = (input.name().to_owned(), input.len());
    let progress = Progress::of_bytes("decrypting", len).beside(&out);
    each_value(Watched::new(input, progress), &name, |found| {
        let line = line(found, &mut judge, attachments.as_mut(), &mut summary)?;
        out.line(&line)
    })?;
    let is_standard = out.is_standard();
    out.commit()?;

    let attachments = attachments.map(|attachments| attachments.counts);
    let text = summary.to_text(judge.sessions().counts, attachments, json);
    if is_standard {
        crate::failure::tell(&text);
    } else {
        let mut standard = Output::standard();
        standard.text(&text)?;
        standard.commit()?;
    }
    let is_good =
        summary.is_good() && attachments.is_none_or(|counts| counts.refused == 0 && counts.not_found == 0);
    Ok(if is_good { Verdict::Good } else { Verdict::Bad })
}

fn each_value(
    source: impl Read,
    name: &str,
    mut take: impl FnMut(&Found<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let unreadable = |error| Failure::input_output(format!("cannot read {name}"), &error);
    let mut reader = Reader::new(source).map_err(unreadable)?;
    while let Some(found) = reader.next().map_err(unreadable)? {
        take(&found)?;
    }
    Ok(())
}

/// The sessions that the events name. What is wrong with an event is said the second time.
fn needed(input: &mut Input, default_room: Option<&str>) -> Result<Needed, Failure> {
    let mut needed = Needed::default();
    let name = input.name().to_owned();
    each_value(input, &name, |found| {
        let Some(event) = found.json.ok().and_then(|json| Event::parse(json).ok()) else { return Ok(()) };
        if !event.is_encrypted() {
            return Ok(());
        }
        if let Ok(encrypted) = Encrypted::parse(&event)
            && let Ok((room_id, session_id)) = judge::address(&event, &encrypted, default_room)
        {
            needed.add(room_id, session_id);
        }
        Ok(())
    })?;
    Ok(needed)
}

/// A line of the output: what is said of an event, and the event.
fn line(
    found: &Found<'_>,
    judge: &mut Judge,
    attachments: Option<&mut Attachments>,
    summary: &mut Summary,
) -> Result<String, Failure> {
    let mut record = Record::new().with("at", found.place.to_string());
    let parsed = match &found.json {
        Ok(json) => Event::parse(json).map(|event| (*json, event)),
        Err(why) => Err(why.to_string()),
    };
    let (judged, event) = match parsed {
        Ok((json, event)) => {
            for (name, value) in [("event_id", &event.event_id), ("claimed_sender", &event.sender)] {
                if let Some(value) = value {
                    record = record.with(name, &**value);
                }
            }
            let mut judged = judge.judge(json, &event);
            let event = judged.event.take();
            // What was not decrypted is handed on as it is, so that nothing is missing.
            let event = event.unwrap_or_else(|| event::on_one_line(&String::from_utf8_lossy(json)).into());
            (judged, Some(event))
        }
        Err(why) => (Judged::because(judge::Verdict::Malformed, why), None),
    };
    summary.count(judged.verdict);
    record = record.with("verdict", judged.verdict.as_str());
    if let Some(why) = judged.why {
        record = record.with("why", why);
    }
    if let Some(message_index) = judged.message_index {
        record = record.with("message_index", message_index);
    }
    if judged.verdict == judge::Verdict::Decrypted {
        // The key came from a file: nothing proves who the sender is.
        record = record.with("authenticated", false);
    }
    if let (Some(attachments), Some(content)) = (attachments, &judged.content) {
        let reports = attachments.decrypt(content)?;
        if !reports.is_empty() {
            record = record.with("attachments", Value::Array(reports));
        }
    }
    let mut line = record.to_json();
    if let Some(event) = event {
        line.pop();
        line.push_str(",\"event\":");
        line.push_str(&event);
        line.push('}');
    }
    Ok(line)
}
