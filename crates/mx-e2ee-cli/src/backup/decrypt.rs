//! `decrypt`: an answer becomes a key file, entry by entry.

use std::io;

use clap::Args;
use embedded_io_adapters::std::FromStd;
use mx_key_backup::{AnswerError, DecryptError, Entry, EntryError, KeysAnswer, RestoredSession};
use mx_types::{RoomId, SessionId};
use serde_json::Value;

use super::key;
use crate::{
    failure::{Failure, Verdict, warn},
    input::Input,
    key_file::Source,
    keys::target::{Target, Writer},
    output::Output,
    passphrase::Descriptor,
    place::Place,
    progress::{Progress, Watched},
    record::{Record, printable},
    table::{Column, Table},
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Read the key of the backup from this file descriptor instead of asking
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse)]
    key_fd: Option<Descriptor>,
    /// The answer to GET /room_keys/version: the key must be that of this backup
    #[arg(long, value_name = "FILE")]
    auth_data: Option<Place>,
    /// KEYS is the answer for this room
    #[arg(long, value_name = "ROOM_ID")]
    room: Option<String>,
    /// KEYS is the answer for this session of the room
    #[arg(long, value_name = "SESSION_ID", requires = "room")]
    session: Option<String>,
    /// An answer to GET /room_keys/keys
    #[arg(value_name = "KEYS")]
    keys: Place,
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(arguments: &Arguments, json: bool) -> Result<Verdict, Failure> {
    let Arguments { key_fd, auth_data, room, session, keys, target } = arguments;
    if *keys == Place::Standard && *auth_data == Some(Place::Standard) {
        return Err(Failure::misused("only one file can come from standard input"));
    }
    let output = target.protection.create(&target.output)?;
    let auth_data = auth_data.as_ref().map(key::auth_data).transpose()?;
    let input = Input::open(keys)?;
    let name = input.name().to_owned();
    let key = key::read(*key_fd, auth_data.as_ref())?;
    let export_keys = target.protection.choose(output.name())?;

    // Where the key file goes to standard output, the report does not.
    let mut rows = if output.is_standard() { Output::standard_error() } else { Output::standard() };
    let progress = Progress::of_bytes(&format!("decrypting {name}"), input.len()).beside(&rows);
    let source = FromStd::new(Watched::new(input, progress));
    let mut answer = answer(source, room.as_deref(), session.as_deref())?;
    let mut writer = Writer::new(&export_keys, output)?;
    let mut table = Table::new(COLUMNS, json);
    let mut counts = Counts::default();
    let end = loop {
        let entry = match answer.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => break None,
            Err(error) => break Some(error),
        };
        let session = entry.decrypt(&key);
        table.row(&mut rows, &counts.judge(&entry, &session))?;
        if let Ok(session) = session {
            writer.write(&session.into_exported())?;
        }
    };
    drop(answer);
    if let Some(error) = &end {
        // What came before it is good; what is no answer at all has nothing before it.
        let failure = failure(&name, error);
        if counts.entries == 0 || matches!(error, AnswerError::Source(_)) {
            return Err(failure);
        }
        warn(printable(failure.message().unwrap_or_default()));
    }
    if counts.entries > 0 && counts.undecryptable == counts.entries {
        rows.commit()?;
        return Err(Failure::refused(format!(
            "{name}: nothing was decrypted; is it the key of this backup? --auth-data tells"
        )));
    }
    rows.commit()?;
    let report = counts.record().with("complete", end.is_none()).with("authenticated", false);
    writer.finish(&report, json)?;
    let is_good = end.is_none() && counts.restored == counts.entries;
    Ok(if is_good { Verdict::Good } else { Verdict::Bad })
}

fn answer(source: Source, room: Option<&str>, session: Option<&str>) -> Result<KeysAnswer<Source>, Failure> {
    let Some(room) = room else { return Ok(KeysAnswer::of_all(source)) };
    let room_id = RoomId::parse(room).map_err(|error| Failure::misused(format!("--room: {error}")))?;
    let Some(session) = session else { return Ok(KeysAnswer::of_room(source, room_id)) };
    let session_id = SessionId::parse(session);
    let session_id = session_id.map_err(|error| Failure::misused(format!("--session: {error}")))?;
    Ok(KeysAnswer::of_session(source, room_id, session_id))
}

fn failure(name: &str, error: &AnswerError<io::Error>) -> Failure {
    match error {
        AnswerError::Source(error) => Failure::input_output(format!("cannot read {name}"), error),
        AnswerError::Missing { member: member @ "rooms" } => Failure::refused(format!(
            "{name}: the answer has no member {member}; if it is that of one room or session, name it: --room, --session"
        )),
        error => Failure::refused(format!("{name}: {error}")),
    }
}

const COLUMNS: &[Column] = &[
    Column { name: "entry", width: 7 },
    Column { name: "room_id", width: 40 },
    Column { name: "session_id", width: 43 },
    Column { name: "verdict", width: 17 },
    Column { name: "first_known_index", width: 17 },
    Column { name: "why", width: 30 },
];

/// How the entries were judged.
#[derive(Debug, Default)]
struct Counts {
    entries: u64,
    restored: u64,
    undecryptable: u64,
    unknown_algorithm: u64,
    refused: u64,
}

impl Counts {
    fn judge(&mut self, entry: &Entry<'_>, session: &Result<RestoredSession<'_>, EntryError>) -> Record {
        self.entries += 1;
        let (count, verdict) = match session {
            Ok(_) => (&mut self.restored, "restored"),
            Err(EntryError::Decrypt(DecryptError::Undecryptable)) => {
                (&mut self.undecryptable, "not decrypted")
            }
            Err(error) if error.is_unknown_algorithm() => (&mut self.unknown_algorithm, "unknown algorithm"),
            Err(_) => (&mut self.refused, "refused"),
        };
        *count += 1;
        let record = Record::new()
            .with("entry", entry.position())
            .with("room_id", entry.room_id())
            .with("session_id", entry.session_id())
            .with("verdict", verdict);
        match session {
            Ok(session) => record
                .with("first_known_index", session.data().session_key.first_known_index())
                .with("authenticated", false),
            Err(error) => record.with("first_known_index", Value::Null).with("why", error.to_string()),
        }
    }

    fn record(&self) -> Record {
        Record::new()
            .with("entries", self.entries)
            .with("not_decrypted", self.undecryptable)
            .with("unknown_algorithm", self.unknown_algorithm)
            .with("refused", self.refused)
    }
}
