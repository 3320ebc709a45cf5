//! `identity audit`: who signed what in answers to `/keys/query`, and what follows from it.

mod auditor;
mod dot;
mod finding;
mod report;
mod signature;
mod signers;
mod summary;
mod text;
mod trust;

use std::collections::BTreeMap;

use self::{auditor::Auditor, report::Report};
use super::own::{Own, Pin};
use crate::{
    failure::{self, Failure, Verdict},
    input::Input,
    output::Output,
    place::Place,
    progress::Progress,
};
use clap::Args;
use mx_signing::KeysQueryResponse;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Look from this user's identity, which USER has verified if the master signing key is named
    #[arg(long, value_name = "USER[=KEY]", value_parser = Own::parse)]
    own: Option<Own>,
    /// What a user's master signing key must be; may be given again for others
    #[arg(long, value_name = "USER=KEY", value_parser = Pin::parse)]
    pin: Vec<Pin>,
    /// Draw a picture for Graphviz
    #[arg(long, conflicts_with = "json")]
    dot: bool,
    /// Say of each object which bytes its signatures must cover, and not only where one fails
    #[arg(long, conflicts_with = "dot")]
    bytes: bool,
    /// With more devices than this, nothing of a user is taken
    #[arg(long, value_name = "COUNT", default_value_t = mx_cross_signing::DEFAULT_MAX_DEVICES)]
    max_devices: usize,
    /// Answers to /keys/query
    #[arg(value_name = "KEYS_QUERY", required = true)]
    files: Vec<Place>,
}

pub(super) fn run(arguments: &Arguments, json: bool) -> Result<Verdict, Failure> {
    let mut pins = BTreeMap::new();
    for Pin { user_id, key } in &arguments.pin {
        if pins.insert(user_id.clone(), *key).is_some_and(|other| other != *key) {
            return Err(Failure::misused(format!("{user_id} is pinned to two keys")));
        }
    }
    if let Some(own) = &arguments.own
        && pins.contains_key(&own.user_id)
    {
        let user_id = &own.user_id;
        return Err(Failure::misused(format!("{user_id} is your own: --own {user_id}=KEY, and no --pin")));
    }
    let mut auditor = Auditor::new(arguments.own.as_ref(), pins, arguments.max_devices)?;
    let mut report = Report::new(Output::standard(), arguments.dot, json, arguments.bytes);
    for (at, place) in arguments.files.iter().enumerate() {
        let mut input = Input::open(place)?;
        let text = input.read_text(MAX_ANSWER_LEN)?;
        let response = KeysQueryResponse::parse(&text).map_err(|error| {
            let why = match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
                Err(error) => format!("it is not JSON: {error}"),
                Ok(_) => format!("it is no answer to /keys/query, which is an object: {error}"),
            };
            Failure::refused(format!("{}: {why}", input.name()))
        })?;
        let users = response.user_ids();
        if users.is_empty() {
            let why = "it is no answer to /keys/query, or one about nobody";
            return Err(Failure::refused(format!("{}: {why}", input.name())));
        }
        report.answer(input.name(), arguments.files.len())?;
        let progress = Progress::of_steps("auditing", u64::try_from(users.len()).unwrap_or(u64::MAX));
        let progress = progress.beside(report.output());
        auditor.answer(&response, &users, &progress, &mut |finding| report.add(&finding))?;
        auditor.remember(at + 1 < arguments.files.len());
    }
    for finding in auditor.missing() {
        report.add(&finding)?;
    }
    let summary = report.finish()?;
    failure::tell(&summary.to_text(json));
    Ok(if summary.is_good() { Verdict::Good } else { Verdict::Bad })
}

/// An answer about 10^5 devices has some 100 MB.
const MAX_ANSWER_LEN: usize = 1 << 30;
