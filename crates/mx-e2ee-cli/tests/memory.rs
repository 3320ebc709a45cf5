//! Memory that key files take, whatever their size.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "support/identity.rs"]
mod identity;
mod support;

use core::{num::NonZeroU32, time::Duration};
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    process::Command,
    time::Instant,
};

use embedded_io_adapters::std::FromStd;
use mx_key_backup::{BackupDecryptionKey, KeySource, ServerBackup, TrustAnchors};
use mx_key_export::{KeyDerivation, KeyExportWriter};
use mx_megolm::{ExportedSessionKey, InboundGroupSession, OutboundGroupSession};
use mx_room_key::{BackedUpSessionData, ExportedSessionData};
use mx_types::{Curve25519PublicKey, RoomId, UserId};

use support::{Folder, tool};

/// What every command may take.
const LIMIT: u64 = 64 << 20;

#[test]
fn filtering_takes_the_same_memory_whatever_the_size_of_the_file() {
    let folder = Folder::new();
    let secret = folder.write("secret", "secret");
    let [small, large] = [1_000, 40_000].map(|count| {
        let keys = folder.path("keys.txt");
        write(&keys, count);
        peak("filter", &keys, &folder.path("out.txt"), &secret).0
    });
    assert!(large < small + (4 << 20), "{small} and {large} bytes");
}

/// `cargo test --release -p mx-e2ee-cli --test memory -- --ignored --nocapture` prints the figures.
#[test]
#[ignore = "writes 700 MB"]
fn a_file_of_500_000_sessions_is_filtered_merged_and_compared_in_less_than_64_mb() {
    let folder = Folder::new();
    let (keys, secret) = (folder.path("keys.txt"), folder.write("secret", "secret"));
    write(&keys, 500_000);
    println!("{} bytes", std::fs::metadata(&keys).unwrap().len());
    for command in ["info", "filter", "merge", "diff"] {
        let (peak, time) = peak(command, &keys, &folder.path("out.txt"), &secret);
        println!("{command:<8} {:>4} MB {:>6.2} s", peak / 1_000_000, time.as_secs_f64());
        assert!(peak < LIMIT, "{command}: {peak} bytes");
    }
}

/// 10^5 devices of users with five each, and of one user, and as many signatures. Prints the figures as above.
#[test]
#[ignore = "makes 200,000 signatures"]
fn a_hundred_thousand_devices_are_audited_in_memory_of_the_size_of_the_answer() {
    let folder = Folder::new();
    for (name, users, devices, code) in
        [("many users", 20_000, 5, 0), ("one user", 1, 100_000, 1), ("allowed", 1, 100_000, 0)]
    {
        let mut answer = identity::Answer::new();
        for user in 0..users {
            let user_id = format!("@user{user}:example.org");
            answer = answer.identity(&user_id, "a");
            for device in 0..devices {
                answer = answer.cross_signed(&user_id, &format!("DEVICE{device}"), "a-s");
            }
        }
        let text = answer.text();
        let path = folder.write("answer.json", &text);
        let mut shell = Command::new("sh");
        let max = if name == "allowed" { "100000" } else { "1024" };
        let line = format!("exec \"$TOOL\" identity audit --max-devices {max} --json \"$1\" >\"$2\"");
        shell.arg("-c").arg(line).arg("sh").args([path, folder.text_path("out.json")]);
        let (peak, time) = peak_of(shell, code);
        let len = u64::try_from(text.len()).unwrap();
        println!(
            "{name:<10} {:>4} MB of answer {:>4} MB {:>6.2} s",
            len / 1_000_000,
            peak / 1_000_000,
            time.as_secs_f64()
        );
        assert!(peak < 8 * len, "{peak} bytes");
    }
}

#[test]
fn a_backup_takes_the_same_memory_whatever_its_size() {
    let folder = Folder::new();
    let [small, large] = [1_000, 20_000].map(|count| decrypt_backup(&folder, count).0);
    assert!(large < small + (4 << 20), "{small} and {large} bytes");
}

#[test]
#[ignore = "writes 1 GB"]
fn a_backup_of_500_000_sessions_is_decrypted_in_less_than_64_mb() {
    let (peak, time) = decrypt_backup(&Folder::new(), 500_000);
    println!("backup   {:>4} MB {:>6.2} s", peak / 1_000_000, time.as_secs_f64());
    assert!(peak < LIMIT, "{peak} bytes");
}

/// A server's answer with one session so many times: each is decrypted, and written.
fn decrypt_backup(folder: &Folder, count: usize) -> (u64, Duration) {
    let key = BackupDecryptionKey::from_bytes(&[7; 32]);
    let anchors = TrustAnchors {
        user_id: UserId::parse("@a:b").unwrap(),
        master_signing_key: None,
        devices: &[],
        decryption_key: Some((&key, KeySource::TypedIn)),
    };
    let version = serde_json::json!({
        "algorithm": mx_key_backup::ALGORITHM,
        "auth_data": { "public_key": key.public_key().to_string() },
        "version": "1", "etag": "", "count": count,
    });
    let backup = ServerBackup::parse(&version.to_string()).unwrap().trust(&anchors).unwrap();
    let session = OutboundGroupSession::new(&mut getrandom::SysRng).unwrap().session_key();
    let session = InboundGroupSession::new(&session);
    let data = BackedUpSessionData::new(session.export(), Curve25519PublicKey::from_bytes([9; 32]).unwrap());
    let data = backup.encrypt_session_data(&mut getrandom::SysRng, &data).unwrap().emit();
    let mut answer = BufWriter::new(File::create(folder.path("answer.json")).unwrap());
    answer.write_all(b"{\"rooms\":{\"!room:example.org\":{\"sessions\":{").unwrap();
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        write!(answer, "{comma}\"{}\":{{\"session_data\":{data}}}", session.session_id()).unwrap();
    }
    answer.write_all(b"}}}}").unwrap();
    drop(answer);
    let (secret, key) = (folder.write("secret", "secret"), folder.write("key", &*key.to_base64()));
    let mut shell = Command::new("sh");
    let line = "exec \"$TOOL\" backup decrypt --rounds 1 --force --key-fd 3 --new-passphrase-fd 4 \"$1\" \"$2\" 3<\"$3\" 4<\"$4\" >/dev/null 2>&1";
    shell.arg("-c").arg(line).arg("sh").args([folder.path("answer.json"), folder.path("out.txt")]);
    shell.args([key, secret]);
    peak_of(shell, 0)
}

/// Sessions in rooms of fifty. Their IDs are numbers: nobody looks for the point on the curve before there is a message.
fn write(path: &Path, count: u32) {
    let keys = KeyDerivation::new(&mut getrandom::SysRng, "secret", NonZeroU32::MIN).unwrap().finish();
    let out = FromStd::new(BufWriter::new(File::create(path).unwrap()));
    let mut writer = KeyExportWriter::new(&mut getrandom::SysRng, &keys, out).unwrap();
    let sender_key = Curve25519PublicKey::from_bytes([9; 32]).unwrap();
    let session = OutboundGroupSession::new(&mut getrandom::SysRng).unwrap().session_key();
    let mut key = *InboundGroupSession::new(&session).export().as_bytes();
    for number in 0..count {
        key[133..137].copy_from_slice(&number.to_be_bytes());
        key[164] = 1;
        let data = BackedUpSessionData::new(ExportedSessionKey::from_bytes(&key).unwrap(), sender_key);
        let room = format!("!{:018}:matrix.example.org", number / 50);
        writer.write(&ExportedSessionData::new(RoomId::parse(&room).unwrap(), data)).unwrap();
    }
    writer.finish().unwrap();
}

/// The peak of resident memory of a command, as the kernel counts it, and how long it ran.
fn peak(command: &str, keys: &Path, out: &Path, secret: &str) -> (u64, Duration) {
    let line = match command {
        "info" => "info --passphrase-fd 3 \"$1\" >/dev/null",
        // One room and a device that all are from: all are looked at, and all are written.
        "filter" => {
            "filter --force --sender CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk --passphrase-fd 3 \"$1\" \"$2\" >/dev/null"
        }
        "merge" => "merge --force --passphrase-fd 3 --passphrase-fd 3 \"$1\" \"$1\" -o \"$2\" >/dev/null",
        "diff" => "diff --passphrase-fd 3 --passphrase-fd 3 \"$1\" \"$2\" >/dev/null",
        other => unreachable!("{other}"),
    };
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("exec \"$TOOL\" keys {line} 3<\"$3\""))
        .arg("sh")
        .args([keys, out])
        .arg(secret);
    peak_of(shell, 0)
}

/// The same of a shell line, in which the tool ends with this code.
fn peak_of(mut shell: Command, code: i32) -> (u64, Duration) {
    let begin = Instant::now();
    let mut child = shell.env("TOOL", tool([]).get_program()).spawn().unwrap();
    let mut peak = 0;
    loop {
        // Gone once the process ends; the last look is near its end.
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: Option<u64> = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(kilobytes.unwrap_or_default() * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(code), "{status}");
            assert!(peak > 0);
            return (peak, begin.elapsed());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
