//! `diff`: what two files have of each session.

use clap::Args;
use mx_megolm::Comparison;
use mx_room_key::ExportedSessionData;

use super::{
    copies::{Copies, Passes, Taken, compare},
    merge::open_all,
    refused::Refused,
};
use crate::{
    failure::{Failure, Verdict, warn},
    key_file::KeyFile,
    output::Output,
    passphrase::Descriptor,
    place::Place,
    record::{Record, printable},
    table::{Column, Table},
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Read the passphrase of a FILE from this file descriptor; given once for each FILE, in their order
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse)]
    passphrase_fd: Vec<Descriptor>,
    /// The first and the second key file
    #[arg(value_name = "FILE", num_args = 2, required = true)]
    files: Vec<Place>,
}

pub(super) fn diff(arguments: &Arguments, json: bool) -> Result<Verdict, Failure> {
    let Ok([mut first, mut second]) =
        <[KeyFile; 2]>::try_from(open_all(&arguments.files, &arguments.passphrase_fd)?)
    else {
        return Err(Failure::misused("two files can be compared"));
    };
    let names = [first.name().to_owned(), second.name().to_owned()];
    let [first_name, second_name] = &names;
    let mut refused = [Refused::of(first_name), Refused::of(second_name)];
    let [first_refused, second_refused] = &mut refused;
    let passes = Passes::for_files(first.len().saturating_add(second.len()));
    let mut report =
        Report { out: Output::standard(), table: Table::new(COLUMNS, json), counts: [0; KINDS.len()] };
    for pass in passes.all() {
        let mut of_first = load(&passes, pass, &mut first, first_refused)?;
        let of_second = load(&passes, pass, &mut second, second_refused)?;
        for held in of_second.iter() {
            let of_first = of_first.remove(&held.session);
            report.of(of_first.as_ref().map(|held| &held.session), Some(&held.session))?;
        }
        for held in of_first.iter() {
            report.of(Some(&held.session), None)?;
        }
    }
    let refused: u64 = refused.iter().map(Refused::count).sum();
    let Report { mut out, counts, .. } = report;
    let mut total = Record::new().with("first", first_name.as_str()).with("second", second_name.as_str());
    for (kind, count) in KINDS.iter().zip(counts) {
        total = total.with(kind.name, count);
    }
    let total = total.with("refused", refused);
    if json {
        out.line(&total.to_json())?;
    } else {
        out.text(&format!("\n{}", total.to_text()))?;
    }
    out.commit()?;
    let all_equal = KINDS.iter().zip(counts).all(|(kind, count)| *kind == EQUAL || count == 0);
    Ok(if refused == 0 && all_equal { Verdict::Good } else { Verdict::Bad })
}

/// The best copy that a file has of each session of a pass.
fn load(
    passes: &Passes,
    pass: u64,
    file: &mut KeyFile,
    refused: &mut Refused<'_>,
) -> Result<Copies, Failure> {
    let mut copies = Copies::default();
    let name = file.name().to_owned();
    passes.read(pass, file, refused, |session| {
        let (room_id, session_id) = (session.room_id().to_owned(), session.session_id());
        if let Taken::Unconnected { .. } = copies.take(session, 0) {
            warn(printable(&format!(
                "{name} has two sessions with the ID {session_id} in {room_id}; the one that comes first is compared"
            )));
        }
    })?;
    Ok(copies)
}

#[derive(Debug)]
struct Report {
    out: Output,
    table: Table,
    counts: [u64; KINDS.len()],
}

impl Report {
    fn of(
        &mut self,
        first: Option<&ExportedSessionData<'_>>,
        second: Option<&ExportedSessionData<'_>>,
    ) -> Result<(), Failure> {
        let kind = match (first, second) {
            (Some(first), Some(second)) => match compare(first, second) {
                Comparison::Equal if first.session.shared_history == second.session.shared_history => EQUAL,
                Comparison::Equal => OTHER_SHARED_HISTORY,
                Comparison::Better => EARLIER_IN_FIRST,
                Comparison::Worse => EARLIER_IN_SECOND,
                Comparison::Unconnected => UNCONNECTED,
            },
            (Some(_), None) => ONLY_IN_FIRST,
            (None, _) => ONLY_IN_SECOND,
        };
        for (counted, count) in KINDS.iter().zip(&mut self.counts) {
            *count += u64::from(*counted == kind);
        }
        let Some(session) = first.or(second).filter(|_| kind != EQUAL) else { return Ok(()) };
        let index = |of: Option<&ExportedSessionData<'_>>| {
            of.map(|session| session.session.session_key.first_known_index())
        };
        let record = Record::new()
            .with("room_id", session.room_id())
            .with("session_id", session.session_id().as_str())
            .with("difference", kind.text)
            .with("first_index", index(first))
            .with("second_index", index(second));
        self.table.row(&mut self.out, &record)
    }
}

/// How a session stands in the two files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Kind {
    /// Of the count.
    name: &'static str,
    /// In a row.
    text: &'static str,
}

const EQUAL: Kind = Kind { name: "equal", text: "equal" };
const ONLY_IN_FIRST: Kind = Kind { name: "only_in_first", text: "only in first" };
const ONLY_IN_SECOND: Kind = Kind { name: "only_in_second", text: "only in second" };
const EARLIER_IN_FIRST: Kind = Kind { name: "earlier_in_first", text: "earlier in first" };
const EARLIER_IN_SECOND: Kind = Kind { name: "earlier_in_second", text: "earlier in second" };
const OTHER_SHARED_HISTORY: Kind = Kind { name: "other_shared_history", text: "other shared_history" };
const UNCONNECTED: Kind = Kind { name: "unconnected", text: "unconnected" };
const KINDS: [Kind; 7] = [
    EQUAL,
    ONLY_IN_FIRST,
    ONLY_IN_SECOND,
    EARLIER_IN_FIRST,
    EARLIER_IN_SECOND,
    OTHER_SHARED_HISTORY,
    UNCONNECTED,
];

const COLUMNS: &[Column] = &[
    Column { name: "room_id", width: 40 },
    Column { name: "session_id", width: 43 },
    Column { name: "difference", width: 20 },
    Column { name: "first_index", width: 11 },
    Column { name: "second_index", width: 12 },
];
