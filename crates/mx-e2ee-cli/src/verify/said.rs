//! What is told while a verification goes on: text on standard error, or a line of JSON for each event on standard output.

use std::io::{self, Write as _};

use mx_sas::Language;
use mx_verification::Emoji;
use serde_json::json;

use crate::{
    failure::{self, Failure},
    record::{Record, printable},
};

#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) json: bool,
    pub(super) language: Language,
}

impl Said {
    /// One event. As JSON it has its name and what belongs to it.
    pub(super) fn tell(self, event: &'static str, text: &str, more: Record) -> Result<(), Failure> {
        if !self.json {
            failure::tell(&(printable(text) + "\n"));
            return Ok(());
        }
        line(&Record::new().with("event", event).followed_by(more).with("text", text))
    }

    /// What both sides must see alike: the numbers, and each emoji with its word, on lines that a tab stop aligns, because
    /// terminals differ in how wide an emoji is.
    pub(super) fn short_string(
        self,
        decimal: Option<[u16; 3]>,
        emoji: Option<[Emoji; 7]>,
    ) -> Result<(), Failure> {
        if !self.json {
            failure::tell(&self.drawn(decimal, emoji));
            return Ok(());
        }
        let emoji = emoji.map(|emoji| {
            emoji.map(|emoji| {
                json!({
                    "index": emoji.index(),
                    "symbol": emoji.symbol(),
                    "description": emoji.description_in(self.language),
                })
            })
        });
        let record = Record::new().with("event", "short_string");
        line(&record.with("decimal", json!(decimal)).with("emoji", json!(emoji)))
    }

    fn drawn(self, decimal: Option<[u16; 3]>, emoji: Option<[Emoji; 7]>) -> String {
        let mut text = "\nCompare with what the other device shows:\n\n".to_owned();
        for (number, emoji) in emoji.iter().flatten().enumerate() {
            let word = emoji.description_in(self.language);
            text.push_str(&format!("    {}  {}\t{word}\n", number + 1, emoji.symbol()));
        }
        if let Some([a, b, c]) = decimal {
            let or = if emoji.is_some() { "\n    or the numbers  " } else { "    " };
            text.push_str(&format!("{or}{a}  {b}  {c}\n"));
        }
        text + "\n"
    }
}

pub(super) fn line(record: &Record) -> Result<(), Failure> {
    print(&(record.to_json() + "\n"))
}

/// At once: somebody waits for it; and also when Ctrl-C was pressed.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::ReaderLeft,
        _ => Failure::input_output("cannot write standard output", &error),
    })
}
