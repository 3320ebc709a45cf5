//! The whole demonstration, told and as wire objects.

use std::{fs, path::PathBuf, process::Command, sync::LazyLock};

use getrandom::{SysRng, rand_core::UnwrapErr};
use mx_demo::{Scene, narrator::Narrator, ours::Ours};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The program `mx-e2ee`, as cargo builds it.
static TOOL: LazyLock<PathBuf> = LazyLock::new(|| {
    let build = ["build", "--quiet", "--package", "mx-e2ee-cli", "--message-format", "json"];
    let built = Command::new(env!("CARGO")).args(build).output().expect("cargo starts");
    let messages = String::from_utf8(built.stdout).expect("JSON is text");
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let program =
        messages.filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from)).next_back();
    program.expect("mx-e2ee builds")
});

fn play(wire_only: bool, file: Option<PathBuf>) -> String {
    let mut out = Vec::new();
    let mut rng = UnwrapErr(SysRng);
    let scene = Scene { alice: &Ours, bob: &Ours, file, tool: Some(TOOL.clone()) };
    scene.play(&mut rng, Narrator::new(&mut out, wire_only)).expect("it goes as told");
    String::from_utf8(out).expect("text")
}

#[test]
fn the_story_tells_every_step_with_sizes() {
    let story = play(false, None);
    for words in [
        "signed device keys (",
        "makes an identity, master signing key ",
        "sends m.key.verification.request: ",
        "sends m.key.verification.done: ",
        "says that the emoji are the same",
        "sees that the device of Bob is verified: by four signatures",
        "sees that the device of Alice is verified: by four signatures",
        "claims one-time key signed_curve25519:",
        "claims fallback key signed_curve25519:",
        "as a pre-key message",
        "as a normal message",
        "reads m.room_key from ALICEPHONE",
        "reads m.room_key from BOBLAPTOP",
        "refuses a replay",
        "The file letter.txt, as an attachment",
        "has the file unchanged",
        "exports 4 Megolm sessions",
        "decrypted all 7 events and the file",
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
    assert_eq!(algorithms("m.olm.v1.curve25519-aes-sha2"), 14);
    assert_eq!(algorithms("m.megolm.v1.aes-sha2"), 17);
}

#[test]
fn both_see_the_same_emoji_with_their_words() {
    let output = play(true, None);
    let objects = output.lines().map(|line| serde_json::from_str::<Value>(line).expect("one JSON value"));
    let shown: Vec<_> = objects.filter(|object| object["short_authentication_string"].is_array()).collect();
    let [alices, bobs] = shown.as_slice() else { panic!("not two short strings: {shown:?}") };
    assert_eq!((&alices["device_id"], &bobs["device_id"]), (&"ALICEPHONE".into(), &"BOBLAPTOP".into()));
    let emoji = alices["short_authentication_string"].as_array().unwrap();
    assert_eq!(Some(emoji), bobs["short_authentication_string"].as_array());
    assert_eq!(emoji.len(), 7);
    for emoji in emoji {
        assert!(["emoji", "description"].iter().all(|name| !emoji[name].as_str().unwrap().is_empty()));
    }

    let story = play(false, None);
    let seen = |name: &str| {
        let line =
            story.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().strip_prefix("sees "));
        line.expect("told").to_owned()
    };
    assert_eq!(seen("Alice"), seen("Bob"));
    assert_eq!(seen("Alice").split(", ").count(), 7);
}

#[test]
fn a_file_arrives_unchanged() {
    for len in [0, 1, 65_536, 3_604_481] {
        let path = std::env::temp_dir().join(format!("mx-demo-{}-{len}.bin", std::process::id()));
        let bytes: Vec<u8> = (0..len).map(|n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        fs::write(&path, &bytes).unwrap();
        let story = play(false, Some(path.clone()));
        fs::remove_file(path).unwrap();
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(story.matches(&sha256).count(), 3, "told at both ends and by the tool:\n{story}");
        assert!(story.contains("has the file unchanged"));
    }
}
