//! `backup`: what a server has of a key backup.

mod decrypt;
mod key;

use clap::Subcommand;

use crate::failure::{Failure, Verdict};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Decrypt an answer to /room_keys/keys into a key file
    ///
    /// The key is asked for: as clients show it (EsTc LW2K ...), or Base64. NOTHING AUTHENTICATES the sessions:
    /// the server could put any of them there and name any sender. A key file has no place to say so.
    #[command(
        verbatim_doc_comment,
        after_help = "\
Examples:
  mx-e2ee backup decrypt room_keys.json keys.txt
  mx-e2ee backup decrypt --auth-data version.json --key-fd 3 --json room_keys.json keys.txt 3<key.txt

With --auth-data the passphrase of an old backup is as good as its key.
Exit code 1: entries were not decrypted, or KEYS is cut off; what was decrypted is written."
    )]
    Decrypt(decrypt::Arguments),
}

pub(crate) fn run(command: Command, json: bool) -> Result<Verdict, Failure> {
    match command {
        Command::Decrypt(arguments) => decrypt::run(&arguments, json),
    }
}
