//! `identity`: cross-signing identities, audited and put to use.

pub(crate) mod account_data;
pub(crate) mod asking;
mod audit;
mod bootstrap;
pub(crate) mod own;
pub(crate) mod secret_storage;
mod sign_device;
mod viewer;

use clap::Subcommand;

use crate::failure::{Failure, Verdict};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say who signed what in answers to /keys/query, what fails, and how far to trust each device
    ///
    /// Every key and every device is listed with the signatures on it: valid ones, failing ones, and those that
    /// prove nothing; what clients drop is named with the reason. For each failing signature there are the very
    /// bytes that it must cover. Trust follows from --own and --pin: nothing that a server says can raise it.
    #[command(
        verbatim_doc_comment,
        after_help = "\
Examples:
  mx-e2ee identity audit keys-query.json
  mx-e2ee identity audit --own @me:example.org=rJ2TAGkEOP6dX41Ksll6cl8K3J48l8s/59zaXyvl2p0 keys-query.json
  mx-e2ee identity audit --json keys-query.json | jq 'select(.trust == \"unsigned\") | .device_id'
  mx-e2ee identity audit --dot keys-query.json | dot -Tsvg > keys.svg

Several answers are judged one after the other, as they came: an identity that is another one in a later
answer is not the pinned one there. Your own answer belongs first.
Exit code 1: something fails, was dropped, or is not what was pinned."
    )]
    Audit(audit::Arguments),
    /// Cross-sign a device of yours with the key in secret storage
    #[command(after_help = "\
For bots and bridges: what a client does when its user types the recovery key. Offline it prints the body
for POST /_matrix/client/v3/keys/signatures/upload; with --homeserver it fetches all it needs and sends it.
Each check is told on standard error. Without --fingerprint it is the server's word which key the device
has: on a server that is not yours, compare it with what the device shows.

Account data is a folder with a file for each type, named as the type with or without .json, or one
document: {type: content}, a list of events, or an answer to /sync.

Examples:
  mx-e2ee identity sign-device --homeserver https://matrix.example.org --token-file token
  mx-e2ee identity sign-device --own @me:example.org --device PHONE --account-data DIR --keys-query k.json

Exit code 1: refused, and nothing was signed; or the server shows no signature.")]
    SignDevice(sign_device::Arguments),
    /// Make cross-signing keys, secret storage and a key backup for an account that has none
    #[command(after_help = "\
OUT gets the requests to be sent, in their order, as one JSON object with method, path and body of each.
With --homeserver they are sent, too. The recovery key is shown once. Nothing that is there is ever replaced.

Examples:
  mx-e2ee identity bootstrap --homeserver https://matrix.example.org --token-file token setup.json
  mx-e2ee identity bootstrap --own @bot:example.org --unchecked --key-file recovery-key setup.json

Exit code 1: refused; the message says whether anything was sent.")]
    Bootstrap(Box<bootstrap::Arguments>),
}

pub(crate) fn run(command: Command, json: bool) -> Result<Verdict, Failure> {
    match command {
        Command::Audit(arguments) => audit::run(&arguments, json),
        Command::SignDevice(arguments) => sign_device::run(&arguments, json),
        Command::Bootstrap(arguments) => bootstrap::run(&arguments, json),
    }
}
