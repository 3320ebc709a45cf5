//! Running the tool as people do.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "each suite uses a part")]

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// The tool, with arguments and nothing on standard input.
pub fn tool<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mx-e2ee"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Done {
    pub fn of(output: Output) -> Self {
        let Output { status, stdout, stderr } = output;
        Self { code: status.code(), stdout, stderr: String::from_utf8(stderr).unwrap() }
    }

    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.stdout).unwrap()
    }

    /// The lines of standard output as JSON.
    pub fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    pub fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", String::from_utf8_lossy(&self.stdout), self.stderr);
        self
    }

    /// It failed, and its message says all of `words`.
    #[track_caller]
    pub fn assert_says(self, code: i32, words: &[&str]) -> Self {
        let done = self.assert_code(code);
        for word in words {
            assert!(done.stderr.contains(word), "no `{word}` in: {}", done.stderr);
        }
        done
    }
}

pub fn run<'a>(args: impl IntoIterator<Item = &'a str>) -> Done {
    Done::of(tool(args).output().unwrap())
}

/// The same with something on standard input, through a pipe.
pub fn run_with<'a>(args: impl IntoIterator<Item = &'a str>, input: &[u8]) -> Done {
    piped(tool(args), input)
}

pub fn piped(mut command: Command, input: &[u8]) -> Done {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The tool may end without reading all of it.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Done::of(output)
}

/// A shell line in which `$TOOL` is the tool, for redirections; `$0` and so on are `args`.
pub fn shell(line: &str, args: &[&Path]) -> Done {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).args(args).env("TOOL", env!("CARGO_BIN_EXE_mx-e2ee"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Done::of(command.output().unwrap())
}

/// A folder that goes away, and files in it.
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn text_path(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), contents).unwrap();
        self.text_path(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The names in it, sorted: no temporary file is left behind.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}
