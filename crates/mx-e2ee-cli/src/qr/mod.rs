//! `qr`: codes of a verification, drawn and read.

mod code;
mod document;
pub(crate) mod picture;
pub(crate) mod symbol;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use crate::{
    failure::{Failure, Verdict},
    input::Input,
    output::{Output, Replace},
    place::Place,
    record::Record,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draw a code in the terminal, or as SVG or PNG
    #[command(after_help = "\
The code comes as Base64, in hexadecimal, or as JSON:
  {\"mode\":0,\"flow_id\":\"$request\",\"key1\":\"BASE64\",\"key2\":\"BASE64\",\"secret\":\"BASE64\"}
Without a secret a fresh one of 16 bytes is drawn. The symbol has one segment in byte mode and is the
smallest that fits, with error correction L. In the terminal light stands for light: if yours has dark
text on a light ground, --dark-on-light turns that round.

A code has a secret in it: whoever sees the picture can pretend to have scanned it.

Examples:
  mx-e2ee qr show code.json
  mx-e2ee qr show code.json code.svg
  mx-e2ee qr show --dark-on-light <code.hex")]
    Show(Show),
    /// Read a code from a picture, and say what is in it
    #[command(after_help = "\
Takes a picture, PNG or JPEG, or the code itself as Base64 or in hexadecimal. Of the secret only the length
is told, unless --secret asks for it. The exit code is 1 if there is no code, or anything is wrong with one.

Examples:
  mx-e2ee qr read photo.jpg
  mx-e2ee qr read --json --secret code.png | mx-e2ee qr show - copy.svg")]
    Read(Read),
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The code
    #[arg(value_name = "FILE", default_value = "-")]
    input: Place,
    /// The picture to write: its name ends in .svg or .png
    #[arg(value_name = "PICTURE")]
    picture: Option<PathBuf>,
    /// Draw dark what is dark, for a terminal with a light ground
    #[arg(long)]
    dark_on_light: bool,
    #[command(flatten)]
    replace: Replace,
}

#[derive(Args, Debug)]
pub(crate) struct Read {
    /// A picture, or the code as text
    #[arg(value_name = "FILE", default_value = "-")]
    input: Place,
    /// Print the secret as well
    #[arg(long)]
    secret: bool,
}

pub(crate) fn run(command: Command, json: bool) -> Result<Verdict, Failure> {
    match command {
        Command::Show(show) => draw(&show, json),
        Command::Read(read) => explain(&read, json),
    }
}

fn draw(show: &Show, json: bool) -> Result<Verdict, Failure> {
    let picture = show.picture.as_ref().map(|path| Ok((symbol::Format::of(path)?, path))).transpose()?;
    let mut input = Input::open(&show.input)?;
    let text = input.read_to_limit(MAX_TEXT_LEN)?;
    let code = code::from_text(&text).map_err(|why| Failure::refused(format!("{}: {why}", input.name())))?;
    let symbol = symbol::Symbol::of(&code)?;
    // What is drawn is a code, or nothing is drawn.
    let record = code::explain(&code, code::Secret::Hidden).map_err(Failure::refused)?;
    let record = record.followed_by(symbol.describe());
    if let Some((format, path)) = picture {
        let mut out = Output::create(&Place::Path(path.clone()), show.replace)?;
        out.bytes(&symbol.draw(format)?)?;
        out.commit()?;
        return print(&record, json);
    }
    if json {
        return print(&record, json);
    }
    let mut out = Output::standard();
    out.text(&symbol.in_terminal(show.dark_on_light))?;
    out.commit()?;
    Ok(Verdict::Good)
}

fn explain(read: &Read, json: bool) -> Result<Verdict, Failure> {
    let mut input = Input::open(&read.input)?;
    let bytes = input.read_to_limit(MAX_PICTURE_LEN)?;
    let found = if picture::is_picture(&bytes) {
        picture::codes(&bytes).map_err(|why| Failure::refused(format!("{}: {why}", input.name())))?
    } else {
        let why =
            |why| Failure::refused(format!("{}: neither PNG nor JPEG, and as text: {why}", input.name()));
        vec![picture::Found { bytes: Ok(code::from_text(&bytes).map_err(why)?), symbol: Record::new() }]
    };
    let secret = if read.secret { code::Secret::Shown } else { code::Secret::Hidden };
    let mut verdict = Verdict::Good;
    let mut out = Output::standard();
    for (at, picture::Found { bytes, symbol }) in found.into_iter().enumerate() {
        let explained = bytes.and_then(|bytes| code::explain(&bytes, secret));
        let record = explained.unwrap_or_else(|why| {
            verdict = Verdict::Bad;
            Record::new().with("what", "not understood").with("why", why)
        });
        let record = record.followed_by(symbol);
        if json {
            out.line(&record.to_json())?;
        } else {
            out.text(if at == 0 { "" } else { "\n" })?;
            out.text(&record.to_text())?;
        }
    }
    out.commit()?;
    Ok(verdict)
}

fn print(record: &Record, json: bool) -> Result<Verdict, Failure> {
    let mut out = Output::standard();
    out.text(&if json { record.to_json() + "\n" } else { record.to_text() })?;
    out.commit()?;
    Ok(Verdict::Good)
}

/// The longest code has 65,673 bytes; a symbol takes 2,953.
const MAX_TEXT_LEN: usize = 256 * 1024;

/// A photograph of a telephone has some megabytes.
const MAX_PICTURE_LEN: usize = 32 * 1024 * 1024;

/// The bytes of a code, which have a secret in them.
pub(crate) type Code = Zeroizing<Vec<u8>>;
