//! `homeserver`: our crates and the tool against Synapse. The program xtask/homeserver starts it and does the rest.

use anyhow::Result;

use crate::{
    args::Args,
    peers::{Profile, TOOL, tool},
    project::Project,
    report::{Outcome, Report},
    synapse,
};

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let python = match synapse::python(project)? {
        Ok(python) => python,
        Err(reason) => return Ok(Report::skipped(reason)),
    };
    let mut command = project.cargo(["run", "--quiet", "--package", "mx-homeserver", "--"]);
    command.arg(project.root.join("target/homeserver")).env("SYNAPSE_PYTHON", python);
    command.env(TOOL, tool(project, Profile::Dev)?);
    if args.has("keep") {
        command.arg("--keep");
    }
    project.stream(&mut command).map(|passed| Report::new(Outcome::of(passed)))
}
