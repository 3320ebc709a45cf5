//! `media`: attachments, and files that appear once they are verified.

mod description;
mod transfer;

use clap::{Args, Subcommand};
use mx_attachment::{EncryptedFile, Leniency};
use zeroize::Zeroizing;

use self::description::describe;
pub(crate) use self::{
    description::{NoDescription, Which, describe_in_content},
    transfer::decrypt_to,
};
use crate::{
    failure::{Failure, Verdict},
    input::Input,
    output::{Output, Replace},
    place::Place,
    progress::Progress,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Encrypt a file for uploading, and write its description
    #[command(after_help = "\
The description is an EncryptedFile object with the key in it: it belongs into an encrypted event
(`file`, or `info.thumbnail_file`) and nowhere else. Each file gets a key of its own.

Example:
  mx-e2ee media encrypt --info photo.json photo.jpg photo.encrypted
  ffmpeg ... | mx-e2ee media encrypt --info film.json - film.encrypted")]
    Encrypt(Encrypt),
    /// Decrypt a downloaded file, by the description in its event
    #[command(after_help = "\
OUT appears once the whole of IN was found to be the file that the description names.
Standard output gets nothing before that either: IN is read twice then, and copied to an
unnamed temporary file first if it comes through a pipe.

Examples:
  mx-e2ee media decrypt --info event.json downloaded photo.jpg
  curl ... | mx-e2ee media decrypt --info event.json - - | mpv -")]
    Decrypt(Decrypt),
}

#[derive(Args, Debug)]
pub(crate) struct Encrypt {
    /// Where to write the description
    #[arg(long, value_name = "FILE")]
    info: Place,
    /// The mxc URI of the upload; without it the description has an empty `url`, to be filled in
    #[arg(long, value_name = "MXC", default_value = "", hide_default_value = true)]
    url: String,
    #[command(flatten)]
    replace: Replace,
    /// The file
    #[arg(value_name = "IN")]
    input: Place,
    /// Where to write the encrypted file
    #[arg(value_name = "OUT")]
    output: Place,
}

#[derive(Args, Debug)]
pub(crate) struct Decrypt {
    /// A decrypted event, its content, or an EncryptedFile object
    #[arg(long, value_name = "FILE")]
    info: Place,
    /// IN is the thumbnail of the event, and not its file
    #[arg(long)]
    thumbnail: bool,
    #[command(flatten)]
    lenient: Lenient,
    #[command(flatten)]
    replace: Replace,
    /// The encrypted file
    #[arg(value_name = "IN")]
    input: Place,
    /// Where to write the file
    #[arg(value_name = "OUT")]
    output: Place,
}

/// How strictly descriptions are read.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Lenient {
    /// Take descriptions of files without `ext` or `key_ops`, or from before version 2
    #[arg(long)]
    lenient: bool,
}

impl Lenient {
    pub(crate) const fn leniency(self) -> Leniency {
        Leniency { ext_and_key_ops: self.lenient, legacy_versions: self.lenient }
    }
}

pub(crate) fn run(command: Command) -> Result<Verdict, Failure> {
    match command {
        Command::Encrypt(arguments) => encrypt(&arguments),
        Command::Decrypt(arguments) => decrypt(&arguments),
    }
}

fn encrypt(arguments: &Encrypt) -> Result<Verdict, Failure> {
    let Encrypt { info, url, replace, input, output } = arguments;
    if info == output {
        return Err(Failure::misused("the description and the encrypted file cannot go to one place"));
    }
    let mut input = Input::open(input)?;
    let mut output = Output::create(output, *replace)?;
    let mut description = Output::create(info, *replace)?;
    let progress = Progress::of_bytes("encrypting", input.len()).beside(&output);
    let info = transfer::encrypt(&mut input, &mut output, &progress)?;
    drop(progress);
    let file = EncryptedFile { url, info };
    // One description has a few hundred bytes; what grows leaves copies of the key behind.
    let mut json = Zeroizing::new(Vec::with_capacity(1_024 + url.len() * 6));
    serde_json::to_writer(&mut *json, &file)
        .map_err(|error| Failure::refused(format!("cannot describe the file: {error}")))?;
    description.bytes(&json)?;
    description.text("\n")?;
    // First what is needed to read the file, then the file.
    description.commit()?;
    output.commit()?;
    Ok(Verdict::Good)
}

fn decrypt(arguments: &Decrypt) -> Result<Verdict, Failure> {
    let Decrypt { info, thumbnail, lenient, replace, input, output } = arguments;
    if *info == Place::Standard && *input == Place::Standard {
        return Err(Failure::misused("the description and the file cannot both come from standard input"));
    }
    let which = if *thumbnail { Which::Thumbnail } else { Which::File };
    let mut description = Input::open(info)?;
    let json = description.read_to_limit(MAX_DESCRIPTION_LEN)?;
    let file = describe(&json, which, lenient.leniency())
        .map_err(|why| Failure::refused(format!("{}: {why}", description.name())))?;
    if !file.info.counter_starts_at_zero() {
        crate::failure::warn(
            "the IV in the description is not one that the specification allows; decrypting all the same",
        );
    }
    let mut input = Input::open(input)?;
    let mut output = Output::create(output, *replace)?;
    if output.is_standard() {
        input = input.rewindable()?;
        let progress = Progress::of_bytes("verifying", input.len());
        transfer::verify(&mut input, &file.info, &progress)?;
        input.rewind()?;
    }
    let progress = Progress::of_bytes("decrypting", input.len()).beside(&output);
    decrypt_to(&mut input, &mut output, &file.info, &progress)?;
    drop(progress);
    output.commit()?;
    Ok(Verdict::Good)
}

/// An event has 64 KiB.
const MAX_DESCRIPTION_LEN: usize = 256 * 1024;
