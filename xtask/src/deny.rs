//! `deny`: licences, bans and sources by deny.toml; advisories where their database can be fetched.

use anyhow::Result;

use crate::{
    args::Args,
    process::{capture, succeeds},
    project::Project,
    report::{Outcome, Report},
    steps::Steps,
};

const INSTALL: &str = "cargo install cargo-deny --locked";

pub(crate) fn run(project: &Project, _: &Args) -> Result<Report> {
    if !succeeds(&mut project.cargo(["deny", "--version"])) {
        return Ok(Report::skipped(format!("cargo-deny is missing; `{INSTALL}` installs it")));
    }
    let mut steps = Steps::new();
    for check in ["bans", "licenses", "sources"] {
        let mut command = project.cargo(["deny", "--all-features", "check", check]);
        steps.outcome(check, || project.stream(&mut command).map(Outcome::of));
    }
    steps.outcome("advisories", || advisories(project));
    Ok(steps.finish())
}

/// The database of advisories lies in a repository that not every machine can reach.
fn advisories(project: &Project) -> Result<Outcome> {
    let fetched = capture(&mut project.cargo(["deny", "fetch", "db"]))?;
    if !fetched.success {
        return Ok(Outcome::Skipped("the advisory database cannot be fetched from here".to_owned()));
    }
    project.stream(&mut project.cargo(["deny", "--all-features", "check", "advisories"])).map(Outcome::of)
}
