//! `info`, `list` and `verify`: nothing is written but a report.

use super::{
    One,
    refused::Refused,
    rooms::{self, Rooms},
    rows,
    selection::Selection,
};
use crate::{
    failure::{Failure, Verdict},
    key_file::{self, KeyFile},
    output::Output,
    record::Record,
    table::Table,
};

pub(super) fn info(one: &One, json: bool) -> Result<Verdict, Failure> {
    let mut file = KeyFile::open(&one.file, one.passphrase_fd)?;
    let (name, rounds) = (file.name().to_owned(), file.rounds());
    let mut refused = Refused::of(&name);
    let mut rooms = Rooms::default();
    let mut sessions = file.sessions()?;
    while let Some(session) = sessions.next_session().map_err(|error| key_file::failure(&name, &error))? {
        match session {
            Ok(session) => rooms.count(&session),
            Err(error) => refused.note(&error),
        }
    }
    drop(sessions);
    let total = Record::new().with("file", name.as_str()).with("rounds", rounds);
    let total = total.followed_by(rooms.total()).with("refused", refused.count());
    let mut out = Output::standard();
    let mut table = Table::new(rooms::COLUMNS, json);
    for room in rooms.records() {
        table.row(&mut out, &room)?;
    }
    report(&mut out, &total, json)?;
    out.commit()?;
    Ok(refused.verdict())
}

pub(super) fn list(selection: &Selection, one: &One, json: bool) -> Result<Verdict, Failure> {
    let mut file = KeyFile::open(&one.file, one.passphrase_fd)?;
    let name = file.name().to_owned();
    let mut refused = Refused::of(&name);
    let mut out = Output::standard();
    let mut table = Table::new(rows::COLUMNS, json);
    let mut sessions = file.sessions()?;
    while let Some(session) = sessions.next_session().map_err(|error| key_file::failure(&name, &error))? {
        match session {
            Ok(session) if selection.has(&session) => table.row(&mut out, &rows::record(&session))?,
            Ok(_) => {}
            Err(error) => refused.note(&error),
        }
    }
    out.commit()?;
    Ok(refused.verdict())
}

pub(super) fn verify(one: &One, json: bool) -> Result<Verdict, Failure> {
    let mut file = KeyFile::open(&one.file, one.passphrase_fd)?;
    let record = Record::new().with("file", file.name()).with("rounds", file.rounds());
    drop(file.sessions()?);
    let mut out = Output::standard();
    report(&mut out, &record.with("authentic", true), json)?;
    out.commit()?;
    Ok(Verdict::Good)
}

/// What is said of a whole file, after what was said of its parts.
fn report(out: &mut Output, record: &Record, json: bool) -> Result<(), Failure> {
    if json { out.line(&record.to_json()) } else { out.text(&format!("\n{}", record.to_text())) }
}
