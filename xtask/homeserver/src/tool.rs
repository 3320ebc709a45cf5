//! The tool `mx-e2ee` as people run it: as a process, with its secrets on standard input.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use crate::{Failure, fail};

/// Refused, or not all is as it should be.
const REFUSED: i32 = 1;

pub(crate) struct Tool {
    program: PathBuf,
    /// For its files. Nobody else reads in it.
    folder: PathBuf,
}

impl Tool {
    pub(crate) fn new(program: PathBuf, folder: &Path) -> Self {
        Self { program, folder: folder.to_owned() }
    }

    /// Where a file of this name lies.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Writes a file, and says where.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<String, Failure> {
        let path = self.path(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Runs it, and gives what it wrote to standard output. That it does not succeed is an error with what it said.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Result<String, Failure> {
        let output = self.start(arguments, input)?;
        if output.status.success() { Ok(String::from_utf8(output.stdout)?) } else { told(arguments, &output) }
    }

    /// Runs what it must refuse, and gives what it said to that.
    pub(crate) fn refuse(&self, arguments: &[&str], input: &str) -> Result<String, Failure> {
        let output = self.start(arguments, input)?;
        let is_refused = output.status.code() == Some(REFUSED);
        if is_refused { Ok(String::from_utf8(output.stderr)?) } else { told(arguments, &output) }
    }

    /// Starts it. What it says to people goes where that of this program goes.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Result<Child, Failure> {
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(command.spawn()?)
    }

    fn start(&self, arguments: &[&str], input: &str) -> Result<Output, Failure> {
        let mut process = Command::new(&self.program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = process.stdin.take() {
            let _ = stdin.write_all(input.as_bytes()); // what it does not read it does not want
        }
        Ok(process.wait_with_output()?)
    }
}

fn told<T>(arguments: &[&str], output: &Output) -> Result<T, Failure> {
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    fail(format!("mx-e2ee {} ended with {}:\n{errors}{said}", arguments.join(" "), output.status))
}
