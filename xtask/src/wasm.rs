//! `wasm`: the npm package of mx-wasm, and its tests in Node.js.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{
    args::Args,
    process::capture,
    project::Project,
    report::{Outcome, Report, Table},
    source::files,
};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const BINDGEN: &str = "xtask/bindgen/Cargo.toml";
const PACKAGE: &str = "mx-wasm";

/// What stands beside the module in the package, by its path from the root.
const ENCLOSED: &[&str] = &["wasm/package.json", "wasm/README.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// How the module is compiled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Build {
    /// For users: small.
    Release,
    /// The same with exported events.
    ReleaseWithEvents,
    /// For tests: soon, and with everything.
    Test,
}

pub(crate) fn run(project: &Project, args: &Args) -> Result<Report> {
    if args.has("test") {
        return test(project);
    }
    let build = if args.has("events") { Build::ReleaseWithEvents } else { Build::Release };
    match package(project, build)? {
        Ok(folder) => {
            let mut table = Table::new("", &["file", "bytes"]);
            for path in files(&folder, "")? {
                let name = path.strip_prefix(&folder).unwrap_or(&path).display().to_string();
                table.row([name, std::fs::metadata(&path)?.len().to_string()]);
            }
            let place = folder.strip_prefix(&project.root).unwrap_or(&folder).display().to_string();
            Ok(Report::new(Outcome::Passed).table(table).note(format!("the npm package is in {place}")))
        }
        Err(reason) => Ok(Report::skipped(reason)),
    }
}

/// The tests of wasm/tests.
pub(crate) fn test(project: &Project) -> Result<Report> {
    let folder = match package(project, Build::Test)? {
        Ok(folder) => folder,
        Err(reason) => return Ok(Report::skipped(reason)),
    };
    if let Err(reason) = node(project) {
        return Ok(Report::skipped(reason));
    }
    let mut command = project.program("node");
    command.args(["--test", "--test-reporter=spec"]).env("MX_WASM", &folder);
    let tests = files(&project.root.join("wasm/tests"), ".test.mjs")?;
    Ok(Report::new(Outcome::of(project.stream(command.args(tests))?)))
}

/// Whether there is a Node.js that is new enough. The error says what to do.
pub(crate) fn node(project: &Project) -> Result<(), String> {
    let version =
        capture(project.program("node").arg("--version")).map(|found| found.stdout).unwrap_or_default();
    let major =
        version.trim().strip_prefix('v').and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 20) {
        Ok(())
    } else {
        Err("Node.js 20 or later is missing; https://nodejs.org or a package of your system brings it"
            .to_owned())
    }
}

/// Builds the package and says where it is, or what is missing.
pub(crate) fn package(project: &Project, build: Build) -> Result<Result<PathBuf, String>> {
    if let Err(line) = project.add_target(TARGET) {
        return Ok(Err(format!("the target {TARGET} is missing; `{line}` installs it")));
    }
    let (profile, output, name) = match build {
        Build::Release => ("wasm", "wasm", "package"),
        Build::ReleaseWithEvents => ("wasm", "wasm", "package-with-events"),
        Build::Test => ("dev", "debug", "test"),
    };
    let features = if build == Build::Release { "" } else { "events" };
    let mut command =
        project.cargo(["build", "--quiet", "--target", TARGET, "--package", PACKAGE, "--profile", profile]);
    command.args(["--features", features]);
    command.env_remove("RUSTFLAGS").arg("--target-dir").arg(project.root.join("target"));
    anyhow::ensure!(project.stream(&mut command)?, "{PACKAGE} does not build");
    let module = project.root.join("target").join(TARGET).join(output).join("mx_wasm.wasm");
    let folder = project.root.join("target/wasm").join(name);
    bind(project, &module, &folder)?;
    for path in ENCLOSED {
        let path = project.root.join(path);
        let to = folder.join(path.file_name().context("a file has a name")?);
        std::fs::copy(&path, to).with_context(|| format!("cannot copy {}", path.display()))?;
    }
    Ok(Ok(folder))
}

/// Makes the JavaScript for a module.
fn bind(project: &Project, module: &Path, folder: &Path) -> Result<()> {
    let mut command = project.cargo(["run", "--quiet", "--manifest-path", BINDGEN, "--target-dir"]);
    command.arg(project.root.join("target/bindgen")).arg("--").arg(module).arg(folder);
    anyhow::ensure!(
        project.stream(&mut command)?,
        "no bindings were made: are wasm-bindgen and {BINDGEN} of one version?"
    );
    Ok(())
}
