//! Attachments of decrypted events, found in a folder of downloaded files.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use mx_attachment::{AttachmentInfo, EncryptedFile, Leniency};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use crate::{
    failure::Failure,
    input::Input,
    media::{NoDescription, Which, decrypt_to, describe_in_content},
    output::{Output, Replace},
    place::Place,
    progress::Progress,
    text::Text,
};

/// Decrypts what it finds, and remembers what it wrote.
#[derive(Debug)]
pub(super) struct Attachments {
    folder: PathBuf,
    leniency: Leniency,
    replace: Replace,
    written: HashMap<PathBuf, AttachmentInfo>,
    pub(super) counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) decrypted: u64,
    pub(super) not_found: u64,
    pub(super) refused: u64,
}

/// What became of one.
enum Outcome {
    Decrypted(PathBuf),
    NotFound,
    Refused(String),
}

impl Attachments {
    pub(super) fn new(folder: &Path, leniency: Leniency, replace: Replace) -> Result<Self, Failure> {
        if !folder.is_dir() {
            return Err(Failure::misused(format!("{} is no folder", folder.display())));
        }
        let (written, counts) = (HashMap::new(), Counts::default());
        Ok(Self { folder: folder.to_owned(), leniency, replace, written, counts })
    }

    /// The attachments of a decrypted content, as they go into the report.
    pub(super) fn decrypt(&mut self, content: &str) -> Result<Vec<Value>, Failure> {
        let mut reports = Vec::new();
        for (name, which) in [("file", Which::File), ("thumbnail", Which::Thumbnail)] {
            let (url, outcome) = match describe_in_content(content, which, self.leniency) {
                Err(NoDescription::NoFile | NoDescription::NoThumbnail) => continue,
                Err(why) => (None, Outcome::Refused(why.to_string())),
                Ok(EncryptedFile { url, info }) => {
                    let outcome = self.decrypt_one(&url, info)?;
                    (Some(url), outcome)
                }
            };
            reports.push(self.report(name, url.as_deref(), &outcome));
        }
        Ok(reports)
    }

    fn report(&mut self, name: &str, url: Option<&str>, outcome: &Outcome) -> Value {
        let counts = &mut self.counts;
        match outcome {
            Outcome::Decrypted(path) => {
                counts.decrypted += 1;
                json!({ "what": name, "url": url, "verdict": "decrypted", "path": path.display().to_string() })
            }
            Outcome::NotFound => {
                counts.not_found += 1;
                json!({ "what": name, "url": url, "verdict": "not found" })
            }
            Outcome::Refused(why) => {
                counts.refused += 1;
                json!({ "what": name, "url": url, "verdict": "refused", "why": why })
            }
        }
    }

    fn decrypt_one(&mut self, url: &Text<'_>, info: AttachmentInfo) -> Result<Outcome, Failure> {
        let Some((server_name, media_id)) = parse(url) else {
            return Ok(Outcome::Refused("the URL is not mxc://server/media".to_owned()));
        };
        let candidates = [self.folder.join(server_name).join(media_id), self.folder.join(media_id)];
        let Some(found) = candidates.into_iter().find(|path| path.is_file()) else {
            return Ok(Outcome::NotFound);
        };
        let path = found.with_file_name(format!("{media_id}.decrypted"));
        if let Some(written) = self.written.get(&path) {
            let is_same = bool::from(written.secret_key().ct_eq(info.secret_key()))
                && (written.iv(), written.sha256()) == (info.iv(), info.sha256());
            // One ciphertext can be made to have two plaintexts under two keys.
            return Ok(if is_same {
                Outcome::Decrypted(path)
            } else {
                Outcome::Refused("another event describes this file with another key".to_owned())
            });
        }
        if !self.replace.force && path.symlink_metadata().is_ok() {
            return Ok(Outcome::Refused(format!("{} exists; --force replaces it", path.display())));
        }
        let mut input = Input::open(&Place::Path(found))?;
        let mut output = Output::create(&Place::Path(path.clone()), self.replace)?;
        let progress = Progress::of_bytes(media_id, input.len());
        match decrypt_to(&mut input, &mut output, &info, &progress) {
            Ok(()) => {
                drop(progress);
                output.commit()?;
                self.written.insert(path.clone(), info);
                Ok(Outcome::Decrypted(path))
            }
            Err(Failure::Refused(why)) => Ok(Outcome::Refused(why)),
            Err(failure) => Err(failure),
        }
    }
}

/// Server name and media ID, if both can be names of files that lead nowhere else.
fn parse(url: &str) -> Option<(&str, &str)> {
    let (server_name, media_id) = url.strip_prefix("mxc://")?.split_once('/')?;
    let is_name = |name: &str, also: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
        (1..=200).contains(&name.len()) && !name.starts_with('.') && name.chars().all(is_allowed)
    };
    (is_name(server_name, ".-:[]") && is_name(media_id, "._-~=")).then_some((server_name, media_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files_in_the_folder_and_nowhere_else() {
        assert_eq!(parse("mxc://example.org:8448/aB-_9"), Some(("example.org:8448", "aB-_9")));
        for bad in [
            "https://example.org/a",
            "mxc://example.org",
            "mxc://example.org/",
            "mxc:///a",
            "mxc://../a",
            "mxc://example.org/..",
            "mxc://example.org/../../etc/passwd",
            "mxc://example.org/a/b",
            "mxc://example.org/.ssh",
            "mxc://example.org/a\\b",
            "mxc://example.org/a\0",
            "mxc://example.org/\u{e9}",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
