//! A file through the room: chunk by chunk, hashed at both ends.

use std::{fs::File, io::Read, path::Path};

use indicatif::{ProgressBar, ProgressStyle};
use mx_types::base64::{TrailingBits, decode_to_vec, encode_to_string};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    Failure, fail,
    narrator::bytes,
    stage::{
        Role::{Alice, Bob},
        Stage,
    },
};

/// Bytes of the file in one event. Base64 in JSON, encrypted, and in Base64 again, they stay below the 65,536 bytes
/// that an event may have.
const CHUNK_LEN: usize = 32 * 1024;

/// A room event type of our own.
const CHUNK: &str = "org.example.file_chunk";

/// Sends the file from Alice to Bob.
///
/// # Errors
///
/// When the file cannot be read, or does not arrive as it was sent.
pub(crate) fn send(stage: &mut Stage<'_>, path: &Path) -> Result<(), Failure> {
    stage.chapter(&format!("The file {}", path.display()))?;
    let mut file = File::open(path).map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    let progress = ProgressBar::new(file.metadata()?.len()); // draws only when stderr is a terminal
    progress.set_style(ProgressStyle::with_template("  {bar:40} {bytes} of {total_bytes}, {bytes_per_sec}")?);
    let (mut sent, mut received) = (Sha256::new(), Sha256::new());
    let (mut file_len, mut received_len, mut wire_len, mut events) = (0, 0, 0, 0_u64);
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_LEN);
        file.by_ref().take(CHUNK_LEN as u64).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            break;
        }
        sent.update(&chunk);
        file_len += chunk.len();
        let content = json!({ "chunk": events, "data": encode_to_string(&chunk) });
        let event = stage.send_to_room(Alice, CHUNK, &content)?;
        wire_len += event["content"].to_string().len();

        let read = stage.receive_room_event(Bob, &event)?;
        if read.event_type != CHUNK || read.content["chunk"] != events {
            return fail("the chunks arrive in another order");
        }
        let data = read.content["data"].as_str().ok_or("the chunk carries no data")?;
        let data = decode_to_vec(data, TrailingBits::Ignored)?;
        received.update(&data);
        received_len += data.len();
        events += 1;
        progress.set_position(file_len as u64);
    }
    progress.finish_and_clear();
    let (sent, received) = (sent.finalize(), received.finalize());
    let what = format!(
        "sent {} in {events} events with {} of m.room.encrypted, SHA-256 {}",
        bytes(file_len),
        bytes(wire_len),
        hex(&sent)
    );
    stage.tell(Alice, &what)?;
    stage.tell(Bob, &format!("read {}, SHA-256 {}", bytes(received_len), hex(&received)))?;
    if sent != received || file_len != received_len {
        return fail("the file arrived changed");
    }
    stage.tell(Bob, "has the file unchanged")?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
