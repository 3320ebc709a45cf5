//! A file as an encrypted attachment: its bytes go to the server's media, its key into the room.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

use indicatif::{ProgressBar, ProgressStyle};
use mx_attachment::{AttachmentKey, EncryptedFile};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    Failure, fail,
    narrator::bytes,
    scratch::Scratch,
    stage::{
        ROOM_ID,
        Role::{Alice, Bob},
        Stage,
    },
};

/// What Alice sends when nobody named a file.
const LETTER: &[u8] = b"Dear Bob,\n\nthis is too long for a message.\n\nYours, Alice\n";

/// Bytes that are in memory at once.
const PIECE_LEN: usize = 64 * 1024;

/// Sends the file, or else a letter, from Alice to Bob: its SHA-256.
///
/// # Errors
///
/// When the file cannot be read, or does not arrive as it was sent.
pub(crate) fn send(stage: &mut Stage<'_>, path: Option<&Path>, folder: &Scratch) -> Result<String, Failure> {
    let name = path.map_or_else(|| "letter.txt".into(), |path| path.display().to_string());
    stage.chapter(&format!("The file {name}, as an attachment"))?;
    let (content, sent) = match path {
        None => upload(stage, (&mut &*LETTER, LETTER.len() as u64), "letter.txt", folder)?,
        Some(path) => {
            let failed = |error| format!("cannot open {}: {error}", path.display());
            let mut file = File::open(path).map_err(failed)?;
            let len = file.metadata()?.len();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            upload(stage, (&mut file, len), &name, folder)?
        }
    };
    let event = stage.send_to_room(Alice, ROOM_ID, "m.room.message", &content)?;
    let what = format!(
        "sends its EncryptedFile ({}) inside {} of m.room.encrypted",
        bytes(content["file"].to_string().len()),
        bytes(event["content"].to_string().len())
    );
    stage.tell(Alice, &what)?;

    let read = stage.receive_room_event(Bob, &event)?;
    let received = download(stage, &read.content, folder)?;
    if sent != received {
        return fail("the file arrived changed");
    }
    stage.tell(Bob, "has the file unchanged")?;
    Ok(received)
}

/// Encrypts a file into the server's media: the message that tells of it, and the SHA-256 of the file.
fn upload(
    stage: &mut Stage<'_>,
    (file, len): (&mut dyn Read, u64),
    name: &str,
    folder: &Scratch,
) -> Result<(Value, String), Failure> {
    let mut encryptor = AttachmentKey::generate(&mut *stage.rng)?.into_encryptor();
    let (url, mut media) = stage.server.upload(folder)?;
    let mut plaintext = Sha256::new();
    let len = in_pieces(file, len, |piece| {
        plaintext.update(&*piece);
        encryptor.update(piece);
        media.write_all(piece)
    })?;
    let sha256 = hex(&plaintext.finalize());
    let file = EncryptedFile { url: url.as_str(), info: encryptor.finish() };
    let what = format!("encrypts {} (SHA-256 {sha256}) and uploads the ciphertext to {url}", bytes(len));
    stage.tell(Alice, &what)?;
    let content = json!({
        "msgtype": "m.file",
        "body": name,
        "info": { "mimetype": "application/octet-stream", "size": len },
        "file": file,
    });
    Ok((content, sha256))
}

/// Fetches and decrypts the file that a message tells of: its SHA-256.
fn download(stage: &mut Stage<'_>, content: &Value, folder: &Scratch) -> Result<String, Failure> {
    let file: EncryptedFile<String> = serde_json::from_value(content["file"].clone())?;
    let len = content["info"]["size"].as_u64().unwrap_or_default();
    let mut decryptor = file.info.decryptor();
    let mut saved = folder.create("unverified")?;
    let mut plaintext = Sha256::new();
    let mut media = stage.server.download(folder, &file.url)?;
    let len = in_pieces(&mut media, len, |piece| {
        let piece = decryptor.update(piece).expose_unverified();
        plaintext.update(&*piece);
        saved.write_all(piece)
    })?;
    // Only now it is known that the server sent what Alice uploaded.
    decryptor.finish()?;
    fs::rename(folder.path("unverified"), folder.path("received"))?;
    let sha256 = hex(&plaintext.finalize());
    let what =
        format!("downloads {} with the hash that Alice sent, and decrypts: SHA-256 {sha256}", bytes(len));
    stage.tell(Bob, &what)?;
    Ok(sha256)
}

/// Reads to the end, and says how many bytes that were. `len` is for the progress bar, which draws only when standard
/// error is a terminal.
pub(crate) fn in_pieces(
    reader: &mut dyn Read,
    len: u64,
    mut work: impl FnMut(&mut [u8]) -> io::Result<()>,
) -> Result<usize, Failure> {
    let progress = ProgressBar::new(len);
    progress.set_style(ProgressStyle::with_template("  {bar:40} {bytes} of {total_bytes}, {bytes_per_sec}")?);
    let mut buffer = vec![0; PIECE_LEN];
    let mut total = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        work(buffer.get_mut(..read).unwrap_or_default())?;
        total += read;
        progress.inc(read as u64);
    }
    progress.finish_and_clear();
    Ok(total)
}

/// As `sha256sum` prints it.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
