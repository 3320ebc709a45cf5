//! Synapse, the homeserver, from PyPI, in a virtual environment under target/ that the next run finds again.

use std::{
    fs,
    io::{BufRead as _, BufReader, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
    process::{ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::{process::succeeds, project::Project};

/// Exact versions, so that a new release of somebody else's changes nothing here.
const REQUIREMENTS: &str = "xtask/homeserver/synapse.txt";
const FOLDER: &str = "target/synapse";
/// In the environment once it is complete: the requirements that it was made from.
const STAMP: &str = "installed.txt";

/// The Python that has Synapse, or in one line why there is none.
pub(crate) fn python(project: &Project) -> Result<Result<PathBuf, String>> {
    if !cfg!(unix) {
        return Ok(Err("Synapse runs on Linux and macOS".to_owned()));
    }
    let folder = project.root.join(FOLDER);
    let python = folder.join("bin/python");
    let requirements = project.read(REQUIREMENTS)?;
    let is_current = fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == requirements);
    if is_current && succeeds(Command::new(&python).args(["-c", "import synapse"])) {
        return Ok(Ok(python));
    }
    if let Some(missing) = missing(project) {
        return Ok(Err(missing));
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    eprintln!("installing {} into {FOLDER}, once", version(&requirements));
    if !succeeds(project.program("python3").args(["-m", "venv"]).arg(&folder)) {
        return Ok(Err(format!("python3 -m venv {} failed", folder.display())));
    }
    if let Err(reason) = install(project, &python)? {
        fs::remove_dir_all(&folder)?;
        return Ok(Err(format!("{} could not be installed from PyPI: {reason}", version(&requirements))));
    }
    fs::write(folder.join(STAMP), requirements)?;
    Ok(Ok(python))
}

/// What Python lacks, with the line that installs it.
fn missing(project: &Project) -> Option<String> {
    if !succeeds(project.program("python3").arg("--version")) {
        return Some("python3 is missing; `apt-get install -y python3 python3-venv` installs it".to_owned());
    }
    let has_venv = succeeds(project.program("python3").args(["-c", "import ensurepip, venv"]));
    (!has_venv).then(|| "python3 has no venv; `apt-get install -y python3-venv` installs it".to_owned())
}

/// Nothing is compiled: where a package has no wheel, that is the reason.
fn install(project: &Project, python: &Path) -> Result<Result<(), String>> {
    let mut pip = project.program(&python.to_string_lossy());
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]);
    pip.args(["--retries=2", "--timeout=15"]);
    pip.args(["--only-binary=:all:", "--requirement", REQUIREMENTS]);
    pip.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut pip = pip.spawn().context("cannot start pip")?;
    let (output, mut errors) = (pip.stdout.take(), pip.stderr.take());
    // What pip says of errors is short, so that it does not have to be read at the same time.
    if let Some(output) = output {
        show_progress(output);
    }
    let mut said = String::new();
    errors.as_mut().map(|errors| errors.read_to_string(&mut said)).transpose()?;
    Ok(if pip.wait()?.success() { Ok(()) } else { Err(reason(&said)) })
}

/// On a terminal one line that changes, elsewhere nothing.
fn show_progress(output: ChildStdout) {
    let on_terminal = std::io::stderr().is_terminal();
    let lines = BufReader::new(output).lines().map_while(Result::ok);
    let names = lines.filter_map(|line| Some(line.strip_prefix("Collecting ")?.to_owned()));
    for (count, name) in names.enumerate() {
        let name: String = name.split([' ', '=', '<', '>', '!', '~', '[', '(']).take(1).collect();
        if on_terminal {
            eprint!("\r\x1b[K  {}: {name}", count + 1);
        }
    }
    if on_terminal {
        eprint!("\r\x1b[K");
    }
}

/// The first thing that pip calls an error: the others follow from it.
fn reason(said: &str) -> String {
    let first = said.lines().find_map(|line| line.strip_prefix("ERROR: "));
    first.or_else(|| said.lines().next_back()).unwrap_or("pip failed without a word").to_owned()
}

/// `Synapse 1.2.3`
fn version(requirements: &str) -> String {
    let version = requirements.lines().find_map(|line| line.strip_prefix("matrix-synapse=="));
    ["Synapse", version.unwrap_or_default()].join(" ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_is_an_exact_version() {
        let requirements = include_str!("../homeserver/synapse.txt");
        for line in requirements.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.split_once("==").is_some_and(|(_, version)| !version.is_empty()), "{line}");
        }
        assert!(version(requirements).starts_with("Synapse 1."));
    }

    #[test]
    fn the_reason_is_pips_first_error() {
        let said =
            "WARNING: Retrying\nERROR: Could not find a version\nERROR: No matching distribution\nnote: x\n";
        assert_eq!(reason(said), "Could not find a version");
        assert_eq!(reason("broken\n"), "broken");
        assert_eq!(reason(""), "pip failed without a word");
    }
}
