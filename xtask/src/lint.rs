//! `lint`: rustfmt, clippy and rustdoc, with warnings denied.

use anyhow::Result;

use crate::{
    args::Args,
    doc,
    project::Project,
    report::{Outcome, Report, Table},
    size,
};

/// Workspaces of their own, with the arguments that clippy needs there.
const APART: &[(&str, &[&str])] = &[
    ("fuzz/Cargo.toml", &[]),
    ("xtask/memory/Cargo.toml", &["--all-targets", "--features", "alloc"]),
    ("xtask/firmware/Cargo.toml", &["--target", size::TARGET, "--features", "all"]),
    ("xtask/peers/Cargo.toml", &["--all-targets"]),
];

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let mut table = Table::new("", &["step", "outcome"]);
    let mut failed = false;
    let mut step = |name: String, passed: bool| {
        failed |= !passed;
        table.row([name, Outcome::of(passed).to_string()]);
    };

    step("rustfmt".to_owned(), project.stream(&mut project.cargo(["fmt", "--all", "--check"]))?);
    for (manifest, args) in APART {
        let mut command = project.cargo(["fmt", "--check", "--manifest-path", manifest]);
        step(format!("rustfmt {manifest}"), project.stream(&mut command)?);
        let mut command = project.cargo(["clippy", "--quiet", "--manifest-path", manifest]);
        command.args(*args).args(["--", "--deny", "warnings"]);
        step(format!("clippy {manifest}"), project.stream(&mut command)?);
    }
    for member in project.libraries().chain(project.tools()) {
        let sets = member.feature_sets();
        let ends = [sets.first(), sets.last().filter(|_| sets.len() > 1)];
        for set in ends.into_iter().flatten() {
            let mut command =
                project.cargo(["clippy", "--quiet", "--all-targets", "--package", &member.name]);
            command.args(set.args()).args(["--", "--deny", "warnings"]);
            step(format!("clippy {} [{}]", member.name, set.label()), project.stream(&mut command)?);
        }
    }
    step("rustdoc".to_owned(), !doc::run(project, args)?.has_failed());
    Ok(Report::new(Outcome::of(!failed)).table(table))
}
