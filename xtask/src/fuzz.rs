//! `fuzz`: the targets of fuzz/, built with coverage and run by libFuzzer.
//!
//! The layout is cargo-fuzz's, which can minimise and show coverage besides; to find something it is not needed,
//! nor is the nightly toolchain: the compiler's own coverage pass is enough where no code is unsafe.

use anyhow::{Context as _, Result, bail};

use crate::{
    args::Args,
    process::{capture, succeeds},
    project::Project,
    report::{Outcome, Report, Table},
    source::files,
};

const FOLDER: &str = "fuzz";

/// Seconds for each target where nothing else is asked for.
const DEFAULT_SECONDS: &str = "60";

/// Counters at every edge, and comparisons, for libFuzzer to learn from.
const COVERAGE: &[&str] = &[
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let targets = targets(project)?;
    if let Some(unknown) = args.words().iter().find(|word| !targets.contains(word)) {
        bail!("there is no fuzz target `{unknown}`; known: {}", targets.join(", "));
    }
    if !succeeds(project.program("c++").arg("--version")) {
        return Ok(Report::skipped("libFuzzer needs a C++ compiler; `apt-get install -y g++` installs one"));
    }
    let seconds = args.value("time").unwrap_or(DEFAULT_SECONDS);
    let wanted = if args.words().is_empty() { &targets } else { args.words() };
    let mut table = Table::new("", &["target", "seconds", "outcome"]);
    let mut failed = false;
    for target in wanted {
        let passed = fuzz(project, target, seconds)?;
        failed |= !passed;
        table.row([target.clone(), seconds.to_owned(), Outcome::of(passed).to_string()]);
    }
    Ok(Report::new(Outcome::of(!failed)).table(table))
}

/// One target; its corpus stays for the next time, and what broke it is kept beside.
fn fuzz(project: &Project, target: &str, seconds: &str) -> Result<bool> {
    let host = host(project)?;
    let manifest = format!("{FOLDER}/Cargo.toml");
    // With a target named, build scripts and macros are built without coverage.
    let mut build = project.cargo(["build", "--quiet", "--release", "--manifest-path", &manifest]);
    build.args(["--target", &host, "--bin", target]);
    build.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"));
    if !project.stream(&mut build)? {
        return Ok(false);
    }
    let (corpus, artifacts) = (format!("{FOLDER}/corpus/{target}"), format!("{FOLDER}/artifacts/{target}/"));
    for folder in [&corpus, &artifacts] {
        std::fs::create_dir_all(project.root.join(folder))?;
    }
    let program = project.root.join(FOLDER).join("target").join(host).join("release").join(target);
    let mut run = project.program(&program.to_string_lossy());
    run.args([corpus, format!("-artifact_prefix={artifacts}"), format!("-max_total_time={seconds}")]);
    project.stream(run.arg("-print_final_stats=1"))
}

fn host(project: &Project) -> Result<String> {
    let version = capture(project.program("rustc").arg("-vV"))?;
    let host = version.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names its host")
}

fn targets(project: &Project) -> Result<Vec<String>> {
    let files = files(&project.root.join(FOLDER).join("fuzz_targets"), ".rs")?;
    Ok(files.iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect())
}
