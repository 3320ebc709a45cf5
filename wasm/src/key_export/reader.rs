//! The sessions of a file, some at a time.

use alloc::{boxed::Box, collections::BTreeSet, rc::Rc};
use core::{fmt, mem};

use js_sys::Array;
use mx_key_export::{EntryError, ExportKeys, KeyExport, Sessions, Verification};
use mx_room_key::ExportedSessionData;
use self_cell::{MutBorrow, self_cell};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::{
    session::ExportedSession,
    stream::{Source, read_failed},
    writer::KeyExportWriter,
};
use crate::{
    failure::coded,
    object::{from_js, object, to_js},
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** What a file says of a session. All but the session ID and the index are claims: whoever wrote the file could name anybody. */
export interface SessionSummary {
    position: number;
    roomId: string;
    sessionId: string;
    firstKnownIndex: number;
    senderKey: string;
    senderClaimedEd25519: string | null;
    /** How many devices forwarded it. */
    forwarders: number;
    sharedHistory: boolean;
}

/** An entry of a file that is no session. The others are read all the same. */
export interface RefusedEntry {
    position: number;
    error: string;
}

/** Sessions of all of the kinds that are given, and of any of each kind. */
export interface SessionFilter {
    rooms?: string[];
    sessions?: string[];
    /** Curve25519 keys of devices. */
    senders?: string[];
}

/** What a step of copying did. */
export interface Copied {
    copied: number;
    notSelected: number;
    refused: RefusedEntry[];
    /** The file is at its end. */
    done: boolean;
}
";

struct Opened {
    file: MutBorrow<KeyExport<Source>>,
    keys: Rc<ExportKeys>,
}

/// How far reading is.
enum Stage<'f> {
    Verifying(Box<Verification<'f, Source>>),
    Reading(Box<Sessions<'f, Source>>),
    /// Reading failed.
    Over,
}

self_cell!(
    struct Progress {
        owner: Opened,
        #[not_covariant]
        dependent: Stage,
    }
);

/// Reads a file: first `verify` until it says `true`, then sessions until there are no more.
#[wasm_bindgen]
pub struct KeyExportReader {
    progress: Progress,
    filter: Filter,
}

impl KeyExportReader {
    pub(crate) fn new(file: KeyExport<Source>, keys: Rc<ExportKeys>, is_damaged: bool) -> Self {
        let opened = Opened { file: MutBorrow::new(file), keys };
        let progress = Progress::new(opened, |Opened { file, keys }| {
            let file = file.borrow_mut();
            if is_damaged {
                file.salvage_unauthenticated(keys)
                    .map_or(Stage::Over, |sessions| Stage::Reading(Box::new(sessions)))
            } else {
                Stage::Verifying(Box::new(file.verification(keys)))
            }
        });
        Self { progress, filter: Filter::default() }
    }

    /// Takes no more than `max` entries, and says whether the file is at its end.
    pub(crate) fn each(
        &mut self,
        max: u32,
        mut take: impl FnMut(u64, Result<ExportedSessionData<'_>, Refused>),
    ) -> Result<bool, JsValue> {
        let filter = &self.filter;
        self.progress.with_dependent_mut(|_, stage| {
            let sessions = reading(stage)?;
            for _ in 0..max {
                let position = sessions.counts().entries;
                match sessions.next_session().map_err(read_failed)? {
                    None => return Ok(true),
                    Some(Ok(session)) if filter.takes(&session) => take(position, Ok(session)),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => take(position, Err(Refused::of(&error))),
                }
            }
            Ok(false)
        })
    }
}

#[wasm_bindgen]
impl KeyExportReader {
    /// Reads at most `chunks` times 36 kB to check the MAC of the file. `true` once it was right: until then nothing is
    /// decrypted. Throws `WrongPassphraseOrDamaged` at the end of a file of which it is wrong.
    pub fn verify(&mut self, chunks: u32) -> Result<bool, JsValue> {
        self.progress.with_dependent_mut(|_, stage| {
            let Stage::Verifying(verification) = stage else {
                return if matches!(stage, Stage::Over) { Err(over()) } else { Ok(true) };
            };
            for _ in 0..chunks {
                match verification.step() {
                    Ok(true) => {}
                    Ok(false) => {
                        let Stage::Verifying(verification) = mem::replace(stage, Stage::Over) else {
                            return Err(over());
                        };
                        *stage = Stage::Reading(Box::new(verification.finish().map_err(read_failed)?));
                        return Ok(true);
                    }
                    Err(error) => {
                        *stage = Stage::Over;
                        return Err(read_failed(error));
                    }
                }
            }
            Ok(false)
        })
    }

    /// `false` says that the file is read as one that was damaged: nothing authenticates its sessions.
    #[wasm_bindgen(getter, js_name = isAuthenticated)]
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.progress.with_dependent(|_, stage| {
            if let Stage::Reading(sessions) = stage { sessions.is_authenticated() } else { false }
        })
    }

    /// From here on, only sessions that `filter` takes are given out. Others are counted by `copyTo` and passed over.
    pub fn select(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "SessionFilter")] filter: &JsValue,
    ) -> Result<(), JsValue> {
        self.filter = from_js(filter)?;
        Ok(())
    }

    /// What the file says of its next sessions, looking at no more than `max` entries. `undefined` when there are no more.
    #[wasm_bindgen(unchecked_return_type = "(SessionSummary | RefusedEntry)[] | undefined")]
    pub fn summaries(&mut self, max: u32) -> Result<JsValue, JsValue> {
        let mut found = Vec::new();
        let is_over = self.each(max, |position, session| {
            found.push(match session {
                Ok(session) => Row::Session(Summary::of(position, &session)),
                Err(refused) => Row::Refused(refused),
            });
        })?;
        if is_over && found.is_empty() { Ok(JsValue::UNDEFINED) } else { to_js(&found) }
    }

    /// The next session, with its key. `undefined` when there are no more; an entry that is no session is thrown, and the
    /// next call goes on behind it.
    #[wasm_bindgen(js_name = next)]
    pub fn next_session(&mut self) -> Result<Option<ExportedSession>, JsValue> {
        let filter = &self.filter;
        self.progress.with_dependent_mut(|_, stage| {
            let sessions = reading(stage)?;
            loop {
                match sessions.next_session().map_err(read_failed)? {
                    None => return Ok(None),
                    Some(Ok(session)) if filter.takes(&session) => {
                        return Ok(Some(ExportedSession::new(session.into_owned())));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(coded("Entry", &error.to_string())),
                }
            }
        })
    }

    /// Copies at most `max` entries, as they stand, to another file. Without a filter that is all that are JSON objects.
    #[wasm_bindgen(js_name = copyTo, unchecked_return_type = "Copied")]
    pub fn copy_to(&mut self, writer: &mut KeyExportWriter, max: u32) -> Result<JsValue, JsValue> {
        let filter = &self.filter;
        let (mut copied, mut not_selected, mut refused) = (0_u32, 0_u32, Vec::new());
        let done = self.progress.with_dependent_mut(|_, stage| {
            let sessions = reading(stage)?;
            for _ in 0..max {
                let Some(entry) = sessions.next_entry().map_err(read_failed)? else { return Ok(true) };
                let json = if filter.is_empty() {
                    entry.json().map(Some)
                } else {
                    entry.session().and_then(|session| {
                        if filter.takes(&session) { entry.json().map(Some) } else { Ok(None) }
                    })
                };
                match json {
                    Ok(None) => not_selected += 1,
                    Ok(Some(json)) if writer.write_entry(json)? => copied += 1,
                    Ok(Some(_)) => {
                        refused.push(Refused {
                            position: entry.position(),
                            error: "not a JSON object".to_owned(),
                        });
                    }
                    Err(error) => refused.push(Refused::of(&error)),
                }
            }
            Ok::<_, JsValue>(false)
        })?;
        let refused = to_js(&refused)?;
        Ok(object([
            ("copied", copied.into()),
            ("notSelected", not_selected.into()),
            ("refused", Array::from(&refused).into()),
            ("done", done.into()),
        ]))
    }
}

impl fmt::Debug for KeyExportReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyExportReader").finish_non_exhaustive()
    }
}

fn reading<'s, 'f>(stage: &'s mut Stage<'f>) -> Result<&'s mut Sessions<'f, Source>, JsValue> {
    match stage {
        Stage::Reading(sessions) => Ok(sessions),
        Stage::Verifying(_) => {
            Err(coded("NotVerified", "call verify until it says true: nothing is decrypted before"))
        }
        Stage::Over => Err(over()),
    }
}

fn over() -> JsValue {
    coded("FailedBefore", "reading failed before: open the file again")
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    #[serde(default)]
    rooms: BTreeSet<String>,
    #[serde(default)]
    sessions: BTreeSet<String>,
    #[serde(default)]
    senders: BTreeSet<String>,
}

impl Filter {
    fn is_empty(&self) -> bool {
        self.rooms.is_empty() && self.sessions.is_empty() && self.senders.is_empty()
    }

    fn takes(&self, session: &ExportedSessionData<'_>) -> bool {
        let is_any = |of: &BTreeSet<String>, text: &str| of.is_empty() || of.contains(text);
        is_any(&self.rooms, session.room_id())
            && (self.sessions.is_empty() || is_any(&self.sessions, session.session_id().as_str()))
            && (self.senders.is_empty() || is_any(&self.senders, &session.session.sender_key.to_string()))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Session(Summary),
    Refused(Refused),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    position: u64,
    room_id: String,
    session_id: String,
    first_known_index: u32,
    sender_key: String,
    sender_claimed_ed25519: Option<String>,
    forwarders: usize,
    shared_history: bool,
}

impl Summary {
    fn of(position: u64, session: &ExportedSessionData<'_>) -> Self {
        let data = &session.session;
        Self {
            position,
            room_id: session.room_id().to_owned(),
            session_id: session.session_id().as_str().to_owned(),
            first_known_index: data.session_key.first_known_index(),
            sender_key: data.sender_key.to_string(),
            sender_claimed_ed25519: data.sender_claimed_ed25519.as_ref().map(ToString::to_string),
            forwarders: data.forwarding_chain.len(),
            shared_history: data.shared_history,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Refused {
    position: u64,
    error: String,
}

impl Refused {
    fn of(error: &EntryError) -> Self {
        Self { position: error.position, error: error.reason.to_string() }
    }
}
