//! docs/vectors: known answers for other implementations. What is in them a peer has made, here and now, or a peer
//! or an independent program has published; peers that are here confirm what they can.

mod backups;
mod canonical_json;
mod messages;
mod published;
mod sas;

use std::{fs, path::PathBuf, process::ExitCode};

use mx_demo::party::Implementation;
use mx_peers::{libolm::Libolm, vodozemac::Vodozemac};
use serde_json::{Value, json};

use crate::report::{Failure, Outcome, Report, expect};

/// The files, and what makes each of them.
type Maker = fn() -> Result<Value, Failure>;

const FILES: [(&str, Maker); 9] = [
    ("attachments.json", published::attachments),
    ("canonical-json.json", canonical_json::make),
    ("key-backup.json", backups::make),
    ("key-exports.json", published::key_exports),
    ("megolm.json", messages::megolm),
    ("olm.json", messages::olm),
    ("qr-codes.json", published::qr_codes),
    ("sas.json", sas::make),
    ("secret-storage.json", published::secret_storage),
];

/// Compares what is committed, file by file.
pub fn checks(report: &mut Report) {
    report.title("Published vectors, docs/vectors");
    for (name, make) in FILES {
        report.check(name, |_| compare(name, make));
    }
}

/// `cargo xtask vectors`: writes them.
pub fn write() -> ExitCode {
    for (name, make) in FILES {
        let written = make().and_then(|value| Ok(fs::write(path(name), text(&value)?)?));
        if let Err(reason) = written {
            eprintln!("{name}: {reason}");
            return ExitCode::FAILURE;
        }
        println!("docs/vectors/{name}");
    }
    ExitCode::SUCCESS
}

fn compare(name: &str, make: Maker) -> Outcome {
    let made = make()?;
    let committed = fs::read_to_string(path(name))?;
    expect(committed == text(&made)?, "not what the peers make; `cargo xtask vectors` writes it")?;
    let count = made["vectors"].as_array().map_or(0, Vec::len);
    Ok(format!("{count} vectors"))
}

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "docs", "vectors", name].iter().collect()
}

fn text(value: &Value) -> Result<String, Failure> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// A file: what it is about, the section of the specification, and its vectors, each with a name and who confirms it.
fn file(about: &str, specification: &str, vectors: Vec<Value>) -> Result<Value, Failure> {
    for vector in &vectors {
        let confirmed = vector["confirmed_by"].as_array().is_some_and(|peers| !peers.is_empty());
        expect(confirmed && vector["name"].is_string(), &format!("nobody confirms {vector}"))?;
    }
    Ok(json!({ "about": about, "specification": specification, "vectors": vectors }))
}

/// Adds who confirmed it just now.
fn confirmed(vector: &mut Value, by: impl Into<String>) {
    let by = Value::from(by.into());
    match vector["confirmed_by"].as_array_mut() {
        Some(peers) => peers.push(by),
        None => vector["confirmed_by"] = json!([by]),
    }
}

fn peers() -> [&'static dyn Implementation; 2] {
    [&Libolm, &Vodozemac]
}

fn text_of<'v>(value: &'v Value, name: &str) -> Result<&'v str, Failure> {
    value[name].as_str().ok_or_else(|| format!("no {name} in {value}").into())
}
