//! Our crates and the peers on the same work in one run.

mod cross_signing;
mod json;
#[cfg(feature = "libolm")]
mod libolm_cases;
mod measure;
mod our_cases;
mod ratchets;
mod table;
mod vodozemac_cases;

use std::{env, process::ExitCode};

use self::table::Table;

const HELP: &str = "\
Measures our crates, in CPU time of the thread.

Usage: cargo xtask bench [--peers] [--json] [WORDS]

  --peers   vodozemac, libolm, ruma and simd-json on the same work in the same run, in turns
  --json    print the table as JSON
  WORDS     only rows whose name contains this
";

fn main() -> ExitCode {
    let mut json = false;
    let mut with_peers = false;
    let mut only = None;
    for argument in env::args().skip(1) {
        match argument.as_str() {
            "--peers" => with_peers = true,
            "--json" => json = true,
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
    let mut table = Table::new(json, with_peers, only);
    ratchets::rows(&mut table);
    json::rows(&mut table);
    cross_signing::rows(&mut table);
    table.close();
    ExitCode::SUCCESS
}
