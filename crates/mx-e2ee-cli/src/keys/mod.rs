//! `keys`: key export files, session by session.

mod copies;
mod diff;
mod look;
mod merge;
mod refused;
mod rooms;
mod rows;
mod selection;
pub(crate) mod target;
mod transfer;

use clap::{Args, Subcommand};

use self::{selection::Selection, target::Target};
use crate::{
    failure::{Failure, Verdict},
    passphrase::Descriptor,
    place::Place,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Count the sessions of a key file, room by room
    ///
    /// For each room: sessions, how many of them are known from their first message on, the lowest and the
    /// highest first known index, and how many may be shared with users who join later.
    #[command(
        verbatim_doc_comment,
        after_help = "\
Examples:
  mx-e2ee keys info element-keys.txt
  mx-e2ee keys info --json element-keys.txt | jq -r .room_id

Exit code 1: entries were refused; each is named."
    )]
    Info(One),
    /// List the sessions of a key file
    #[command(
        verbatim_doc_comment,
        after_help = "\
Examples:
  mx-e2ee keys list element-keys.txt
  mx-e2ee keys list --json --room '!room:example.org' element-keys.txt

Exit code 1: entries were refused; each is named."
    )]
    List {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        one: One,
    },
    /// Write the sessions of some rooms, sessions or senders to a new key file
    #[command(after_help = "\
Example:
  mx-e2ee keys filter --room '!room:example.org' --new-passphrase element-keys.txt for-bob.txt

OUT has FILE's passphrase and rounds, or new ones. Exit code 1: entries were refused; each is named.")]
    Filter {
        #[command(flatten)]
        selection: Selection,
        /// Ask for a passphrase of OUT instead of using that of FILE
        #[arg(long)]
        new_passphrase: bool,
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        target: Target,
    },
    /// Join key files: of each session the copy that begins earliest
    ///
    /// Copies are joined only if they are one session: if the ratchet of one leads to that of the other.
    /// Else the one that came first stays, and both are named. OUT has the passphrase and the rounds of the
    /// first FILE, or new ones. A session may be shared with users who join later only if all its copies may.
    #[command(
        verbatim_doc_comment,
        after_help = "\
Example:
  mx-e2ee keys merge old-phone.txt laptop.txt -o all.txt

Exit code 1: entries were refused, or copies are not one session; each is named."
    )]
    Merge(merge::Arguments),
    /// Compare two key files
    ///
    /// Each session that is not the same in both is listed: only in the first or the second, known from an
    /// earlier index in the first or the second, or unconnected: two sessions under one ID.
    #[command(
        verbatim_doc_comment,
        after_help = "\
Example:
  mx-e2ee keys diff old.txt new.txt

Exit code 1: the files differ, or entries were refused."
    )]
    Diff(diff::Arguments),
    /// Write a key file again with another passphrase or number of rounds
    ///
    /// Entries are copied as they stand, also those that are no sessions.
    #[command(
        verbatim_doc_comment,
        after_help = "\
Examples:
  mx-e2ee keys rekey element-keys.txt safer.txt
  mx-e2ee keys rekey --passphrase-fd 3 --new-passphrase-fd 4 --rounds 1000000 a b 3<old 4<new"
    )]
    Rekey {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        target: Target,
    },
    /// Check passphrase and MAC of a key file
    ///
    /// The MAC covers all of the file. What its sessions are worth, it does not say.
    #[command(
        verbatim_doc_comment,
        after_help = "\
Example:
  mx-e2ee keys verify element-keys.txt

Exit code 1: the passphrase is wrong, or the file was damaged."
    )]
    Verify(One),
    /// Save what is left of a key file that was cut off or damaged
    ///
    /// NOTHING AUTHENTICATES the sessions: whoever could change the file could change them, without knowing
    /// the passphrase. Use the result only if you know how the file was damaged.
    #[command(
        verbatim_doc_comment,
        after_help = "\
Example:
  mx-e2ee keys salvage cut-off.txt rest.txt

OUT has the passphrase and the rounds of FILE, or a new passphrase from --new-passphrase-fd.
Exit code 1, always: the sessions are not authenticated."
    )]
    Salvage {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        target: Target,
    },
}

/// One key file.
#[derive(Args, Debug)]
pub(crate) struct One {
    /// Read the passphrase of FILE from this file descriptor instead of asking
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse)]
    passphrase_fd: Option<Descriptor>,
    /// A key file
    #[arg(value_name = "FILE")]
    file: Place,
}

pub(crate) fn run(command: Command, json: bool) -> Result<Verdict, Failure> {
    match command {
        Command::Info(one) => look::info(&one, json),
        Command::List { selection, one } => look::list(&selection, &one, json),
        Command::Verify(one) => look::verify(&one, json),
        Command::Filter { selection, new_passphrase, one, target } => {
            transfer::filter(&selection, new_passphrase, &one, &target, json)
        }
        Command::Rekey { one, target } => transfer::rekey(&one, &target, json),
        Command::Salvage { one, target } => transfer::salvage(&one, &target, json),
        Command::Merge(arguments) => merge::merge(&arguments, json),
        Command::Diff(arguments) => diff::diff(&arguments, json),
    }
}
