//! `doc`: the documentation as docs.rs builds it, with all features, warnings denied.

use anyhow::Result;

use crate::{
    args::Args,
    project::Project,
    report::{Outcome, Report},
};

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let mut command = project.cargo(["doc", "--no-deps", "--all-features"]);
    for member in project.libraries() {
        command.args(["--package", &member.name]);
    }
    if args.has("open") {
        command.arg("--open");
    }
    project
        .stream(command.env("RUSTDOCFLAGS", "--deny warnings"))
        .map(|passed| Report::new(Outcome::of(passed)))
}
