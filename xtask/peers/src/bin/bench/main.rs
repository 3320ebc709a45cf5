//! Our crates and the peers on the same work in one run.

mod attachments;
mod cross_signing;
mod json;
mod key_files;
mod large_file;
#[cfg(feature = "libolm")]
mod libolm_cases;
mod measure;
mod our_cases;
mod ratchets;
mod table;
mod vodozemac_cases;

use std::{env, io, path::Path, process::ExitCode};

use self::table::Table;

const HELP: &str = "\
Measures our crates, in CPU time of the thread.

Usage: cargo xtask bench [--peers] [--json] [--large] [WORDS]

  --peers   vodozemac, libolm, ruma and simd-json on the same work in the same run, in turns
  --json    print the table as JSON
  --large   instead: a key file of 500,000 sessions, with the memory that it takes
  WORDS     only rows whose name contains this
";

fn main() -> ExitCode {
    // How `--large` starts itself.
    let arguments: Vec<_> = env::args().collect();
    if let [_, flag, who, path] = &arguments[..]
        && flag == "--large-side"
    {
        return done(large_file::one_side(who, Path::new(path)));
    }
    let mut json = false;
    let mut with_peers = false;
    let mut large = false;
    let mut only = None;
    for argument in env::args().skip(1) {
        match argument.as_str() {
            "--peers" => with_peers = true,
            "--json" => json = true,
            "--large" => large = true,
            "--help" | "-h" => {
                print!("{HELP}");
                return ExitCode::SUCCESS;
            }
            words if !words.starts_with('-') => only = Some(words.to_lowercase()),
            unknown => {
                eprintln!("unknown argument `{unknown}`\nTry --help.");
                return ExitCode::from(2);
            }
        }
    }
    if large {
        return done(large_file::compare(with_peers));
    }
    let mut table = Table::new(json, with_peers, only);
    ratchets::rows(&mut table);
    json::rows(&mut table);
    cross_signing::rows(&mut table);
    key_files::rows(&mut table);
    attachments::rows(&mut table);
    table.close();
    ExitCode::SUCCESS
}

fn done(result: io::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
