//! `sas`: the values of a verification by short authentication string, and whether recorded messages fit them.

mod checks;
mod document;
mod macs;
mod transcript;

use clap::Args;
use mx_sas::Language;

use crate::{
    failure::{Failure, Verdict},
    input::Input,
    output::Output,
    place::Place,
    record::Record,
};

#[derive(Args, Debug)]
#[command(after_help = "\
To debug another client, not to verify anybody: it needs the secret of a verification.
{\"starter\":{\"user_id\":\"@a:x\",\"device_id\":\"A\",\"private_key\":\"BASE64\",\"keys\":{\"ed25519:A\":\"BASE64\"}},
 \"accepter\":{\"user_id\":\"@b:x\",\"device_id\":\"B\",\"public_key\":\"BASE64\",\"keys\":{\"ed25519:B\":\"BASE64\"}},
 \"messages\":[{\"type\":\"m.key.verification.start\",\"content\":{...}},...],
 \"flow_id\":\"ID\",\"shared_secret\":\"BASE64\",\"displayed\":{\"decimal\":[1,2,3],\"emoji\":[1,2,3,4,5,6,7]}}
Only starter and accepter must be there, and an ID, here or in a message. One private key and the other
side's public key, or the shared secret with both public keys, are enough; keys may be hexadecimal.
Messages are start, accept, key and mac, whole events or type and content, in the order in which they were
sent. Where both sides are one user, \"by\":\"starter\" or \"accepter\" says whose a message is.

Prints what is derived, each value with what it is derived from, and a verdict on each recorded one. The
exit code is 1 if one does not fit. Private keys and the shared secret are not printed.

Examples:
  mx-e2ee sas transcript.json
  mx-e2ee sas --language de --json <transcript.json")]
pub(crate) struct Sas {
    /// The transcript
    #[arg(value_name = "FILE", default_value = "-")]
    input: Place,
    /// Words for the emoji in this language, such as de or pt-BR
    #[arg(long, value_name = "TAG", value_parser = language, default_value = "en")]
    language: Language,
}

fn language(tag: &str) -> Result<Language, String> {
    Language::of_tag(tag).ok_or_else(|| {
        let tags: Vec<_> = Language::all().map(Language::tag).collect();
        format!("there are words in {}", tags.join(", "))
    })
}

pub(crate) fn run(sas: &Sas, json: bool) -> Result<Verdict, Failure> {
    let mut input = Input::open(&sas.input)?;
    let bytes = input.read_to_limit(MAX_LEN)?;
    let refused = |why: String| Failure::refused(format!("{}: {why}", input.name()));
    let text = core::str::from_utf8(&bytes).map_err(|_| refused("not text in UTF-8".to_owned()))?;
    let document = document::Document::parse(text).map_err(refused)?;
    let transcript = transcript::Transcript::of(&document).map_err(refused)?;
    let findings = transcript.findings(sas.language).map_err(refused)?;

    let mut out = Output::standard();
    for (at, record) in findings.records.iter().enumerate() {
        if json {
            out.line(&record.to_json())?;
        } else {
            out.text(if at == 0 { "" } else { "\n" })?;
            out.text(&record.to_text())?;
        }
    }
    out.commit()?;
    Ok(if findings.all_fit { Verdict::Good } else { Verdict::Bad })
}

/// What is reported, in an order.
struct Findings {
    records: Vec<Record>,
    all_fit: bool,
}

impl Findings {
    fn add(&mut self, record: Record) {
        self.records.push(record);
    }

    /// A recorded value beside the one that was calculated; `guess` looks for the mistake.
    fn compare(
        &mut self,
        about: Record,
        recorded: &str,
        calculated: &str,
        guess: impl FnOnce() -> Option<String>,
    ) {
        // Padding is no part of a value.
        let fits = recorded.trim_end_matches('=') == calculated.trim_end_matches('=');
        let record =
            about.with("verdict", if fits { "fits" } else { "DOES NOT FIT" }).with("recorded", recorded);
        self.add(if fits {
            record
        } else {
            let why = guess().unwrap_or_else(|| "no known mistake leads to it".to_owned());
            record.with("calculated", calculated).with("why", why)
        });
        self.all_fit &= fits;
    }

    fn misfit(&mut self, about: Record, why: impl core::fmt::Display) {
        self.add(about.with("verdict", "DOES NOT FIT").with("why", why.to_string()));
        self.all_fit = false;
    }

    fn not_checked(&mut self, about: Record, why: &str) {
        self.add(about.with("verdict", "not checked").with("why", why));
    }
}

/// Of events of at most 64 KiB, a few.
const MAX_LEN: usize = 1024 * 1024;
