//! `test`: what the README names. Every crate's own tests with all features and with none, then what no unit
//! test can see: targets without std, arrows, resolved features, firmware that links, live peers, a homeserver.
//! With `--qemu` firmware that runs, known answers and a whole device, and nothing else.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::{
    args::Args,
    check, features, homeserver, known_answers, layers, memory, peers,
    project::Project,
    qemu,
    report::{Outcome, Report},
    size,
    steps::Steps,
    wasm, web,
};

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let mut steps = Steps::new();
    if args.has("qemu") {
        steps.report("known answers in QEMU", || known_answers::run(project));
        steps.outcome("firmware in QEMU", || Ok(qemu::run(project)?.outcome().clone()));
        return Ok(steps.finish());
    }
    suites(project, args.words(), &mut steps)?;
    if args.words().is_empty() {
        let plain = Args::default();
        steps.report("check", || check::run(project, &plain));
        steps.report("layers", || layers::run(project, &plain));
        steps.report("features", || features::run(project, &plain));
        steps.report("memory", || memory::run(project, &plain));
        steps.report("firmware without an allocator", || size::run(project, &Args::with_flag("check")));
        steps.report("mx-wasm in Node.js", || wasm::test(project));
        steps.report("page and mx-wasm in Chromium", || web::test(project, web::Pace::Quick));
        if !args.has("no-interop") {
            steps.outcome("interop", || Ok(peers::quick_interop(project)?.outcome().clone()));
            steps.outcome("homeserver", || Ok(homeserver::run(project, &plain)?.outcome().clone()));
        }
    }
    Ok(steps.finish())
}

/// `cargo test` for each crate alone, so that none borrows a feature from another.
fn suites(project: &Project, wanted: &[String], steps: &mut Steps) -> Result<()> {
    let names: BTreeSet<_> =
        project.crates().chain(project.tools()).map(|member| member.name.as_str()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name.as_str())) {
        bail!("there is no crate `{unknown}`; known: {}", names.into_iter().collect::<Vec<_>>().join(", "));
    }
    for member in project.crates().chain(project.tools()) {
        if !wanted.is_empty() && !wanted.contains(&member.name) {
            continue;
        }
        let sets = member.feature_sets();
        let ends = [sets.first(), sets.last().filter(|_| sets.len() > 1)];
        for set in ends.into_iter().flatten() {
            let mut command = project.cargo(["test", "--package", &member.name]);
            command.args(set.args());
            let name = format!("test {} [{}]", member.name, set.label());
            steps.outcome(&name, || project.stream(&mut command).map(Outcome::of));
        }
    }
    Ok(())
}
