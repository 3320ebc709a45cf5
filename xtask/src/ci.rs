//! `ci`: everything that gates.

use anyhow::Result;

use crate::{
    args::Args, attacks, conformance, deny, lint, msrv, project::Project, report::Report, steps::Steps, test,
    tidy,
};

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let mut steps = Steps::new();
    steps.report("tidy", || tidy::run(project, args));
    steps.report("lint", || lint::run(project, args));
    steps.report("test", || test::run(project, args));
    steps.report("msrv", || msrv::run(project, args));
    steps.report("deny", || deny::run(project, args));
    steps.report("conformance", || conformance::run(project, args));
    steps.report("attacks", || attacks::run(project, args));
    Ok(steps.finish())
}
