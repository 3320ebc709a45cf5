//! `demo`, `interop` and `bench`: forwarded to the programs that do it. Those with a peer live in their own
//! workspace, xtask/peers, so that peers enter neither our lockfile nor our licence check.

use std::path::Path;

use anyhow::Result;

use crate::{
    args::Args,
    process::succeeds,
    project::Project,
    report::{Outcome, Report},
};

const MANIFEST: &str = "xtask/peers/Cargo.toml";
const LIBOLM: &str = "apt-get install -y libolm-dev";

pub(crate) fn demo(project: &Project, args: &Args) -> Result<Report> {
    let peer = args.words().iter().skip_while(|word| *word != "--peer").nth(1);
    let peer = peer.or_else(|| args.words().iter().find(|word| word.starts_with("--peer=")));
    match peer.map(|peer| peer.trim_start_matches("--peer=")) {
        None => {
            let mut command = project.cargo(["run", "--quiet", "--release", "--package", "mx-demo", "--"]);
            forward(project, command.args(args.words()))
        }
        Some("libolm") if !has_libolm(project) => Ok(no_libolm()),
        Some(_) => run(project, "demo", args.words()),
    }
}

pub(crate) fn interop(project: &Project, args: &Args) -> Result<Report> {
    run(project, "interop", args.words())
}

pub(crate) fn bench(project: &Project, args: &Args) -> Result<Report> {
    run(project, "bench", args.words())
}

/// The interop run that `test` contains.
pub(crate) fn interop_outcome(project: &Project) -> Result<Outcome> {
    run(project, "interop", &[]).map(|report| report.outcome().clone())
}

/// Runs a program of the peers' workspace; without libolm it runs with the other peers and says so.
fn run(project: &Project, program: &str, words: &[String]) -> Result<Report> {
    let mut command =
        project.cargo(["run", "--quiet", "--release", "--manifest-path", MANIFEST, "--bin", program]);
    let with_libolm = has_libolm(project);
    if with_libolm {
        command.args(["--features", "libolm"]);
    }
    let report = forward(project, command.arg("--").args(words))?;
    Ok(if with_libolm || report.has_failed() { report } else { no_libolm() })
}

/// The program speaks for itself, so nothing is left to draw but a failure.
fn forward(project: &Project, command: &mut std::process::Command) -> Result<Report> {
    project.stream(command).map(|passed| Report::new(Outcome::of(passed)))
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
