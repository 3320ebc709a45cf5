//! `test --qemu`: the firmware of xtask/firmware runs in QEMU and talks with vodozemac, while its power fails.

use std::{path::Path, process::Command};

use anyhow::Result;

use crate::{
    firmware::{self, COMPACT, MACHINES},
    peers,
    process::succeeds,
    project::Project,
    report::{Outcome, Report},
};

/// Programs, and Debian's packages of them.
const PROGRAMS: &[(&str, &str)] =
    &[("qemu-system-arm", "qemu-system-arm"), ("qemu-system-riscv32", "qemu-system-misc")];

pub(crate) fn run(project: &Project) -> Result<Report> {
    if let Err(line) = install(project) {
        return Ok(Report::skipped(format!("QEMU is missing; `{line}` installs it")));
    }
    let mut words = vec!["1".to_owned()];
    for (machine, target) in MACHINES {
        if let Err(line) = project.add_target(target) {
            return Ok(Report::skipped(format!("the target {target} is missing; `{line}` installs it")));
        }
        match firmware::build(project, "device", target, &[], COMPACT)? {
            Ok(image) => words.push(format!("{machine}={}", image.display())),
            Err(error) => {
                let note = format!("the device does not link for {target}:\n{error}");
                return Ok(Report::new(Outcome::Failed).notes([note]));
            }
        }
    }
    peers::firmware(project, &words)
}

/// A machine that runs an image, which talks by semihosting and ends the machine when it ends.
pub(crate) fn machine(project: &Project, name: &str, image: &Path) -> Command {
    let (program, args) = match name {
        "virt" => ("qemu-system-riscv32", &["-bios", "none"][..]),
        _ => ("qemu-system-arm", &[][..]),
    };
    let mut command = project.program(program);
    command.args(["-M", name, "-kernel"]).arg(image).args(["-display", "none", "-monitor", "none"]);
    command.args(["-serial", "none", "-semihosting-config", "enable=on,target=native"]).args(args);
    command
}

/// Whether the machines can be had; on Debian, as root, they are installed first. The error is the line to run.
pub(crate) fn install(project: &Project) -> Result<(), String> {
    let is_missing = |program: &str| !succeeds(project.program(program).arg("--version"));
    let missing = || PROGRAMS.iter().filter(|(program, _)| is_missing(program)).map(|(_, package)| *package);
    let packages: Vec<_> = missing().collect();
    if packages.is_empty() {
        return Ok(());
    }
    peers::install(project, &packages);
    match missing().next() {
        None => Ok(()),
        Some(_) => Err(format!("apt-get install -y {}", packages.join(" "))),
    }
}
