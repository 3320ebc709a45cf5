//! `msrv`: every crate on the oldest toolchain that Cargo.toml promises.

use anyhow::Result;

use crate::{
    args::Args,
    process::{capture, succeeds},
    project::Project,
    report::{Outcome, Report, Table},
};

pub(crate) fn run(project: &Project, _: &Args) -> Result<Report> {
    let mut table = Table::new("", &["crate", "toolchain", "verdict"]);
    let (mut failed, mut missing, mut errors) = (false, None, Vec::new());
    for member in project.crates() {
        let toolchain = full_version(&member.rust_version);
        let verdict = if let Err(line) = install(project, &toolchain) {
            missing = Some(line);
            "skipped"
        } else {
            let args = ["check", "--quiet", "--package", &member.name, "--all-features"];
            let checked = capture(&mut project.cargo_of(&toolchain, args))?;
            if !checked.success {
                errors.push(format!("{} on {toolchain}:\n{}", member.name, checked.stderr));
            }
            failed |= !checked.success;
            if checked.success { "ok" } else { "RED" }
        };
        table.row([&member.name, &toolchain, verdict]);
    }
    let outcome = match missing {
        _ if failed => Outcome::Failed,
        Some(line) => Outcome::Skipped(format!("`{line}` installs the toolchain")),
        None => Outcome::Passed,
    };
    Ok(Report::new(outcome).table(table).notes(errors))
}

/// Rustup names toolchains by three numbers, Cargo.toml by two or three.
fn full_version(rust_version: &str) -> String {
    if rust_version.matches('.').count() == 1 { format!("{rust_version}.0") } else { rust_version.to_owned() }
}

/// The error is the line to run.
fn install(project: &Project, toolchain: &str) -> Result<(), String> {
    if succeeds(&mut project.cargo_of(toolchain, ["--version"])) {
        return Ok(());
    }
    let words = ["toolchain", "install", toolchain, "--profile", "minimal"];
    if succeeds(project.program("rustup").args(words)) {
        Ok(())
    } else {
        Err(format!("rustup {}", words.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_get_their_third_number() {
        assert_eq!(full_version("1.89"), "1.89.0");
        assert_eq!(full_version("1.89.1"), "1.89.1");
    }
}
