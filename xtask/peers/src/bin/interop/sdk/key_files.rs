//! Key files: written by one side, read by the other.

use core::num::NonZeroU32;

use matrix_sdk_crypto::{decrypt_room_key_export, encrypt_room_key_export, olm::ExportedRoomKey};
use mx_room_key::ExportedSessionData;
use rand_chacha::ChaCha20Rng;
use serde_json::Value;

use super::{
    below,
    differences::Differences,
    room_keys::{ROOM_ID, random_session_data},
};
use crate::{
    differences::Verdict,
    report::{Failure, Outcome, Report, expect},
};

/// Passphrases with what characters may do: none at all, white space, other alphabets, combining marks, length.
const PASSPHRASES: [&str; 7] = [
    "a",
    "correct horse battery staple",
    " spaces ",
    "pässwörd",
    "pa\u{308}sswort",
    "密码🔑",
    "\u{feff}\u{0}",
];
const ROUNDS: [u32; 4] = [1, 2, 1_000, 100_000];
const SESSIONS: [usize; 6] = [0, 1, 2, 3, 10, 300];

/// They write, we read.
pub fn to_us(rng: &mut ChaCha20Rng) -> Outcome {
    over_files(rng, |_, passphrase, rounds, sessions| {
        let file = encrypt_room_key_export(&theirs(sessions)?, passphrase, rounds.get())?;
        let read = mx_key_export::read(file.as_bytes(), passphrase)?;
        expect(read.refused.is_empty(), "we refuse entries of theirs")?;
        expect(ids(&read.sessions) == ids(sessions), "other sessions")?;
        let wrong = format!("{passphrase}x");
        expect(mx_key_export::read(file.as_bytes(), &wrong).is_err(), "a wrong passphrase opens the file")
    })
}

/// We write, they read.
pub fn to_them(rng: &mut ChaCha20Rng) -> Outcome {
    over_files(rng, |rng, passphrase, rounds, sessions| {
        let file = mx_key_export::write(rng, passphrase, rounds, sessions)?;
        let read = decrypt_room_key_export(&*file, passphrase)?;
        let their_ids: Vec<_> = read.into_iter().map(|key| key.session_id).collect();
        expect(their_ids == ids(sessions), "other sessions")?;
        let wrong = format!("{passphrase}x");
        expect(decrypt_room_key_export(&*file, &wrong).is_err(), "a wrong passphrase opens the file")
    })
}

/// Files at the edge of the specification, and beyond.
pub fn differences(d: &mut Differences, report: &mut Report, rng: &mut ChaCha20Rng) -> Verdict {
    const PASSPHRASE: &str = "passphrase";
    let sessions = [random_session_data(rng)?, random_session_data(rng)?];
    let file = String::from_utf8(mx_key_export::write(rng, PASSPHRASE, NonZeroU32::MIN, &sessions)?)?;
    let lines: Vec<&str> = file.lines().collect();
    let body = lines[1..lines.len() - 1].concat();
    let (begin, end) = (lines[0], lines[lines.len() - 1]);
    let unpadded = body.trim_end_matches('=');
    let halves = body.split_at(body.len() / 2);
    let cases = [
        ("EXP-12", "key file with CRLF", true, file.replace('\n', "\r\n")),
        ("EXP-12", "key file in one line, without padding or newline", true, {
            format!("{begin}\n{unpadded}\n{end}")
        }),
        ("EXP-12", "key file with blank lines", true, file.replace('\n', "\n\n")),
        (
            "EXP-12",
            "key file with spaces in a line",
            true,
            format!("{begin}\n{} {}\n{end}\n", halves.0, halves.1),
        ),
        ("EXP-12", "key file with white space around lines", true, file.replace('\n', " \n\t")),
        ("EXP-14", "text before the key file", true, format!("Keep this safe.\n{file}")),
        ("EXP-14", "text behind the key file", true, format!("{file}Kept.\n")),
        ("EXP-14", "key file without its last line", false, file.replace(end, "")),
        ("EXP-14", "key file without its first line", false, file.replace(begin, "")),
        (
            "EXP-14",
            "an asterisk in the Base64",
            false,
            format!("{begin}\n{}*{}\n{end}\n", halves.0, halves.1),
        ),
        ("EXP-13", "key file of 36 bytes", false, format!("{begin}\n{}\n{end}\n", &body[..48])),
        ("EXP-13", "key file of 66 bytes", false, format!("{begin}\n{}\n{end}\n", &body[..88])),
        ("EXP-9", "key file of version 2", false, format!("{begin}\nAg{}\n{end}\n", &body[2..])),
    ];
    for (requirement, name, accepted, file) in cases {
        d.case(report, (requirement, name), accepted, &|| opens_ours(&file, PASSPHRASE), &|| {
            opens_theirs(&file, PASSPHRASE)
        });
    }
    entries(d, report, rng, &sessions)
}

/// What may stand in the list of sessions.
fn entries(
    d: &mut Differences,
    report: &mut Report,
    rng: &mut ChaCha20Rng,
    sessions: &[ExportedSessionData<'_>],
) -> Verdict {
    let good = |session: &ExportedSessionData<'_>| serde_json::from_slice::<Value>(&session.emit_to_vec());
    let (first, second) = (good(&sessions[0])?, good(&sessions[1])?);
    let mut other_algorithm = first.clone();
    other_algorithm["algorithm"] = "m.megolm.v2.aes-sha2".into();
    let mut without_key = first.clone();
    without_key["session_key"] = Value::Null;
    for (name, bad) in [
        ("an entry of another algorithm beside a good one", other_algorithm),
        ("an entry without session key beside a good one", without_key),
    ] {
        let keys = mx_key_export::KeyDerivation::new(rng, "passphrase", NonZeroU32::MIN)?.finish();
        let mut writer = mx_key_export::KeyExportWriter::new(rng, &keys, Vec::new())?;
        for entry in [&bad, &second] {
            writer.write_json(entry.to_string().as_bytes())?;
        }
        let file = writer.finish()?;
        d.case(
            report,
            ("EXP-29", name),
            true,
            &|| {
                let read = mx_key_export::read(&file, "passphrase")?;
                expect(read.sessions.len() == 1 && read.refused.len() == 1, "not one session and one refusal")
            },
            &|| expect(!decrypt_room_key_export(&*file, "passphrase")?.is_empty(), "no session"),
        );
    }
    Ok(())
}

fn opens_ours(file: &str, passphrase: &str) -> Verdict {
    let read = mx_key_export::read(file.as_bytes(), passphrase)?;
    expect(read.sessions.len() == 2 && read.refused.is_empty(), "other sessions")
}

fn opens_theirs(file: &str, passphrase: &str) -> Verdict {
    expect(decrypt_room_key_export(file.as_bytes(), passphrase)?.len() == 2, "other sessions")
}

fn over_files(
    rng: &mut ChaCha20Rng,
    check: impl Fn(&mut ChaCha20Rng, &str, NonZeroU32, &[ExportedSessionData<'_>]) -> Result<(), Failure>,
) -> Outcome {
    let most = SESSIONS.into_iter().max().unwrap_or_default();
    let pool: Vec<_> = (0..most).map(|_| random_session_data(rng)).collect::<Result<_, _>>()?;
    let mut files = 0;
    for passphrase in PASSPHRASES {
        for count in SESSIONS {
            let rounds = NonZeroU32::new(ROUNDS[below(rng, ROUNDS.len())]).ok_or("no rounds")?;
            let words = format!("{passphrase:?}, {rounds} rounds, {count} sessions");
            check(rng, passphrase, rounds, &pool[..count]).map_err(|reason| format!("{words}: {reason}"))?;
            files += 1;
        }
    }
    Ok(format!("{files} files of 0 to {most} sessions of {ROOM_ID}, 1 to 100,000 rounds"))
}

fn theirs(sessions: &[ExportedSessionData<'_>]) -> Result<Vec<ExportedRoomKey>, serde_json::Error> {
    sessions.iter().map(|session| serde_json::from_slice(&session.emit_to_vec())).collect()
}

fn ids(sessions: &[ExportedSessionData<'_>]) -> Vec<String> {
    sessions.iter().map(|session| session.session_id().to_string()).collect()
}
