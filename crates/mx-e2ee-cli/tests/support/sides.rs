//! The two sides of a verification: processes that run at the same time, and somebody who answers them.

#![allow(clippy::unwrap_used, clippy::panic, dead_code, unreachable_pub, reason = "each suite uses a part")]

use core::time::Duration;
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread::{self, JoinHandle},
    time::Instant,
};

use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use serde_json::Value;

use crate::support::Done;

/// A process that tells its events as lines of JSON.
#[derive(Debug)]
pub struct Side {
    child: Child,
    answers: Option<ChildStdin>,
    lines: Receiver<Value>,
    seen: Vec<Value>,
    stderr: Option<JoinHandle<String>>,
}

impl Side {
    /// Answers are given on descriptor 0.
    pub fn start(args: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mx-e2ee"));
        command.args(["verify", "--json", "--answer-fd", "0"]).args(args.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let answers = child.stdin.take();
        Self { child, answers, lines, seen: Vec::new(), stderr: Some(stderr) }
    }

    /// The next event of this name; those before it are remembered.
    #[track_caller]
    pub fn wait(&mut self, event: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line["event"] == event {
                        return line;
                    }
                }
                Err(error) => {
                    let _ = self.child.kill();
                    let stderr = self.stderr.take().map(|stderr| stderr.join().unwrap());
                    panic!("no {event}: {error}\n{:#?}\n{stderr:?}", self.seen);
                }
            }
        }
    }

    /// Types a line.
    pub fn answer(&mut self, line: &str) {
        writeln!(self.answers.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Nobody is there any more.
    pub fn leave(&mut self) {
        self.answers = None;
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// The end, and what it says of it: nothing if it was no regular one.
    #[track_caller]
    pub fn end(mut self, code: i32) -> Value {
        let status = self.child.wait().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        self.seen.extend(self.lines.iter());
        assert_eq!(status.code(), Some(code), "{:#?}\n{stderr}", self.seen);
        self.seen.pop().filter(|last| last["event"] == "end").unwrap_or(Value::String(stderr))
    }
}

/// Each side is told the numbers that the other one shows.
#[track_caller]
pub fn compare(a: &mut Side, b: &mut Side) {
    let [of_a, of_b] = [&mut *a, &mut *b].map(|side| {
        let shown = side.wait("short_string");
        side.wait("compare");
        shown
    });
    assert_eq!(of_a["decimal"], of_b["decimal"]);
    a.answer(&numbers(&of_b));
    b.answer(&numbers(&of_a));
}

pub fn numbers(shown: &Value) -> String {
    let numbers = shown["decimal"].as_array().unwrap();
    numbers.iter().map(Value::to_string).collect::<Vec<_>>().join(" ")
}

/// A process that talks to somebody at a terminal.
#[derive(Debug)]
pub struct AtTerminal {
    child: Child,
    terminal: File,
    stderr: Receiver<u8>,
    pub text: String,
}

impl AtTerminal {
    pub fn start(args: &str) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let slave = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mx-e2ee"));
        command.arg("verify").args(args.split_whitespace());
        command.stdin(Stdio::from(slave)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, stderr) = mpsc::channel();
        let bytes = BufReader::new(child.stderr.take().unwrap()).bytes();
        thread::spawn(move || bytes.map_while(Result::ok).try_for_each(|byte| sender.send(byte)));
        Self { child, terminal: File::from(terminal), stderr, text: String::new() }
    }

    /// Reads what is told until these words have come anew.
    #[track_caller]
    pub fn wait(&mut self, words: &str) {
        let end = Instant::now() + PATIENCE;
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains(words) {
            match self.stderr.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(byte) => bytes.push(byte),
                Err(error) => {
                    let _ = self.child.kill();
                    panic!("no `{words}`: {error}\n{}{}", self.text, String::from_utf8_lossy(&bytes));
                }
            }
        }
        self.text.push_str(&String::from_utf8(bytes).unwrap());
    }

    pub fn type_line(&mut self, line: &str) {
        writeln!(self.terminal, "{line}").unwrap();
    }

    #[track_caller]
    pub fn end(self, code: i32) -> Done {
        let Self { child, terminal, stderr, mut text } = self;
        let mut done = Done::of(child.wait_with_output().unwrap());
        drop(terminal);
        text.push_str(&String::from_utf8(stderr.iter().collect()).unwrap());
        done.stderr = text;
        done.assert_code(code)
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
