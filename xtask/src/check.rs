//! `check`: every crate alone, on every target, with every set of its features.
//!
//! A library that compiles may still want an allocator that nobody has: only `size`, which links firmware,
//! proves that none is needed. Programs are for hosts, and say so in the table.

use anyhow::Result;

use crate::{
    args::Args,
    features,
    process::capture,
    project::{FeatureSet, Member, Project, TARGETS},
    report::{Outcome, Report, Table},
};

const HOST: &str = "host";

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let targets = args.value("target").map_or_else(|| [&[HOST], TARGETS].concat(), |target| vec![target]);
    table(project, &targets)
}

/// The table of all crates on `targets`.
pub(crate) fn table(project: &Project, targets: &[&str]) -> Result<Report> {
    let mut table = Table::new("", &[&["crate", "features"], targets].concat());
    let (mut failed, mut skipped, mut errors) = (false, Vec::new(), Vec::new());
    for target in targets.iter().filter(|target| **target != HOST) {
        if let Err(line) = project.add_target(target) {
            skipped.push((*target, line));
        }
    }
    let host_only = features::host_only(project)?;
    for member in project.crates() {
        let host_only = host_only.get(&member.name).map(Vec::as_slice).unwrap_or_default();
        for set in member.feature_sets() {
            let mut row = vec![member.name.clone(), set.label()];
            for target in targets {
                let cell = if *target != HOST && (member.is_program || set.has_any(host_only)) {
                    "host only"
                } else if skipped.iter().any(|(name, _)| name == target) {
                    "skipped"
                } else if let Err(error) = compiles(project, member, &set, target)? {
                    errors.push(format!("{} [{}] for {target}:\n{error}", member.name, set.label()));
                    failed = true;
                    "RED"
                } else {
                    "ok"
                };
                row.push(cell.to_owned());
            }
            table.row(row);
        }
    }
    let outcome = match skipped.first() {
        _ if failed => Outcome::Failed,
        Some((target, line)) => {
            Outcome::Skipped(format!("the target {target} is missing; `{line}` installs it"))
        }
        None => Outcome::Passed,
    };
    Ok(Report::new(outcome).table(table).notes(errors))
}

/// Checks one crate alone: together with others it would get their features, too.
fn compiles(
    project: &Project,
    member: &Member,
    set: &FeatureSet,
    target: &str,
) -> Result<Result<(), String>> {
    let mut command = project.cargo(["check", "--quiet", "--package", &member.name]);
    command.args(set.args());
    if target != HOST {
        command.args(["--target", target]);
    }
    let checked = capture(&mut command)?;
    Ok(if checked.success { Ok(()) } else { Err(checked.stderr) })
}

pub(crate) fn compiles_on_host(
    project: &Project,
    member: &Member,
    set: &FeatureSet,
) -> Result<Result<(), String>> {
    compiles(project, member, set, HOST)
}
