//! `merge`: of each session the copy that begins earliest.

use clap::Args;

use super::{
    copies::{Copies, Passes, Taken},
    refused::Refused,
    target::{Protection, Writer},
};
use crate::{
    failure::{Failure, Verdict, warn},
    key_file::KeyFile,
    passphrase::Descriptor,
    place::Place,
    record::{Record, printable},
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Read the passphrase of a FILE from this file descriptor; given once for each FILE, in their order
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse)]
    passphrase_fd: Vec<Descriptor>,
    /// Ask for a passphrase of OUT instead of using that of the first FILE
    #[arg(long)]
    new_passphrase: bool,
    #[command(flatten)]
    protection: Protection,
    /// The new key file
    #[arg(short, long, value_name = "OUT")]
    output: Place,
    /// Key files
    #[arg(value_name = "FILE", num_args = 2.., required = true)]
    files: Vec<Place>,
}

pub(super) fn merge(arguments: &Arguments, json: bool) -> Result<Verdict, Failure> {
    let Arguments { passphrase_fd, new_passphrase, protection, output, files } = arguments;
    let is_new = protection.is_new(*new_passphrase)?;
    let output = protection.create(output)?;
    let mut files = open_all(files, passphrase_fd)?;
    let names: Vec<_> = files.iter().map(|file| file.name().to_owned()).collect();
    let mut refused: Vec<_> = names.iter().map(|name| Refused::of(name)).collect();
    let passes = Passes::for_files(files.iter().map(KeyFile::len).sum());
    let new_keys = if is_new {
        for file in &mut files {
            file.check()?;
        }
        Some(protection.choose(output.name())?)
    } else {
        None
    };
    let Some(keys) = files.first().map(KeyFile::keys) else {
        return Err(Failure::misused("there is no file to merge"));
    };
    let mut writer = Writer::new(new_keys.as_ref().unwrap_or(&keys), output)?;
    let (mut new, mut better, mut no_better, mut unconnected) = (0_u64, 0_u64, 0_u64, 0_u64);
    for pass in passes.all() {
        let mut copies = Copies::default();
        for (number, (file, refused)) in files.iter_mut().zip(&mut refused).enumerate() {
            let name = names.get(number).map_or("", String::as_str);
            passes.read(pass, file, refused, |session| {
                let (room_id, session_id) = (session.room_id().to_owned(), session.session_id());
                match copies.take(session, number) {
                    Taken::New => new += 1,
                    Taken::Better => better += 1,
                    Taken::NoBetter => no_better += 1,
                    Taken::Unconnected { held } => {
                        unconnected += 1;
                        let held = names.get(held).map_or("", String::as_str);
                        warn(printable(&format!(
                            "session {session_id} of {room_id}: what {name} has is not the session that {held} has, which is kept"
                        )));
                    }
                }
            })?;
        }
        for held in copies.iter() {
            writer.write(&held.session)?;
        }
    }
    let refused: u64 = refused.iter().map(Refused::count).sum();
    let report = Record::new()
        .with("new", new)
        .with("better", better)
        .with("equal_or_worse", no_better)
        .with("unconnected", unconnected)
        .with("refused", refused);
    writer.finish(&report, json)?;
    Ok(if refused + unconnected == 0 { Verdict::Good } else { Verdict::Bad })
}

/// Files with their passphrases, each of which is asked for or comes from the descriptor with the same number.
pub(super) fn open_all(files: &[Place], descriptors: &[Descriptor]) -> Result<Vec<KeyFile>, Failure> {
    if files.iter().filter(|place| **place == Place::Standard).count() > 1 {
        return Err(Failure::misused("only one file can come from standard input"));
    }
    if descriptors.len() > files.len() {
        return Err(Failure::misused("there are more --passphrase-fd than files"));
    }
    let descriptors = descriptors.iter().copied().map(Some).chain(core::iter::repeat(None));
    files.iter().zip(descriptors).map(|(place, descriptor)| KeyFile::open(place, descriptor)).collect()
}
