//! `identity sign-device`: a device of one's own is cross-signed with the private key in secret storage.

mod device;
mod said;

use clap::Args;
use mx_cross_signing::Usage;
use mx_signing::KeysQueryResponse;
use mx_types::Ed25519PublicKey;

use self::{
    device::{OwnDevice, Signing},
    said::Said,
};
use super::{
    account_data::AccountData,
    asking::{query, upload_signatures, who_am_i},
    own::{Own, fingerprint},
    secret_storage::{self, Opened},
};
use crate::{
    failure::{Failure, Verdict},
    homeserver::{Client, Server},
    input::Input,
    output::Output,
    passphrase::Descriptor,
    place::Place,
    record::Record,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Whose device, and the user's master signing key if known
    #[arg(long, value_name = "USER[=KEY]", value_parser = Own::parse, required_unless_present = "homeserver")]
    own: Option<Own>,
    /// The device's ID; without it, the device of the access token
    #[arg(long, value_name = "ID", required_unless_present = "homeserver")]
    device: Option<String>,
    /// The device's Ed25519 key, as the device itself shows it
    #[arg(long, value_name = "KEY", value_parser = fingerprint)]
    fingerprint: Option<Ed25519PublicKey>,
    /// A folder with a file for each type of account data, or a JSON document
    #[arg(long, value_name = "PATH", required_unless_present = "homeserver", conflicts_with = "homeserver")]
    account_data: Option<Place>,
    /// An answer to /keys/query with the user's devices and keys
    #[arg(long, value_name = "FILE", required_unless_present = "homeserver", conflicts_with = "homeserver")]
    keys_query: Option<Place>,
    /// The key of secret storage to use instead of the default one
    #[arg(long, value_name = "ID")]
    key_id: Option<String>,
    /// Read the recovery key or passphrase from this file descriptor instead of asking
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse)]
    recovery_key_fd: Option<Descriptor>,
    #[command(flatten)]
    server: Server,
    /// Ask the homeserver and print the body, but send nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments, json: bool) -> Result<Verdict, Failure> {
    let client = arguments.server.client()?;
    if arguments.dry_run && client.is_none() {
        return Err(Failure::misused(
            "--dry-run is of use with --homeserver only: without it nothing is sent",
        ));
    }
    let me = client.as_ref().map(who_am_i).transpose()?;
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
    let device_id = arguments.device.clone().or_else(|| me.and_then(|me| me.device_id));
    let device_id = device_id
        .ok_or_else(|| Failure::refused("the access token belongs to no device; name one with --device"))?;

    let (keys_query, account_data) = match (&client, &arguments.keys_query, &arguments.account_data) {
        (Some(client), _, _) => {
            (query(client, &[&own.user_id])?, AccountData::of_server(client, &own.user_id))
        }
        (None, Some(keys_query), Some(account_data)) => {
            if *keys_query == Place::Standard && *account_data == Place::Standard {
                return Err(Failure::misused("both the keys and the account data come from standard input"));
            }
            let text = Input::open(keys_query)?.read_text(MAX_ANSWER_LEN)?;
            (text, AccountData::open(account_data)?)
        }
        _ => return Err(Failure::misused("--keys-query and --account-data are needed, or --homeserver")),
    };

    let mut said = Said::new(json);
    let signing = sign(arguments, &own, &device_id, &keys_query, &account_data, &mut said);
    // What was found out is told also where something was refused.
    said.end();
    let (device, signing) = signing?;
    let mut out = Output::standard();
    match (signing, client) {
        (Signing::Already, None) => out.line("{}")?,
        (Signing::Already, Some(_)) => out.text(&result(&own, &device, "already signed", json))?,
        (Signing::New(upload), Some(client)) if !arguments.dry_run => {
            upload_signatures(&client, upload)?;
            out.text(&result(&own, &device, "signed", json))?;
            out.commit()?;
            return shown(&client, &own, &device);
        }
        (Signing::New(upload), _) => out.line(&crate::record::printable_json(&upload.body()))?,
    }
    out.commit()?;
    Ok(Verdict::Good)
}

/// Checks everything, in the order in which nobody is asked for a secret before the public side is in order.
fn sign(
    arguments: &Arguments,
    own: &Own,
    device_id: &str,
    keys_query: &str,
    account_data: &AccountData<'_>,
    said: &mut Said,
) -> Result<(OwnDevice, Signing), Failure> {
    let response = KeysQueryResponse::parse(keys_query)
        .map_err(|error| Failure::refused(format!("the answer to /keys/query: {error}")))?;
    let mut device = OwnDevice::find(&response, own, device_id, said)?;
    device.compare(arguments.fingerprint, said)?;
    if device.is_verified() && device.is_signed() {
        said.that("the device is already signed by the self-signing key: there is nothing to do");
        return Ok((device, Signing::Already));
    }

    let name = Usage::SelfSigning.secret_name();
    let self_signing = secret_storage::stored(account_data, name)?
        .ok_or_else(|| Failure::refused(format!("{}: {name} is not stored", account_data.name())))?;
    // The private master signing key stays encrypted where somebody knows the public one.
    let name = Usage::Master.secret_name();
    let master = if device.is_verified() { None } else { secret_storage::stored(account_data, name)? };
    if master.is_none() && !device.is_verified() {
        return Err(Failure::refused(format!(
            "{}: {name} is not stored, so nothing says that the master signing key of the answer is yours; \
             say so with --own USER=KEY",
            account_data.name()
        )));
    }
    let key_id = arguments.key_id.as_deref();
    let opened = Opened::of_secret(account_data, &self_signing, key_id, arguments.recovery_key_fd)?;
    said.opened(&opened);
    for secret in [Some(&self_signing), master.as_ref()].into_iter().flatten() {
        device.import(opened.decrypt(secret)?, said)?;
    }
    let signing = device.sign(said)?;
    Ok((device, signing))
}

/// Whether the server shows the signature that it has accepted.
fn shown(client: &Client, own: &Own, device: &OwnDevice) -> Result<Verdict, Failure> {
    let text = query(client, &[&own.user_id])?;
    let response = KeysQueryResponse::parse(&text);
    let response =
        response.map_err(|error| Failure::refused(format!("the answer to /keys/query: {error}")))?;
    if device.is_shown_signed(&response) {
        return Ok(Verdict::Good);
    }
    crate::failure::warn("the server accepted the signature, but does not show it: run this again later");
    Ok(Verdict::Bad)
}

fn result(own: &Own, device: &OwnDevice, done: &str, json: bool) -> String {
    let record = Record::new()
        .with("user_id", own.user_id.as_str())
        .with("device_id", device.device_id())
        .with("fingerprint", device.fingerprint().to_string())
        .with("result", done);
    if json { record.to_json() + "\n" } else { record.to_text() }
}

/// Of one user; more devices than are taken have some megabytes.
const MAX_ANSWER_LEN: usize = 256 << 20;
