//! Messages through a folder that both sides can read and write: each side appends lines to a file of its own.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::mail::{Letter, Message};
use crate::{
    failure::{self, Failure},
    homeserver::encoded,
};

/// A folder, and how far the files of others were read.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    user_id: String,
    device_id: String,
    own_name: OsString,
    own: File,
    read: BTreeMap<OsString, u64>,
}

/// A line: a message, and whom it is for.
#[derive(Deserialize, Serialize)]
struct Line<'a> {
    sender: String,
    to: String,
    devices: Vec<String>,
    #[serde(rename = "type")]
    event_type: String,
    #[serde(borrow)]
    content: &'a RawValue,
}

impl Folder {
    /// Makes this device's file. One that is there already is of another verification.
    pub(super) fn open(path: &Path, user_id: &str, device_id: &str) -> Result<Self, Failure> {
        let name = [&encoded(user_id), "_", &encoded(device_id), SUFFIX].concat();
        let file = path.join(&name);
        let own = OpenOptions::new().append(true).create_new(true).open(&file).map_err(|error| {
            let file = file.display();
            match error.kind() {
                io::ErrorKind::AlreadyExists => Failure::misused(format!(
                    "{file} exists: a folder is for one verification, take an empty one"
                )),
                _ => Failure::input_output(format!("cannot write {file}"), &error),
            }
        })?;
        Ok(Self {
            path: path.to_owned(),
            user_id: user_id.to_owned(),
            device_id: device_id.to_owned(),
            own_name: name.into(),
            own,
            read: BTreeMap::new(),
        })
    }

    /// The lines that others have added for this device.
    pub(super) fn fetch(&mut self) -> Result<Vec<Message>, Failure> {
        let mut messages = Vec::new();
        for name in self.names()? {
            let path = self.path.join(&name);
            let unreadable = |error| Failure::input_output(format!("cannot read {}", path.display()), &error);
            let offset = self.read.entry(name).or_default();
            let bytes = read_from(&path, *offset).map_err(unreadable)?;
            // A line that is being written has no end yet.
            let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
                if bytes.len() as u64 >= MAX_AT_ONCE {
                    return Err(Failure::refused(format!(
                        "{} has a line of more than {MAX_AT_ONCE} bytes: that is no message",
                        path.display()
                    )));
                }
                continue;
            };
            let (lines, _) = bytes.split_at_checked(end + 1).unwrap_or_default();
            *offset += lines.len() as u64;
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                match serde_json::from_slice::<Line<'_>>(line) {
                    Ok(line) if line.to == self.user_id && line.devices.contains(&self.device_id) => {
                        let Line { sender, event_type, content, .. } = line;
                        messages.push(Message { sender, event_type, content: content.to_owned() });
                    }
                    Ok(_) => {}
                    Err(error) => failure::warn(format!(
                        "{} has a line that is no message, which is passed over: {error}",
                        path.display()
                    )),
                }
            }
        }
        Ok(messages)
    }

    pub(super) fn send(&mut self, letter: &Letter<'_>) -> Result<(), Failure> {
        let line = Line {
            sender: self.user_id.clone(),
            to: letter.user_id.to_owned(),
            devices: letter.device_ids.to_vec(),
            event_type: letter.event_type.to_owned(),
            content: serde_json::from_str(letter.content).map_err(Failure::refused)?,
        };
        let line = serde_json::to_string(&line).map_err(Failure::refused)? + "\n";
        let written = self.own.write_all(line.as_bytes()).and_then(|()| self.own.sync_data());
        let path = self.path.join(&self.own_name);
        written.map_err(|error| Failure::input_output(format!("cannot write {}", path.display()), &error))
    }

    /// The files of others.
    fn names(&self) -> Result<Vec<OsString>, Failure> {
        let unreadable =
            |error| Failure::input_output(format!("cannot read the folder {}", self.path.display()), &error);
        let mut names = Vec::new();
        for entry in self.path.read_dir().map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let is_one = name.to_str().is_some_and(|name| name.ends_with(SUFFIX));
            // What a read would wait for is no file of ours.
            let is_file = || fs::metadata(self.path.join(&name)).is_ok_and(|found| found.is_file());
            if is_one && name != self.own_name && is_file() {
                names.push(name);
            }
        }
        if names.len() > MAX_FILES {
            return Err(Failure::refused(format!(
                "{} has more than {MAX_FILES} files: take an empty folder",
                self.path.display()
            )));
        }
        names.sort();
        Ok(names)
    }
}

fn read_from(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(MAX_AT_ONCE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

const SUFFIX: &str = ".jsonl";

/// Messages are of a few kilobytes.
const MAX_AT_ONCE: u64 = 1 << 20;

const MAX_FILES: usize = 64;
