//! `fuzz`: the targets of fuzz/, by cargo-fuzz on the nightly toolchain.

use anyhow::{Result, bail};

use crate::{
    args::Args,
    process::succeeds,
    project::Project,
    report::{Outcome, Report, Table},
    source::files,
};

/// Seconds for each target where nothing else is asked for.
const DEFAULT_SECONDS: &str = "60";

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let targets = targets(project)?;
    if let Some(unknown) = args.words().iter().find(|word| !targets.contains(word)) {
        bail!("there is no fuzz target `{unknown}`; known: {}", targets.join(", "));
    }
    for (tool, arguments, install) in [
        ("the nightly toolchain", &["--version"][..], "rustup toolchain install nightly --profile minimal"),
        ("cargo-fuzz", &["fuzz", "--version"][..], "cargo install cargo-fuzz --locked"),
    ] {
        if !succeeds(&mut project.cargo_of("nightly", arguments.iter().copied())) {
            return Ok(Report::skipped(format!("{tool} is missing; `{install}` installs it")));
        }
    }
    let wanted = if args.words().is_empty() { &targets } else { args.words() };
    let seconds = format!("-max_total_time={}", args.value("time").unwrap_or(DEFAULT_SECONDS));
    let mut table = Table::new("", &["target", "outcome"]);
    let mut failed = false;
    for target in wanted {
        let run = ["fuzz", "run", "--fuzz-dir", "fuzz", target, "--", &seconds];
        let passed = project.stream(&mut project.cargo_of("nightly", run))?;
        failed |= !passed;
        table.row([target.clone(), Outcome::of(passed).to_string()]);
    }
    Ok(Report::new(Outcome::of(!failed)).table(table))
}

fn targets(project: &Project) -> Result<Vec<String>> {
    let files = files(&project.root.join("fuzz/fuzz_targets"), ".rs")?;
    Ok(files.iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect())
}
