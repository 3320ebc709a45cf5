//! `demo`, `interop` and `bench`: forwarded to the programs that do it. Those with a peer live in their own
//! workspace, xtask/peers, so that peers enter neither our lockfile nor our licence check.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::{
    MISUSE,
    args::Args,
    process::succeeds,
    project::Project,
    report::{Outcome, Report},
};

const MANIFEST: &str = "xtask/peers/Cargo.toml";
const LIBOLM: &str = "apt-get install -y libolm-dev";

pub(crate) fn demo(project: &Project, args: &Args) -> Result<Report> {
    let words = args.words();
    match value_of(words, "--peer") {
        None => {
            let mut command = release(project, "Cargo.toml");
            forward(project, command.args(["--package", "mx-demo", "--"]).args(words))
        }
        Some("libolm") if !has_libolm(project) => Ok(no_libolm()),
        Some(peer) => forward(project, program(project, "demo", peer == "libolm").args(words)),
    }
}

pub(crate) fn interop(project: &Project, args: &Args) -> Result<Report> {
    with_all_peers(project, "interop", args.words())
}

/// The interop run that `test` contains.
pub(crate) fn quick_interop(project: &Project) -> Result<Report> {
    // The same schedules each time: a gate says the same of the same code. `interop` by itself draws new ones.
    with_all_peers(project, "interop", &["--quick", "--seed", "1"].map(str::to_owned))
}

pub(crate) fn bench(project: &Project, args: &Args) -> Result<Report> {
    if args.words().iter().any(|word| word == "--peers") {
        return with_all_peers(project, "bench", args.words());
    }
    forward(project, program(project, "bench", false).args(args.words()))
}

/// Runs with every peer that is there; without libolm it runs with the others and says so.
fn with_all_peers(project: &Project, name: &str, words: &[String]) -> Result<Report> {
    let with_libolm = has_libolm(project);
    let report = forward(project, program(project, name, with_libolm).args(words))?;
    Ok(if with_libolm || report.has_failed() { report } else { no_libolm() })
}

/// A program of the peers' workspace, up to its own arguments.
fn program(project: &Project, name: &str, with_libolm: bool) -> Command {
    let mut command = release(project, MANIFEST);
    command.args(["--bin", name]);
    if with_libolm {
        command.args(["--features", "libolm"]);
    }
    command.arg("--");
    command
}

fn release(project: &Project, manifest: &str) -> Command {
    let mut command = project.cargo(["run", "--quiet", "--release", "--manifest-path"]);
    command.arg(project.root.join(manifest));
    command
}

/// The program speaks for itself, so nothing is left to draw. It runs where the user is: paths in its arguments are
/// meant from there.
fn forward(project: &Project, command: &mut Command) -> Result<Report> {
    let folder = std::env::current_dir()?;
    let status = project.stream_status(command.current_dir(folder))?;
    let misused = status.code() == Some(i32::from(MISUSE));
    Ok(Report::new(if misused { Outcome::Misused } else { Outcome::of(status.success()) }))
}

/// The value of a flag that is handed on: `--flag value` or `--flag=value`.
fn value_of<'w>(words: &'w [String], flag: &str) -> Option<&'w str> {
    let joined = words.iter().find_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
    joined.or_else(|| words.iter().skip_while(|word| *word != flag).nth(1).map(String::as_str))
}

fn no_libolm() -> Report {
    Report::skipped(format!("libolm took no part, it is missing; `{LIBOLM}` installs it"))
}

/// Whether libolm can be linked. On Debian, as root, it is installed first where it is missing.
fn has_libolm(project: &Project) -> bool {
    let found = || {
        succeeds(project.program("pkg-config").args(["--exists", "olm"]))
            || Path::new("/usr/include/olm/olm.h").exists()
    };
    found() || {
        let is_root =
            crate::process::capture(project.program("id").arg("-u")).is_ok_and(|id| id.stdout.trim() == "0");
        if is_root && succeeds(project.program("apt-get").arg("--version")) {
            eprintln!("installing libolm: apt-get update && {LIBOLM}");
            succeeds(project.program("apt-get").arg("update"));
            succeeds(project.program("apt-get").args(["install", "-y", "libolm-dev"]));
        }
        found()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarded_flag_is_read_in_both_spellings() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(value_of(&words("--json --peer libolm"), "--peer"), Some("libolm"));
        assert_eq!(value_of(&words("--peer=vodozemac"), "--peer"), Some("vodozemac"));
        assert_eq!(value_of(&words("--file x --peer"), "--peer"), None);
    }
}
