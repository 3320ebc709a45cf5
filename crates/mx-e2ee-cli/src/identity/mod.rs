//! `identity`: cross-signing identities, audited and put to use.

mod audit;

use clap::Subcommand;

use crate::failure::{Failure, Verdict};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say who signed what in answers to /keys/query, what fails and why, and how far to trust each device
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
}

pub(crate) fn run(command: Command, json: bool) -> Result<Verdict, Failure> {
    match command {
        Command::Audit(arguments) => audit::run(&arguments, json),
    }
}
