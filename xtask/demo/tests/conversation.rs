//! The whole demonstration, told and as wire objects.

use std::{fs, path::PathBuf};

use getrandom::{SysRng, rand_core::UnwrapErr};
use mx_demo::{Scene, narrator::Narrator, ours::Ours};
use serde_json::Value;

fn play(wire_only: bool, file: Option<PathBuf>) -> String {
    let mut out = Vec::new();
    let mut rng = UnwrapErr(SysRng);
    let scene = Scene { alice: &Ours, bob: &Ours, file };
    scene.play(&mut rng, Narrator::new(&mut out, wire_only)).expect("it goes as told");
    String::from_utf8(out).expect("text")
}

#[test]
fn the_story_tells_every_step_with_sizes() {
    let story = play(false, None);
    for words in [
        "signed device keys (",
        "claims one-time key signed_curve25519:",
        "claims fallback key signed_curve25519:",
        "as a pre-key message",
        "as a normal message",
        "reads m.room_key from ALICEPHONE",
        "reads m.room_key from BOBLAPTOP",
        "refuses a replay",
        "Everything went as told.",
    ] {
        assert!(story.contains(words), "the story does not say “{words}”:\n{story}");
    }
}

#[test]
fn the_wire_output_is_nothing_but_json_values_one_a_line() {
    let output = play(true, None);
    let objects: Vec<Value> =
        output.lines().map(|line| serde_json::from_str(line).expect("one JSON value")).collect();
    let algorithms = |name: &str| objects.iter().filter(|object| object["algorithm"] == name).count();
    assert_eq!(objects.iter().filter(|object| object["fallback_keys"].is_object()).count(), 2, "key uploads");
    assert_eq!(algorithms("m.olm.v1.curve25519-aes-sha2"), 12);
    assert_eq!(algorithms("m.megolm.v1.aes-sha2"), 6);
}

#[test]
fn a_file_arrives_unchanged_and_sessions_are_replaced_on_the_way() {
    let path = std::env::temp_dir().join(format!("mx-demo-{}.bin", std::process::id()));
    let bytes: Vec<u8> =
        (0..110 * 32 * 1024 + 1_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    fs::write(&path, bytes).unwrap();
    let story = play(false, Some(path.clone()));
    fs::remove_file(path).unwrap();
    assert!(story.contains("sent 3,604,481 bytes in 111 events"), "{story}");
    assert!(story.contains("has the file unchanged"));
    assert_eq!(story.matches("creates Megolm session").count(), 3, "one is replaced after 100 messages");
}
