//! `message`: what messages and session keys say of themselves.

mod describe;
mod json;

use clap::Subcommand;
use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Verdict},
    input::Input,
    output::Output,
    place::Place,
    record::Record,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what a message or a session key says of itself
    #[command(after_help = "\
Takes Olm messages, Megolm messages and session keys (sharing and export format), as Base64 or as
JSON: m.room.encrypted and m.room_key events or their content, exported sessions, or many of them.
Prints indices, public keys, lengths and session IDs, and no secret; checks signatures where it can.

Examples:
  mx-e2ee message explain event.json
  mx-e2ee message explain --json <message.txt

There is no argument for the text itself: session keys are secrets, and others can read command lines.")]
    Explain {
        /// A file
        #[arg(value_name = "FILE", default_value = "-")]
        input: Place,
    },
}

pub(crate) fn run(command: Command, json: bool) -> Result<Verdict, Failure> {
    let Command::Explain { input } = command;
    let mut input = Input::open(&input)?;
    let bytes = input.read_to_limit(MAX_LEN)?;
    let text = core::str::from_utf8(&bytes);
    let text = text.map_err(|_| Failure::refused(format!("{} is not text", input.name())))?.trim();
    let explanations = match text.as_bytes().first() {
        None => return Err(Failure::refused(format!("{} is empty", input.name()))),
        Some(b'{' | b'[' | b'"') => json::explain(text),
        Some(_) => vec![describe::base64(&without_space(text))],
    };
    let mut out = Output::standard();
    let mut verdict = Verdict::Good;
    for (at, Explanation { record, is_good }) in explanations.iter().enumerate() {
        if json {
            out.line(&record.to_json())?;
        } else {
            out.text(if at == 0 { "" } else { "\n" })?;
            out.text(&record.to_text())?;
        }
        if !is_good {
            verdict = Verdict::Bad;
        }
    }
    out.commit()?;
    Ok(verdict)
}

/// What there is to say of one message or key, and whether it is as it should be.
#[derive(Debug)]
struct Explanation {
    record: Record,
    is_good: bool,
}

impl Explanation {
    const fn good(record: Record) -> Self {
        Self { record, is_good: true }
    }

    fn not_understood(why: impl core::fmt::Display) -> Self {
        Self {
            record: Record::new().with("what", "not understood").with("why", why.to_string()),
            is_good: false,
        }
    }

    /// What stands around it goes before what it says itself.
    fn within(self, context: &Record) -> Self {
        Self { record: context.clone().followed_by(self.record), is_good: self.is_good }
    }
}

/// An event has 64 KiB at most; this is room for a few.
const MAX_LEN: usize = 1024 * 1024;

/// Base64 that was copied from somewhere that breaks lines.
fn without_space(text: &str) -> Zeroizing<String> {
    let mut joined = Zeroizing::new(String::with_capacity(text.len()));
    joined.extend(text.chars().filter(|c| !c.is_ascii_whitespace()));
    joined
}
