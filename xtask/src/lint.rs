//! `lint`: rustfmt, clippy and rustdoc, with warnings denied.

use std::process::Command;

use anyhow::Result;

use crate::{
    args::Args,
    doc,
    project::Project,
    report::{Outcome, Report},
    size,
    steps::Steps,
    wasm,
};

/// Workspaces of their own, with the arguments that clippy needs there.
const APART: &[(&str, &[&str])] = &[
    ("fuzz/Cargo.toml", &[]),
    ("xtask/bindgen/Cargo.toml", &[]),
    ("xtask/memory/Cargo.toml", &["--all-targets", "--features", "alloc"]),
    ("xtask/firmware/Cargo.toml", &["--target", size::TARGET, "--features", "all"]),
    ("xtask/firmware/vectors/Cargo.toml", &["--target", size::TARGET, "--all-features"]),
    ("xtask/firmware/libolm/Cargo.toml", &["--target", size::TARGET]),
    ("xtask/peers/Cargo.toml", &["--all-targets"]),
    ("xtask/wasm-size/Cargo.toml", &["--target", wasm::TARGET, "--features", "both-ways"]),
];

/// The development profile of Cargo.toml, for the workspaces that have another.
const PROFILE: &[&str] = &[
    "profile.dev.opt-level=1",
    "profile.dev.debug=\"line-tables-only\"",
    "profile.dev.package.\"*\".opt-level=2",
    "profile.dev.package.\"*\".debug=false",
];

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    let mut steps = Steps::new();
    let mut step = |name: &str, mut command: Command| {
        steps.outcome(name, || project.stream(&mut command).map(Outcome::of));
    };
    step("rustfmt", project.cargo(["fmt", "--all", "--check"]));
    for (manifest, args) in APART {
        step(
            &format!("rustfmt {manifest}"),
            project.cargo(["fmt", "--all", "--check", "--manifest-path", manifest]),
        );
        let mut command = project.cargo(["clippy", "--quiet", "--manifest-path", manifest]);
        // What it has in common with the main workspace is looked at once: in one folder, with one profile.
        command.args(PROFILE.iter().flat_map(|setting| ["--config", setting]));
        command.env("CARGO_TARGET_DIR", project.root.join("target"));
        // libFuzzer takes most of a minute to compile, and is not linked here: any file stands for it.
        command.env("CUSTOM_LIBFUZZER_PATH", project.root.join("Cargo.toml"));
        command.args(*args).args(["--", "--deny", "warnings"]);
        step(&format!("clippy {manifest}"), command);
    }
    for member in project.crates().chain(project.tools()) {
        let sets = member.feature_sets();
        let ends = [sets.first(), sets.last().filter(|_| sets.len() > 1)];
        for set in ends.into_iter().flatten() {
            let mut command =
                project.cargo(["clippy", "--quiet", "--all-targets", "--package", &member.name]);
            command.args(set.args()).args(["--", "--deny", "warnings"]);
            step(&format!("clippy {} [{}]", member.name, set.label()), command);
        }
    }
    steps.outcome("rustdoc", || Ok(doc::run(project, args)?.outcome().clone()));
    Ok(steps.finish())
}
