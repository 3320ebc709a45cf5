//! Starting other programs, always from the root of the repository.

use std::{
    io::Write as _,
    process::{Command, ExitStatus, Stdio},
};

use anyhow::{Context as _, Result};

use crate::project::Project;

/// What a finished program left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    /// `program` in the root of the repository.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// Cargo of the toolchain in use.
    pub(crate) fn cargo<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        command.args(args);
        command
    }

    /// Cargo of a named toolchain, through rustup. What the running cargo told its children is taken away.
    pub(crate) fn cargo_of<'a>(&self, toolchain: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.program("rustup");
        command.args(["run", toolchain, "cargo"]).args(args);
        for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(variable);
        }
        command
    }

    /// Shows the command line and runs it in view; with `--json` its output goes to standard error, because
    /// standard output belongs to the JSON.
    pub(crate) fn stream(&self, command: &mut Command) -> Result<bool> {
        self.stream_status(command).map(|status| status.success())
    }

    /// The same, for a program whose exit codes mean something.
    pub(crate) fn stream_status(&self, command: &mut Command) -> Result<ExitStatus> {
        eprintln!("$ {}", line_of(command));
        if self.json {
            command.stdout(Stdio::from(std::io::stderr()));
        }
        let status = command.stdin(Stdio::null()).status();
        std::io::stderr().flush().ok();
        status.with_context(|| format!("cannot start {}", line_of(command)))
    }
}

/// Runs `command` unseen and keeps what it wrote.
pub(crate) fn capture(command: &mut Command) -> Result<Finished> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start {}", line_of(command)))?;
    Ok(Finished {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Whether `command` starts and succeeds: the question "is this installed".
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn line_of(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}
