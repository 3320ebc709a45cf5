//! The room once more, without the two: from Bob's key export and what the server has, by the tool `mx-e2ee`.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
};

use mx_key_export::DEFAULT_ROUNDS;
use mx_types::base64::encode_to_string;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    Failure, fail,
    file_transfer::{hex, in_pieces},
    narrator::bytes,
    scratch::Scratch,
    stage::{ROOM_ID, Role::Bob, Stage},
};

/// Who speaks where the tool does.
const TOOL: &str = "mx-e2ee";

/// Exports what Bob has and lets the tool read it, with all events and the file, whose SHA-256 is known.
///
/// # Errors
///
/// When the export cannot be written, or the tool does not decrypt everything.
pub(crate) fn read_back(
    stage: &mut Stage<'_>,
    tool: Option<&Path>,
    folder: &Scratch,
    sha256: &str,
) -> Result<(), Failure> {
    stage.chapter("A key export, and the room read back from it")?;
    let mut passphrase = [0; 12];
    stage.rng.fill_bytes(&mut passphrase);
    let passphrase = encode_to_string(&passphrase);
    let sessions = stage.device(Bob).export_room_keys()?;
    let text = mx_key_export::write(&mut *stage.rng, &passphrase, DEFAULT_ROUNDS, &sessions)?;
    folder.create("keys.txt")?.write_all(&text)?;
    let what = format!(
        "exports {} Megolm sessions under a passphrase, {DEFAULT_ROUNDS} rounds of PBKDF2: {}",
        sessions.len(),
        bytes(text.len())
    );
    stage.tell(Bob, &what)?;

    let mut lines = folder.create("room.jsonl")?;
    let mut events = 0;
    for event in stage.server.messages(ROOM_ID) {
        writeln!(lines, "{event}")?;
        events += 1;
    }
    let Some(tool) = tool else {
        let what = "is not here to read it back: cargo xtask demo builds it";
        return Ok(stage.narrator.step(TOOL, what)?);
    };
    let run = |words: &[&str]| run(tool, words, folder, &passphrase);
    tell(stage, &run(&["keys", "info", "keys.txt", "--passphrase-fd", "0"])?)?;
    let arguments = ["--keys", "keys.txt", "--passphrase-fd", "0", "--media", ".", "room.jsonl"];
    tell(stage, &run(&[&["events", "decrypt", "-o", "clear.jsonl"], &arguments[..]].concat())?)?;

    let mut decrypted = 0;
    for line in BufReader::new(folder.open("clear.jsonl")?).lines() {
        let line: Value = serde_json::from_str(&line?)?;
        decrypted += usize::from(line["verdict"] == "decrypted");
    }
    if decrypted != events {
        return fail(format!("the tool decrypted {decrypted} of {events} events"));
    }
    let mut hash = Sha256::new();
    let mut file = File::open(folder.path("media1.decrypted"))?;
    let len = file.metadata()?.len();
    in_pieces(&mut file, len, |piece| {
        hash.update(&*piece);
        Ok(())
    })?;
    if hex(&hash.finalize()) != sha256 {
        return fail("the tool decrypted another file");
    }
    let what = format!(
        "decrypted all {events} events and the file, SHA-256 {sha256}, without an account or a server"
    );
    stage.narrator.step(TOOL, &what)?;
    Ok(())
}

/// Runs the tool, which takes the passphrase from its standard input.
fn run(tool: &Path, words: &[&str], folder: &Scratch, passphrase: &str) -> Result<Output, Failure> {
    let mut command = Command::new(fs::canonicalize(tool)?);
    command.args(words).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().map_err(|error| format!("cannot start {}: {error}", tool.display()))?;
    if let Some(mut stdin) = running.stdin.take() {
        stdin.write_all(passphrase.as_bytes())?;
    }
    let output = running.wait_with_output()?;
    if output.status.success() {
        return Ok(output);
    }
    fail(format!("{TOOL} {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr)))
}

/// Hands on what the tool said.
fn tell(stage: &mut Stage<'_>, output: &Output) -> Result<(), Failure> {
    for line in [&output.stdout, &output.stderr].into_iter().flat_map(|said| said.lines()) {
        let line = line?;
        if !line.trim().is_empty() {
            stage.narrator.step(TOOL, line.trim_end())?;
        }
    }
    Ok(())
}
