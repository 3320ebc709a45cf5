//! `filter`, `rekey` and `salvage`: entries go from one file to another as they stand.

use mx_key_export::{Entry, EntryError, Sessions};

use super::{
    One,
    refused::Refused,
    selection::Selection,
    target::{Target, Writer},
};
use crate::{
    failure::{Failure, Verdict, warn},
    key_file::{self, KeyFile, Source},
    record::Record,
};

pub(super) fn filter(
    selection: &Selection,
    new_passphrase: bool,
    one: &One,
    target: &Target,
    json: bool,
) -> Result<Verdict, Failure> {
    if selection.is_empty() {
        return Err(Failure::misused("say which sessions: --room, --session or --sender"));
    }
    let is_new = target.protection.is_new(new_passphrase)?;
    let output = target.protection.create(&target.output)?;
    let mut file = KeyFile::open(&one.file, one.passphrase_fd)?;
    let name = file.name().to_owned();
    let new_keys = if is_new {
        file.check()?;
        Some(target.protection.choose(output.name())?)
    } else {
        None
    };
    let keys = file.keys();
    let mut sessions = file.sessions()?;
    let mut writer = Writer::new(new_keys.as_ref().unwrap_or(&keys), output)?;
    let mut refused = Refused::of(&name);
    let mut others: u64 = 0;
    each(&name, &mut sessions, |entry| {
        match entry.session() {
            Ok(session) if selection.has(&session) => copy(&mut writer, &entry, &mut refused)?,
            Ok(_) => others += 1,
            Err(error) => refused.note(&error),
        }
        Ok(())
    })?;
    let report = Record::new().with("not_selected", others).with("refused", refused.count());
    writer.finish(&report, json)?;
    Ok(refused.verdict())
}

pub(super) fn rekey(one: &One, target: &Target, json: bool) -> Result<Verdict, Failure> {
    let output = target.protection.create(&target.output)?;
    let mut file = KeyFile::open(&one.file, one.passphrase_fd)?;
    let name = file.name().to_owned();
    // A wrong passphrase is told before a new one is asked for.
    file.check()?;
    let keys = target.protection.choose(output.name())?;
    let mut writer = Writer::new(&keys, output)?;
    let mut refused = Refused::of(&name);
    let mut no_sessions: u64 = 0;
    each(&name, &mut file.sessions()?, |entry| {
        no_sessions += u64::from(entry.json().is_ok() && entry.session().is_err());
        copy(&mut writer, &entry, &mut refused)
    })?;
    let report = Record::new().with("copied_but_no_sessions", no_sessions).with("refused", refused.count());
    writer.finish(&report, json)?;
    Ok(refused.verdict())
}

pub(super) fn salvage(one: &One, target: &Target, json: bool) -> Result<Verdict, Failure> {
    let is_new = target.protection.is_new(false)?;
    let output = target.protection.create(&target.output)?;
    let mut file = KeyFile::open_damaged(&one.file, one.passphrase_fd)?;
    let name = file.name().to_owned();
    let new_keys = if is_new { Some(target.protection.choose(output.name())?) } else { None };
    warn("UNAUTHENTICATED: nothing shows that what is salvaged is what was once exported");
    let keys = file.keys();
    let mut sessions = file.salvage()?;
    let mut writer = Writer::new(new_keys.as_ref().unwrap_or(&keys), output)?;
    let mut refused = Refused::of(&name);
    let mut salvaged: u64 = 0;
    each(&name, &mut sessions, |entry| {
        match entry.session() {
            Ok(session) => {
                salvaged += 1;
                writer.write(&session)?;
            }
            Err(error) => refused.note(&error),
        }
        Ok(())
    })?;
    if salvaged == 0 {
        return Err(Failure::refused(format!(
            "{name}: nothing to salvage; the passphrase is wrong, or the file is damaged from its beginning on"
        )));
    }
    let report = Record::new().with("refused", refused.count()).with("authenticated", false);
    writer.finish(&report, json)?;
    Ok(Verdict::Bad)
}

fn each(
    name: &str,
    sessions: &mut Sessions<'_, Source>,
    mut take: impl FnMut(Entry<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    while let Some(entry) = sessions.next_entry().map_err(|error| key_file::failure(name, &error))? {
        take(entry)?;
    }
    Ok(())
}

fn copy(writer: &mut Writer<'_>, entry: &Entry<'_>, refused: &mut Refused<'_>) -> Result<(), Failure> {
    match entry.json() {
        Ok(json) if writer.write_json(json)? => {}
        // What is no object cannot be in a key file.
        Ok(_) => refused.note(&entry.session().err().unwrap_or(EntryError {
            position: entry.position(),
            reason: mx_key_export::EntryErrorReason::Malformed,
        })),
        Err(error) => refused.note(&error),
    }
    Ok(())
}
