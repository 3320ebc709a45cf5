//! The images of xtask/firmware, built for one target and one set of flags.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Result;

use crate::{process::capture, project::Project};

pub(crate) const FIRMWARE: &str = "xtask/firmware";

/// Machines of QEMU, and the targets that stand for them (xtask/firmware/build.rs).
pub(crate) const MACHINES: &[(&str, &str)] = &[
    ("mps2-an386", "thumbv7em-none-eabihf"),
    ("microbit", "thumbv6m-none-eabi"),
    ("virt", "riscv32imac-unknown-none-elf"),
];

/// What the final user chooses with cfgs: a name, and the flags.
pub(crate) type Backends = (&'static str, &'static [&'static str]);

/// For small flash.
pub(crate) const COMPACT: Backends =
    ("compact", &["--cfg", "aes_backend_soft=\"compact\"", "--cfg", "sha2_backend_soft=\"compact\""]);

/// How they come if nobody says anything.
pub(crate) const DEFAULT: Backends = ("default", &[]);

/// Builds a program of the firmware under the flags, which have a name of their own. Where it lies, or what the compiler
/// said.
pub(crate) fn build(
    project: &Project,
    program: &str,
    target: &str,
    args: &[&str],
    backends: Backends,
) -> Result<Result<PathBuf, String>> {
    build_with(project, program, target, args, backends, &BTreeMap::new())
}

/// The same with variables, as those that change cargo's profile.
pub(crate) fn build_with(
    project: &Project,
    program: &str,
    target: &str,
    args: &[&str],
    backends: Backends,
    variables: &BTreeMap<&str, &str>,
) -> Result<Result<PathBuf, String>> {
    let manifest = format!("{FIRMWARE}/Cargo.toml");
    build_from(project, &manifest, program, target, args, backends, variables)
}

/// The same from another manifest.
pub(crate) fn build_from(
    project: &Project,
    manifest: &str,
    program: &str,
    target: &str,
    args: &[&str],
    (backends, flags): Backends,
    variables: &BTreeMap<&str, &str>,
) -> Result<Result<PathBuf, String>> {
    let folder = project.root.join("target/firmware").join(backends);
    let mut command = project.cargo(["build", "--quiet", "--release", "--manifest-path", manifest]);
    command.args(["--bin", program, "--target", target]).args(args).arg("--target-dir").arg(&folder);
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    let built = capture(command.envs(variables))?;
    Ok(if built.success { Ok(folder.join(target).join("release").join(program)) } else { Err(built.stderr) })
}
