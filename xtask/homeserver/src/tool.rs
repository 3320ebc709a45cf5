//! The tool `mx-e2ee` as people run it: as a process, with its secrets on standard input.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{Failure, fail};

pub(crate) struct Tool(pub(crate) PathBuf);

impl Tool {
    /// Runs it, and gives what it wrote to standard output. That it does not succeed is an error with what it said.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Result<String, Failure> {
        let mut process = Command::new(&self.0)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = process.stdin.take() {
            // What it does not read it does not want.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = process.wait_with_output()?;
        let (said, errors) =
            (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr).into_owned());
        if output.status.success() {
            return Ok(said);
        }
        fail(format!("mx-e2ee {} ended with {}:\n{errors}{said}", arguments.join(" "), output.status))
    }
}
