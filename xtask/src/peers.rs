//! `demo`, `interop` and `bench`: forwarded to the programs that do it. Those with a peer live in their own
//! workspace, xtask/peers, so that peers enter neither our lockfile nor our licence check.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{
    MISUSE,
    args::Args,
    process::{capture, succeeds},
    project::Project,
    report::{Outcome, Report},
};

const MANIFEST: &str = "xtask/peers/Cargo.toml";

/// A peer that is a feature of the workspace's, and takes part where what it needs is there.
struct Optional {
    feature: &'static str,
    is_there: fn(&Project) -> bool,
    /// The line that installs what it needs.
    install: &'static str,
}

const LIBOLM: Optional = Optional {
    feature: "libolm",
    is_there: |project| has_library(project, "olm", Some("/usr/include/olm/olm.h"), &["libolm-dev"]),
    install: "apt-get install -y libolm-dev",
};
const MATRIX_SDK_CRYPTO: Optional =
    Optional { feature: "matrix-sdk-crypto", is_there: has_rust_1_93, install: "rustup update stable" };
/// The key sets that it is tested with: sixty packages more, so not in the gate.
const MATRIX_SDK_TEST: Optional = Optional { feature: "matrix-sdk-test", ..MATRIX_SDK_CRYPTO };
const OPENSSL: Optional = Optional {
    feature: "openssl",
    is_there: |project| has_library(project, "openssl", None, &["libssl-dev", "pkg-config"]),
    install: "apt-get install -y libssl-dev pkg-config",
};

pub(crate) fn demo(project: &Project, args: &Args) -> Result<Report> {
    let words = args.words();
    match value_of(words, "--peer") {
        None => {
            let mut command = run(project, "Cargo.toml", Profile::Release);
            command.env(TOOL, tool(project, Profile::Release)?);
            forward(project, command.args(["--package", "mx-demo", "--"]).args(words))
        }
        Some("libolm") => with_peers(project, "demo", Profile::Release, words, &[LIBOLM], Missing::Ends),
        Some(_) => with_peers(project, "demo", Profile::Release, words, &[], Missing::Ends),
    }
}

pub(crate) fn interop(project: &Project, args: &Args) -> Result<Report> {
    let wanted = [LIBOLM, MATRIX_SDK_CRYPTO, MATRIX_SDK_TEST];
    with_peers(project, "interop", Profile::Release, args.words(), &wanted, Missing::IsSaid)
}

/// The interop run that `test` contains.
pub(crate) fn quick_interop(project: &Project) -> Result<Report> {
    // The same schedules each time: a gate says the same of the same code. `interop` by itself draws new ones.
    let words = ["--quick", "--seed", "1"].map(str::to_owned);
    with_peers(project, "interop", Profile::Dev, &words, &[LIBOLM, MATRIX_SDK_CRYPTO], Missing::IsSaid)
}

/// Firmware in QEMU with vodozemac. With the peers of `interop`, so that nothing is built twice.
pub(crate) fn firmware(project: &Project, words: &[String]) -> Result<Report> {
    with_peers(project, "firmware", Profile::Dev, words, &[LIBOLM, MATRIX_SDK_CRYPTO], Missing::IsNothing)
}

/// docs/vectors: written, or compared as `interop` does it, too. Built as for the gate.
pub(crate) fn vectors(project: &Project, args: &Args) -> Result<Report> {
    if !(LIBOLM.is_there)(project) {
        return Ok(Report::skipped(format!(
            "there is no libolm to make them; `{}` brings it",
            LIBOLM.install
        )));
    }
    let words: &[&str] =
        if args.has("check") { &["--only", "Published vectors"] } else { &["--write-vectors"] };
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    with_peers(project, "interop", Profile::Dev, &words, &[LIBOLM, MATRIX_SDK_CRYPTO], Missing::IsNothing)
}

pub(crate) fn bench(project: &Project, args: &Args) -> Result<Report> {
    let words = args.words();
    if words.iter().any(|word| word == "--peers") {
        let wanted = [LIBOLM, MATRIX_SDK_CRYPTO, OPENSSL];
        return with_peers(project, "bench", Profile::Release, words, &wanted, Missing::IsSaid);
    }
    forward(project, program(project, "bench", Profile::Release, &[]).args(words))
}

/// How a program is built.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// Soon: what the gate does, which mostly builds, and where the tests of the workspace have built the same.
    Dev,
    /// Fast.
    Release,
}

impl Profile {
    const fn flag(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &[],
            Self::Release => &["--release"],
        }
    }
}

/// What a peer that cannot take part means.
enum Missing {
    /// The program runs with the others, and the report says who was missing.
    IsSaid,
    /// There is nothing to run without it.
    Ends,
    /// It has no part in this anyway.
    IsNothing,
}

fn with_peers(
    project: &Project,
    name: &str,
    profile: Profile,
    words: &[String],
    wanted: &[Optional],
    missing: Missing,
) -> Result<Report> {
    let (present, absent): (Vec<_>, Vec<_>) = wanted.iter().partition(|peer| (peer.is_there)(project));
    let reasons: Vec<_> = absent
        .iter()
        .map(|peer| format!("{} took no part, `{}` brings what it needs", peer.feature, peer.install))
        .collect();
    if matches!(missing, Missing::Ends) && !reasons.is_empty() {
        return Ok(Report::skipped(reasons.join("; ")));
    }
    let features: Vec<_> = present.iter().map(|peer| peer.feature).collect();
    let mut command = program(project, name, profile, &features);
    if !["bench", "firmware"].contains(&name) {
        command.env(TOOL, tool(project, profile)?);
    }
    let report = forward(project, command.args(words))?;
    let is_whole = reasons.is_empty() || matches!(missing, Missing::IsNothing);
    Ok(if is_whole || report.has_failed() { report } else { Report::skipped(reasons.join("; ")) })
}

/// Tells demo, interop and homeserver where `mx-e2ee` is.
pub(crate) const TOOL: &str = "MX_E2EE";

/// Builds `mx-e2ee`, and says where it is.
pub(crate) fn tool(project: &Project, profile: Profile) -> Result<PathBuf> {
    let build = ["build", "--quiet", "--package", "mx-e2ee-cli", "--message-format", "json"];
    let built = capture(project.cargo(build).args(profile.flag()))?;
    let program = built.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = program.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    program.with_context(|| format!("mx-e2ee was not built\n{}", built.stderr))
}

/// A program of the peers' workspace, up to its own arguments.
fn program(project: &Project, name: &str, profile: Profile, features: &[&str]) -> Command {
    let mut command = run(project, MANIFEST, profile);
    command.args(["--bin", name]);
    if !features.is_empty() {
        command.args(["--features", &features.join(",")]);
    }
    command.arg("--");
    command
}

fn run(project: &Project, manifest: &str, profile: Profile) -> Command {
    let mut command = project.cargo(["run", "--quiet"]);
    command.args(profile.flag()).arg("--manifest-path").arg(project.root.join(manifest));
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

/// Whether a C library can be linked: pkg-config knows it, or a header is enough and lies there. On Debian, as root,
/// it is installed first where it is missing.
fn has_library(project: &Project, name: &str, header: Option<&str>, packages: &[&str]) -> bool {
    let found = || {
        succeeds(project.program("pkg-config").args(["--exists", name]))
            || header.is_some_and(|header| Path::new(header).exists())
    };
    found() || {
        install(project, packages);
        found()
    }
}

/// Installs Debian's packages, on Debian and as root; otherwise nothing happens.
pub(crate) fn install(project: &Project, packages: &[&str]) {
    let is_root = capture(project.program("id").arg("-u")).is_ok_and(|id| id.stdout.trim() == "0");
    if is_root && succeeds(project.program("apt-get").arg("--version")) {
        eprintln!("installing: apt-get update && apt-get install -y {}", packages.join(" "));
        succeeds(project.program("apt-get").arg("update"));
        succeeds(
            project.program("apt-get").args(["install", "-y", "--no-install-recommends"]).args(packages),
        );
    }
}

/// What matrix-sdk-crypto asks for, which is more than we do.
fn has_rust_1_93(project: &Project) -> bool {
    let version = capture(project.program("rustc").arg("--version"));
    version.is_ok_and(|version| minor_version(&version.stdout).is_some_and(|minor| minor >= 93))
}

/// The 95 of `rustc 1.95.0 (…)`.
fn minor_version(words: &str) -> Option<u32> {
    words.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
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

    #[test]
    fn the_minor_version_of_rustc_is_read() {
        assert_eq!(minor_version("rustc 1.95.0 (59807616e 2026-04-14)"), Some(95));
        assert_eq!(minor_version("rustc 1.100.0-nightly (0 2027-01-01)"), Some(100));
        assert_eq!(minor_version(""), None);
    }
}
