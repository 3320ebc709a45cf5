//! `events decrypt`: a room's exported events, offline.

mod attachments;
mod keys;
mod summary;

use std::{io::Read, path::PathBuf};

use clap::{Args, Subcommand};
use embedded_io_adapters::std::FromStd;
use mx_room_history::{EventReader, Found, Judge, JudgedEvent, NeededSessions, VerdictCounts, Why};
use mx_types::RoomId;
use serde_json::Value;

use self::{attachments::Attachments, summary::Summary};
use crate::{
    failure::{Failure, Verdict},
    input::Input,
    key_file::KeyFile,
    media::Lenient,
    output::{Output, Replace},
    passphrase::Descriptor,
    place::Place,
    progress::{Progress, Watched},
    record::printable_json,
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
    let room = room.as_deref().map(RoomId::parse).transpose();
    let room = room.map_err(|error| Failure::misused(format!("--room: {error}")))?;
    let leniency = lenient.leniency();
    let mut attachments = media.map(|folder| Attachments::new(&folder, leniency, replace)).transpose()?;
    let mut out = Output::create(&output, replace)?;
    let mut input = Input::open(&input)?.rewindable()?;
    let mut keys = KeyFile::open(&keys, passphrase_fd)?;

    // Twice over the events, so that of a large key file only what they need is kept.
    let mut needed = needed(&mut input, room)?;
    let found = keys::load(&mut keys, &mut needed)?;
    drop(keys);
    input.rewind()?;
    let (mut judge, mut verdicts) = (Judge::new(needed), VerdictCounts::default());
    let (name, len) = (input.name().to_owned(), input.len());
    let progress = Progress::of_bytes("decrypting", len).beside(&out);
    each_value(Watched::new(input, progress), &name, |found| {
        let judged = judge.judge(found);
        verdicts.count(judged.verdict);
        out.line(&line(&judged, attachments.as_mut())?)
    })?;
    let is_standard = out.is_standard();
    out.commit()?;

    let attachments = attachments.map(|attachments| attachments.counts);
    let summary = Summary { verdicts, keys: found, attachments };
    let text = summary.to_text(json);
    if is_standard {
        crate::failure::tell(&text);
    } else {
        let mut standard = Output::standard();
        standard.text(&text)?;
        standard.commit()?;
    }
    Ok(if summary.is_good() { Verdict::Good } else { Verdict::Bad })
}

fn each_value(
    source: impl Read,
    name: &str,
    mut take: impl FnMut(&Found<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let unreadable = |error| Failure::input_output(format!("cannot read {name}"), &error);
    let mut reader = EventReader::new(FromStd::new(source)).map_err(unreadable)?;
    while let Some(found) = reader.next_event().map_err(unreadable)? {
        take(&found)?;
    }
    Ok(())
}

/// The sessions that the events name.
fn needed(input: &mut Input, default_room: Option<RoomId<'_>>) -> Result<NeededSessions, Failure> {
    let mut needed = NeededSessions::new(default_room);
    let name = input.name().to_owned();
    each_value(input, &name, |found| {
        let added = found.json.map_or(Ok(()), |json| needed.add_event(json));
        added.map_err(|error| Failure::refused(format!("{name}: {error}")))
    })?;
    Ok(needed)
}

/// A line of the output: what is said of an event, and the event.
fn line(judged: &JudgedEvent<'_>, attachments: Option<&mut Attachments>) -> Result<String, Failure> {
    let why = match judged.why {
        Some(Why::NoRoom) => Some(format!("{}; --room names it", Why::NoRoom)),
        _ => None,
    };
    let reports = match (attachments, judged.content()) {
        (Some(attachments), Some(content)) => attachments.decrypt(content)?,
        _ => Vec::new(),
    };
    let reports = (!reports.is_empty()).then(|| Value::Array(reports).to_string());
    let more = reports.as_deref().map(|reports| ("attachments", reports));
    Ok(printable_json(&judged.emit_with(why.as_deref(), more.as_slice())))
}
