//! A room's exported events, decrypted with a key export, some at a time.

use core::{fmt, mem};

use js_sys::{Array, Function};
use mx_room_history::{EventReader, Judge, NeededSessions, Offered, VerdictCounts};
use mx_types::RoomId;
use wasm_bindgen::prelude::*;

use crate::{
    failure::{coded, thrown},
    key_export::{KeyExportReader, RefusedEntry, Source},
    object::{object, to_js},
};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What became of an event. */
export type Verdict =
    | "decrypted" | "not encrypted" | "redacted" | "no key" | "index before the first known one" | "bad MAC or signature"
    | "replayed index" | "wrong room" | "other algorithm" | "malformed";

/** An event with its verdict. */
export interface JudgedEvent {
    verdict: Verdict;
    /** The room that the event names, or that of events that name none. */
    roomId: string | undefined;
    /** All that is said of it, as one line of JSON: `JSON.parse` makes a `JudgedEventLine` of it. */
    line: string;
}

/** What is not known is left out. */
export interface JudgedEventLine {
    /** Where it stands: `line 3` of the file, or `event 3` of its list. */
    at: string;
    event_id?: string;
    /** Who is said to have sent it. Whoever could write the files could name anybody. */
    claimed_sender?: string;
    verdict: Verdict;
    why?: string;
    message_index?: number;
    /** There if it was decrypted: keys out of files prove nothing. */
    authenticated?: false;
    /** The event, decrypted or as it came. */
    event?: unknown;
}

/** What a step through a key export did. */
export interface KeptSessions {
    /** Sessions that were passed over because they contradict four others with their ID. */
    contradicting: number;
    refused: RefusedEntry[];
    /** The file is at its end. */
    done: boolean;
}
"#;

/// Exported events. First `look` until it says `true`, then `keep` what they need of a key export, then `judge` until there are
/// no more. Call `free` when it is no longer needed: the keys that were kept are wiped.
#[wasm_bindgen]
pub struct RoomHistory {
    read_at: Function,
    stage: Stage,
    counts: VerdictCounts,
}

/// What was begun. The events are read twice, so that of a large key export only what they need is kept.
enum Stage {
    Looking(EventReader<Source>, NeededSessions),
    Keeping(NeededSessions),
    Judging(EventReader<Source>, Judge),
    /// Reading failed.
    Over,
}

#[wasm_bindgen]
impl RoomHistory {
    /// Opens a file: events one a line or in an array, an export of Element, or an answer to `/messages`. Events that do not name
    /// their room are taken to be of `defaultRoom`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "ReadAt")] read_at: Function,
        default_room: Option<String>,
    ) -> Result<Self, JsValue> {
        let default_room = default_room.as_deref().map(RoomId::parse).transpose().map_err(thrown)?;
        let needed = NeededSessions::new(default_room);
        let stage = Stage::Looking(open(&read_at)?, needed);
        Ok(Self { read_at, stage, counts: VerdictCounts::default() })
    }

    /// Looks at no more than `max` events, to see which sessions they need. `true` once it has seen all.
    pub fn look(&mut self, max: u32) -> Result<bool, JsValue> {
        let (mut events, mut needed) = match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Looking(events, needed) => (events, needed),
            Stage::Over => return Err(over()),
            later => {
                self.stage = later;
                return Ok(true);
            }
        };
        for _ in 0..max {
            let Some(found) = events.next_event().map_err(JsValue::from)? else {
                self.stage = Stage::Keeping(needed);
                return Ok(true);
            };
            if let Ok(json) = found.json {
                needed.add_event(json).map_err(thrown)?;
            }
        }
        self.stage = Stage::Looking(events, needed);
        Ok(false)
    }

    /// Keeps what the events need of no more than `max` entries of a key export, which must be verified.
    #[wasm_bindgen(unchecked_return_type = "KeptSessions")]
    pub fn keep(&mut self, reader: &mut KeyExportReader, max: u32) -> Result<JsValue, JsValue> {
        let needed = match &mut self.stage {
            Stage::Keeping(needed) => needed,
            Stage::Looking(..) => {
                return Err(coded("NotSeen", "call look until it says true: what is needed is not known"));
            }
            Stage::Judging(..) => return Err(coded("Judging", "keys come before the first event is judged")),
            Stage::Over => return Err(over()),
        };
        let (mut contradicting, mut refused) = (0_u32, Vec::<RefusedEntry>::new());
        let done = reader.each(max, |_, session| match session {
            Ok(session) => contradicting += u32::from(needed.offer(session) == Offered::TooManyCopies),
            Err(error) => refused.push(error),
        })?;
        Ok(object([
            ("contradicting", contradicting.into()),
            ("refused", to_js(&refused)?),
            ("done", done.into()),
        ]))
    }

    /// How many sessions are kept.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn kept(&self) -> usize {
        match &self.stage {
            Stage::Looking(_, needed) | Stage::Keeping(needed) => needed.kept(),
            Stage::Judging(_, judge) => judge.sessions().kept(),
            Stage::Over => 0,
        }
    }

    /// The next events, no more than `max`, each with its verdict. `undefined` when there are no more.
    #[wasm_bindgen(unchecked_return_type = "JudgedEvent[] | undefined")]
    pub fn judge(&mut self, max: u32) -> Result<JsValue, JsValue> {
        let (mut events, mut judge) = match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Keeping(needed) => (open(&self.read_at)?, Judge::new(needed)),
            Stage::Judging(events, judge) => (events, judge),
            Stage::Over => return Err(over()),
            looking @ Stage::Looking(..) => {
                self.stage = looking;
                return Err(coded("NotSeen", "call look until it says true: what is needed is not known"));
            }
        };
        let rows = Array::new();
        for _ in 0..max {
            let Some(found) = events.next_event().map_err(JsValue::from)? else { break };
            let judged = judge.judge(&found);
            self.counts.count(judged.verdict);
            rows.push(&object([
                ("verdict", judged.verdict.as_str().into()),
                ("roomId", judged.room_id.as_deref().map_or(JsValue::UNDEFINED, JsValue::from)),
                ("line", judged.emit().as_str().into()),
            ]));
        }
        self.stage = Stage::Judging(events, judge);
        Ok(if rows.length() == 0 { JsValue::UNDEFINED } else { rows.into() })
    }

    /// How many events got which verdict so far, in order, without those that none got.
    #[wasm_bindgen(getter, unchecked_return_type = "[Verdict, number][]")]
    #[must_use]
    pub fn counts(&self) -> Array {
        let pair = |(verdict, count): (mx_room_history::Verdict, u64)| {
            Array::of2(&verdict.as_str().into(), &(count as f64).into())
        };
        self.counts.iter().map(pair).collect()
    }
}

impl fmt::Debug for RoomHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomHistory").field("counts", &self.counts).finish_non_exhaustive()
    }
}

fn open(read_at: &Function) -> Result<EventReader<Source>, JsValue> {
    EventReader::new(Source::new(read_at.clone())).map_err(JsValue::from)
}

fn over() -> JsValue {
    coded("FailedBefore", "reading failed before: begin again")
}
