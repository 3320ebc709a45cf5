//! `identity bootstrap`: cross-signing keys, secret storage and a key backup for an account that has none.

mod existing;
mod new_key;
mod request;
mod send;
mod setup;

use clap::Args;
use mx_signing::KeysQueryResponse;
use mx_types::{DeviceId, Ed25519PublicKey, UserId};

use self::{
    existing::Checked,
    new_key::{NewKey, NewKeyArguments},
    setup::{Setup, ToSign, Wanted},
};
use super::{
    account_data::AccountData,
    asking::{WhoAmI, query, who_am_i},
    own::fingerprint,
    viewer::viewer,
};
use crate::{
    failure::{Failure, Verdict, warn},
    homeserver::{Answer, Client, Server},
    input::Input,
    output::{Output, Replace},
    passphrase::Descriptor,
    place::Place,
    record::Record,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Whose account; with --homeserver that of the access token
    #[arg(long, value_name = "USER", value_parser = user_id, required_unless_present = "homeserver")]
    own: Option<String>,
    /// Sign this device with the new keys: it must be in the answer to /keys/query
    #[arg(long, value_name = "ID")]
    device: Option<String>,
    /// The device's Ed25519 key as the device shows it, or the server's word is taken
    #[arg(long, value_name = "KEY", value_parser = fingerprint, requires = "device")]
    fingerprint: Option<Ed25519PublicKey>,
    /// An answer to /keys/query with the user in it
    #[arg(long, value_name = "FILE", conflicts_with = "homeserver")]
    keys_query: Option<Place>,
    /// A folder with a file for each type of account data, or a JSON document
    #[arg(long, value_name = "PATH", conflicts_with = "homeserver")]
    account_data: Option<Place>,
    /// The answer to GET /room_keys/version: an error where there is no backup
    #[arg(long = "backup", value_name = "FILE", conflicts_with = "homeserver")]
    room_keys_version: Option<Place>,
    /// The account is new: do not look at what it has
    #[arg(long, conflicts_with_all = ["keys_query", "account_data", "room_keys_version", "homeserver", "device"])]
    unchecked: bool,
    /// Make no key backup
    #[arg(long)]
    no_backup: bool,
    #[command(flatten)]
    new_key: NewKeyArguments,
    #[command(flatten)]
    server: Server,
    /// Read the account's password from this file descriptor, if the server asks for it
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse, requires = "homeserver")]
    password_fd: Option<Descriptor>,
    #[command(flatten)]
    replace: Replace,
    /// Where to write the requests
    #[arg(value_name = "OUT")]
    output: Place,
}

fn user_id(word: &str) -> Result<String, String> {
    UserId::parse(word).map(|id| id.as_str().to_owned()).map_err(|error| format!("{word}: {error}"))
}

pub(super) fn run(arguments: &Arguments, json: bool) -> Result<Verdict, Failure> {
    arguments.check_places()?;
    let client = arguments.server.client()?;
    let me = client.as_ref().map(who_am_i).transpose()?;
    let own = own(arguments, me.as_ref())?;
    let user_id = UserId::parse(&own).map_err(Failure::refused)?;
    let found = match &client {
        Some(client) => ask(client, user_id, arguments.no_backup)?,
        None => look(arguments, user_id)?,
    };
    let device = arguments.device.as_deref().map(|device_id| {
        let device_id = DeviceId::parse(device_id).map_err(Failure::misused)?;
        Ok::<_, Failure>(ToSign { device_id, fingerprint: arguments.fingerprint })
    });
    let device = device.transpose()?;
    if device.as_ref().is_some_and(|device| device.fingerprint.is_none()) {
        warn("without --fingerprint the device is signed on the server's word alone");
    }

    // Nobody is asked for anything before it is clear that the result can be written.
    let mut output = Output::create(&arguments.output, arguments.replace)?;
    let new_key = arguments.new_key.make(arguments.replace)?;
    let NewKey { key, passphrase, .. } = &new_key;
    let passphrase = passphrase.as_ref();
    let wanted = Wanted { user_id, device, key, passphrase, backup: !arguments.no_backup };
    let setup = Setup::new(&wanted, viewer(&own)?, &found)?;
    let document = serde_json::to_string(&setup)
        .map_err(|error| Failure::refused(format!("cannot write the requests: {error}")))?;
    // First what is needed to use the account, then what makes it need that.
    new_key.show(&setup.key_id)?;
    let (name, is_standard) = (output.name().to_owned(), output.is_standard());
    output.line(&document)?;
    output.commit()?;

    if let Some(client) = &client {
        send::all(client, &setup, arguments.password_fd, &name)?;
        shown(client, &setup)?;
    }
    if !is_standard && !arguments.new_key.is_on_standard_output() {
        let record = Record::new()
            .with("user_id", own.as_str())
            .with("master_signing_key", setup.master_signing_key.as_str())
            .with("key_id", setup.key_id.as_str())
            .with("device_id", setup.device_id.clone())
            .with("requests", setup.requests.len())
            .with("result", if client.is_some() { "sent" } else { "written" });
        let mut report = Output::standard();
        report.text(&if json { record.to_json() + "\n" } else { record.to_text() })?;
        report.commit()?;
    }
    Ok(Verdict::Good)
}

impl Arguments {
    /// One standard input, and a place of its own for each output.
    fn check_places(&self) -> Result<(), Failure> {
        let inputs = [&self.keys_query, &self.account_data, &self.room_keys_version];
        if inputs.into_iter().flatten().filter(|place| **place == Place::Standard).count() > 1 {
            return Err(Failure::misused("only one file can come from standard input"));
        }
        if self.new_key.is_in(&self.output) {
            return Err(Failure::misused("the requests and the key cannot both go to one place"));
        }
        Ok(())
    }
}

fn own(arguments: &Arguments, me: Option<&WhoAmI>) -> Result<String, Failure> {
    match (&arguments.own, me) {
        (Some(own), Some(me)) if *own != me.user_id => {
            Err(Failure::refused(format!("the access token is that of {}, not of {own}", me.user_id)))
        }
        (Some(own), _) => Ok(own.clone()),
        (None, Some(me)) => user_id(&me.user_id).map_err(Failure::refused),
        (None, None) => Err(Failure::misused("--own is needed")),
    }
}

/// Looks into files for what the account has.
fn look(arguments: &Arguments, user_id: UserId<'_>) -> Result<Checked, Failure> {
    let mut found = Checked::default();
    if arguments.unchecked {
        return Ok(found);
    }
    let (Some(keys_query), Some(account_data)) = (&arguments.keys_query, &arguments.account_data) else {
        return Err(Failure::misused(
            "--keys-query and --account-data are needed to see that the account has none of this yet; \
             or --homeserver; or, for a new account, --unchecked",
        ));
    };
    found.no_identity(user_id, Input::open(keys_query)?.read_text(MAX_ANSWER_LEN)?)?;
    found.no_secret_storage(user_id, &AccountData::open(account_data)?)?;
    match &arguments.room_keys_version {
        Some(answer) => Checked::no_backup(user_id, &Input::open(answer)?.read_text(MAX_ANSWER_LEN)?)?,
        None if arguments.no_backup => {}
        None => warn(
            "without --backup nobody has looked whether there is a key backup: a new one takes its place",
        ),
    }
    Ok(found)
}

/// Asks the server what the account has.
fn ask(client: &Client, user_id: UserId<'_>, no_backup: bool) -> Result<Checked, Failure> {
    let mut found = Checked::default();
    found.no_identity(user_id, query(client, &[user_id.as_str()])?)?;
    found.no_secret_storage(user_id, &AccountData::of_server(client, user_id.as_str()))?;
    if !no_backup {
        match client.get(&["room_keys", "version"])? {
            Answer::Refused(refusal) if refusal.errcode == "M_NOT_FOUND" => {}
            Answer::Done(body) => Checked::no_backup(user_id, &body)?,
            refused => drop(client.expect("the key backup", refused)?),
        }
    }
    Ok(found)
}

/// Whether the server shows what it was sent: another device may have been faster.
fn shown(client: &Client, setup: &Setup) -> Result<(), Failure> {
    let text = query(client, &[&setup.user_id])?;
    let response = KeysQueryResponse::parse(&text);
    let msk = response.ok().zip(UserId::parse(&setup.user_id).ok());
    let msk = msk.and_then(|(response, user_id)| response.master_key(user_id).ok());
    if msk.is_some_and(|msk| msk.contains(&setup.master_signing_key)) {
        return Ok(());
    }
    Err(Failure::refused(
        "the server accepted everything, but shows another identity: was another device faster?",
    ))
}

/// Of one user; more devices than are taken have some megabytes.
const MAX_ANSWER_LEN: usize = 256 << 20;
