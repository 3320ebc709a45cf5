//! `memory`: what safe code cannot see. Secrets that stay behind and allocations are tests of the workspace
//! xtask/memory, branches on secrets are valgrind's reports of its program, in tests that ask for it.

use anyhow::Result;

use crate::{
    args::Args,
    process::succeeds,
    project::Project,
    report::{Outcome, Report},
    steps::Steps,
};

const MANIFEST: &str = "xtask/memory/Cargo.toml";
const VALGRIND: &str = "apt-get install -y valgrind";

pub(crate) fn run(project: &Project, _: &Args) -> Result<Report> {
    let mut steps = Steps::new();
    for (name, features) in [("without an allocator", ""), ("with one", "alloc")] {
        let mut command =
            project.cargo(["test", "--quiet", "--manifest-path", MANIFEST, "--features", features]);
        steps.outcome(&format!("stale secrets and allocations, {name}"), || {
            project.stream(&mut command).map(Outcome::of)
        });
    }
    steps.outcome("branches and addresses that depend on secrets", || branches(project));
    Ok(steps.finish())
}

fn branches(project: &Project) -> Result<Outcome> {
    if !succeeds(project.program("valgrind").arg("--version")) {
        return Ok(Outcome::Skipped(format!("valgrind is missing; `{VALGRIND}` installs it")));
    }
    let mut test = project.cargo(["test", "--quiet", "--release", "--manifest-path", MANIFEST]);
    test.args(["--test", "branches", "--", "--ignored"]);
    project.stream(&mut test).map(Outcome::of)
}
