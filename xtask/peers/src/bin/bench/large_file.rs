//! A key file of 500,000 sessions: read, filtered and written again by us, and read by matrix-sdk-crypto, each in a process
//! of its own, as what counts is the memory that it takes.

use std::{
    env, fs,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use embedded_io_adapters::std::FromStd;
use mx_key_export::{KeyExport, KeyExportWriter, MAX_ROUNDS};

use crate::key_files::{PASSPHRASE, keys, rng, sessions};

const SESSIONS: usize = 500_000;

/// Sessions that are made; the file has them again and again, since making them takes longer than writing them.
const DIFFERENT: usize = 20_000;

const OURS: &str = "ours";
const MATRIX_SDK_CRYPTO: &str = "matrix-sdk-crypto";

/// Prints time on the processor and peak memory of both.
pub fn compare(with_peers: bool) -> io::Result<ExitCode> {
    let folder = env::temp_dir().join(format!("mx-large-file-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let path = folder.join("keys.txt");
    let result = make(&path).and_then(|len| {
        println!("{SESSIONS} sessions, {} MB", len / 1_000_000);
        println!("{:<50} {:>10} {:>10}", "work", "time", "peak");
        run(OURS, "ours: read, filtered, written again", &path)?;
        if with_peers && cfg!(feature = "matrix-sdk-crypto") {
            run(MATRIX_SDK_CRYPTO, "matrix-sdk-crypto: read", &path)?;
        }
        Ok(())
    });
    fs::remove_dir_all(&folder)?;
    result.map(|()| ExitCode::SUCCESS)
}

/// One side, in the process that [`compare`] started.
pub fn one_side(who: &str, path: &Path) -> io::Result<ExitCode> {
    match who {
        OURS => filter(path)?,
        #[cfg(feature = "matrix-sdk-crypto")]
        MATRIX_SDK_CRYPTO => {
            let file = File::open(path)?;
            let sessions =
                matrix_sdk_crypto::decrypt_room_key_export(file, PASSPHRASE).map_err(io::Error::other)?;
            assert_eq!(sessions.len(), SESSIONS);
        }
        _ => return Ok(ExitCode::from(2)),
    }
    Ok(ExitCode::SUCCESS)
}

fn make(path: &Path) -> io::Result<u64> {
    let keys = keys();
    let different: Vec<_> = sessions(DIFFERENT).collect();
    let out = FromStd::new(File::create(path)?);
    let mut writer = KeyExportWriter::new(&mut rng(), &keys, out).map_err(io::Error::other)?;
    for session in different.iter().cycle().take(SESSIONS) {
        writer.write(session).map_err(io::Error::other)?;
    }
    writer.finish().map_err(io::Error::other)?.into_inner().metadata().map(|file| file.len())
}

/// Every second room goes to another file.
fn filter(path: &Path) -> io::Result<()> {
    let mut file = KeyExport::open(FromStd::new(File::open(path)?)).map_err(io::Error::other)?;
    let keys = file.derive(PASSPHRASE, MAX_ROUNDS).map_err(io::Error::other)?.finish();
    let out = FromStd::new(File::create(path.with_extension("filtered"))?);
    let mut writer = KeyExportWriter::new(&mut rng(), &keys, out).map_err(io::Error::other)?;
    let mut sessions = file.sessions(&keys).map_err(io::Error::other)?;
    while let Some(session) = sessions.next_session().map_err(io::Error::other)? {
        let session = session.map_err(io::Error::other)?;
        if session.room_id().as_bytes().get(18).is_some_and(|digit| digit % 2 == 0) {
            writer.write(&session).map_err(io::Error::other)?;
        }
    }
    assert!(sessions.counts().entries == SESSIONS as u64 && writer.sessions() == SESSIONS as u64 / 2);
    writer.finish().map_err(io::Error::other)?;
    Ok(())
}

fn run(who: &str, work: &str, path: &PathBuf) -> io::Result<()> {
    let (time_before, _) = children();
    let status = Command::new(env::current_exe()?).arg("--large-side").arg(who).arg(path).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("{who} failed")));
    }
    let (time, peak) = children();
    println!("{work:<50} {:>8.2} s {:>7} MB", (time - time_before).as_secs_f64(), peak / 1_000_000);
    Ok(())
}

/// Time on processors of all processes that ended, and the peak of the largest.
fn children() -> (Duration, u64) {
    // SAFETY: zeros are a value of this type.
    let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
    // SAFETY: a valid request and a place to write to.
    let result = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    assert_eq!(result, 0, "no account of processes");
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    (time(usage.ru_utime) + time(usage.ru_stime), usage.ru_maxrss.unsigned_abs() * 1024)
}
