//! `verify`: emoji compared with another device, or a code scanned, by hand.

mod answers;
mod book;
mod clock;
mod code;
mod end;
mod events;
mod folder;
mod mail;
mod mailbox;
mod questions;
mod said;
mod sign;
mod talk;

use core::time::Duration;
use std::path::PathBuf;

use clap::Args;
use mx_sas::Language;
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use mx_verification::{Config, Limits, Verifications};

use self::{
    answers::Answers,
    book::Book,
    clock::Clock,
    code::{Code, Display},
    end::End,
    mail::Mail,
    said::Said,
    sign::{Secrets, Signed},
    talk::{Now, Plan, Talk},
};
use crate::{
    failure::{Failure, Verdict},
    homeserver::{Client, Server},
    identity::{
        asking::{query, who_am_i},
        own::{Own, fingerprint, user_id},
    },
    input::Input,
    interrupt,
    passphrase::Descriptor,
    place::Place,
    record::Record,
};

pub(crate) const AFTER_HELP: &str = "\
Both sides run this, or one of them a client that takes such requests from device to device. Messages go
through a homeserver, or through files in an empty folder. The client whose access token is used must not
run meanwhile. What is verified are the keys of --fingerprint, --own and the answer to /keys/query.

Examples:
  mx-e2ee verify --homeserver https://matrix.example.org --token-fd 3 --fingerprint lQ+e... @bob:example.com
  mx-e2ee verify --own @me:example.org --device PHONE --fingerprint lQ+e... --keys-query keys.json \\
      --exchange DIR --wait @me:example.org

Exit code 1: cancelled, refused, timed out, or not the same; nothing was verified then.";

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Whom to verify; your own user ID for another device of yours
    #[arg(value_parser = user_id)]
    user: String,
    /// A device to ask, or that may ask; may be given several times
    #[arg(long, value_name = "ID")]
    with: Vec<String>,
    /// Wait to be asked
    #[arg(long)]
    wait: bool,
    /// Your user, and your master signing key if you have verified it
    #[arg(long, value_name = "USER[=KEY]", value_parser = Own::parse, required_unless_present = "homeserver")]
    own: Option<Own>,
    /// Your device; without it, that of the access token
    #[arg(long, value_name = "ID", required_unless_present = "homeserver")]
    device: Option<String>,
    /// Your device's Ed25519 key, as the device itself shows it
    #[arg(long, value_name = "KEY", value_parser = fingerprint)]
    fingerprint: Ed25519PublicKey,
    /// Exchange messages through this folder
    #[arg(long, value_name = "DIR", required_unless_present = "homeserver", conflicts_with = "homeserver")]
    exchange: Option<PathBuf>,
    /// An answer to /keys/query with the keys of both
    #[arg(long, value_name = "FILE", required_unless_present = "homeserver", conflicts_with = "homeserver")]
    keys_query: Option<Place>,
    #[command(flatten)]
    server: Server,
    /// Show a code to be scanned instead, in the terminal or as a new .svg or .png
    #[arg(
        long, value_name = "PICTURE", num_args = 0..=1, require_equals = true, default_missing_value = "-",
        value_parser = Display::parse, conflicts_with = "scan_qr"
    )]
    show_qr: Option<Display>,
    /// Scan the other device's code instead, once this picture of it is there
    #[arg(long, value_name = "PICTURE")]
    scan_qr: Option<PathBuf>,
    /// The language of the emoji's words, such as de
    #[arg(long, value_name = "TAG", value_parser = language, default_value = "en")]
    language: Language,
    /// Read the answer from this file descriptor: the other device's numbers
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse)]
    answer_fd: Option<Descriptor>,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600), default_value = "600")]
    timeout: u64,
    /// Sign what was verified, with the key in secret storage
    #[arg(long)]
    sign: bool,
    #[command(flatten)]
    secrets: Secrets,
}

pub(crate) fn run(arguments: &Arguments, json: bool) -> Result<Verdict, Failure> {
    let said = Said { json, language: arguments.language };
    let client = arguments.server.client()?;
    let (own, device_id) = who(arguments, client.as_ref())?;
    let peer = &arguments.user;
    arguments.secrets.check(arguments.sign, client.is_some())?;

    let mut book = Book::new(&own, &device_id, arguments.fingerprint)?;
    let users = [own.user_id.as_str(), peer];
    let answer = match (&client, &arguments.keys_query) {
        (Some(client), _) => query(client, &users)?,
        (None, Some(place)) => Input::open(place)?.read_text(MAX_ANSWER_LEN)?,
        (None, None) => return Err(Failure::misused("--keys-query is needed, or --homeserver")),
    };
    book.learn(&answer, &users)?;
    book.check(peer)?;
    let devices = match (arguments.wait, arguments.with.as_slice()) {
        (true, []) => Vec::new(),
        (_, named) => book.devices_to_ask(peer, named)?,
    };
    if arguments.sign {
        arguments.secrets.open(client.as_ref(), &mut book, &own, peer, said)?;
    }

    let mail = match (&client, &arguments.exchange) {
        (Some(client), _) => Mail::server(client)?,
        (None, Some(folder)) => Mail::folder(folder, &own.user_id, &device_id)?,
        (None, None) => return Err(Failure::misused("--exchange is needed, or --homeserver")),
    };
    let answers = Answers::open(arguments.answer_fd);
    if !answers.are_possible() && arguments.scan_qr.is_none() {
        return Err(Failure::misused(
            "somebody must compare: standard input is no terminal; give the other device's numbers by --answer-fd",
        ));
    }
    let talk = Talk {
        plan: Plan {
            own: own.user_id.clone(),
            peer: peer.clone(),
            devices,
            waits: arguments.wait,
            code: code_of(arguments),
            patience: Duration::from_secs(arguments.timeout),
        },
        verifications: verifications(arguments, &own, &device_id)?,
        book: &mut book,
        mail,
        said,
        answers,
        clock: Clock::start(),
        now: Now::default(),
    };
    let end = talk.run()?;
    let signed = match &end {
        End::Verified { .. } if arguments.sign && interrupt::is_interrupted() => Err(Failure::Interrupted),
        End::Verified { verified, .. } if arguments.sign => {
            Signed::make(&mut book, verified, client.as_ref())
        }
        _ => Ok(Signed::Nothing),
    };
    report(&end, &signed, json)?;
    match (end, signed?) {
        (End::Not { .. }, _) | (_, Signed::NotShown) => Ok(Verdict::Bad),
        (End::Verified { .. }, _) => Ok(Verdict::Good),
    }
}

/// Our user and device.
fn who(arguments: &Arguments, client: Option<&Client>) -> Result<(Own, String), Failure> {
    let me = client.map(who_am_i).transpose()?;
    let own = match (&arguments.own, &me) {
        (Some(own), Some(me)) if own.user_id != me.user_id => {
            return Err(Failure::refused(format!(
                "the access token is that of {}, not of {}",
                me.user_id, own.user_id
            )));
        }
        (Some(own), _) => own.clone(),
        (None, Some(me)) => Own { user_id: me.user_id.clone(), verified: None },
        (None, None) => return Err(Failure::misused("--own is needed")),
    };
    let of_token = me.and_then(|me| me.device_id);
    match (&arguments.device, of_token) {
        // Messages come to the device of the token only.
        (Some(named), Some(device_id)) if *named != device_id => {
            Err(Failure::refused(format!("the access token is that of device {device_id}, not of {named}")))
        }
        (None, None) | (Some(_), None) if client.is_some() => {
            Err(Failure::refused("the access token belongs to no device"))
        }
        (Some(device_id), _) => Ok((own, device_id.clone())),
        (None, Some(device_id)) => Ok((own, device_id)),
        (None, None) => Err(Failure::misused("--device is needed")),
    }
}

fn code_of(arguments: &Arguments) -> Code {
    match (&arguments.show_qr, &arguments.scan_qr) {
        (Some(display), _) => Code::Show(display.clone()),
        (None, Some(path)) => Code::Scan(path.clone()),
        (None, None) => Code::No,
    }
}

fn verifications(arguments: &Arguments, own: &Own, device_id: &str) -> Result<Verifications, Failure> {
    let time = arguments.timeout.saturating_mul(1_000);
    let limits = Limits { lifetime_ms: time, idle_ms: time, prompt_ms: time, ..Limits::DEFAULT };
    let config = Config {
        show_qr: arguments.show_qr.is_some(),
        scan_qr: arguments.scan_qr.is_some(),
        limits,
        ..Config::DEFAULT
    };
    let user_id = UserId::parse(&own.user_id).map_err(Failure::misused)?;
    let device_id = DeviceId::parse(device_id).map_err(Failure::misused)?;
    Ok(Verifications::new(user_id, device_id, arguments.fingerprint, config))
}

/// What was verified is told also where signing has failed.
fn report(end: &End, signed: &Result<Signed, Failure>, json: bool) -> Result<(), Failure> {
    let mut record = end.record();
    match signed {
        Ok(Signed::Nothing) => {}
        Ok(Signed::Sent) => record = record.with("signed", "and sent; the server shows it"),
        Ok(Signed::NotShown) => record = record.with("signed", "and sent; the server does not show it"),
        Ok(Signed::Body(body)) => record = record.with("signatures_upload", body.as_str()),
        Err(_) => record = record.with("signed", "no"),
    }
    if json {
        return said::line(&Record::new().with("event", "end").followed_by(record));
    }
    said::print(&record.to_text())
}

fn language(tag: &str) -> Result<Language, String> {
    Language::of_tag(tag).ok_or_else(|| {
        let tags: Vec<_> = Language::all().map(Language::tag).collect();
        format!("there are words in: {}", tags.join(", "))
    })
}

/// Of two users.
const MAX_ANSWER_LEN: usize = 256 << 20;
