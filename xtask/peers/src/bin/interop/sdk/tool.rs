//! The program `mx-e2ee`.

use std::{
    env, fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::report::{Failure, failure};

/// Where it is, and a folder to run it in, which is removed in the end.
#[derive(Debug)]
pub struct Tool {
    program: PathBuf,
    folder: PathBuf,
}

impl Tool {
    /// As whoever started this built it.
    pub fn built() -> Option<Self> {
        let program = fs::canonicalize(env::var_os("MX_E2EE")?).ok()?;
        let folder = env::temp_dir().join(format!("mx-interop-{}", std::process::id()));
        fs::create_dir(&folder).ok()?;
        Some(Self { program, folder })
    }

    /// Where a file of this name lies for the tool.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs it with a passphrase on standard input: what it wrote to standard output.
    pub fn run(&self, words: &[&str], passphrase: &str) -> Result<String, Failure> {
        let mut command = Command::new(&self.program);
        command.args(words).args(["--passphrase-fd", "0"]).current_dir(&self.folder);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = piped.spawn()?;
        if let Some(mut stdin) = running.stdin.take() {
            stdin.write_all(passphrase.as_bytes())?;
        }
        let output = running.wait_with_output()?;
        if !output.status.success() {
            return failure(String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
