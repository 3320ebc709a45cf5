//! An event with its verdict.

use alloc::{borrow::Cow, string::String, string::ToString as _};
use core::fmt;

use zeroize::Zeroizing;

use crate::{Place, Verdict, Why, clear::push_text};

/// An event with its verdict. The plaintext is wiped when it is dropped.
#[non_exhaustive]
pub struct JudgedEvent<'f> {
    /// Where it stands.
    pub place: Place,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, where the verdict does not say it all.
    pub why: Option<Why>,
    /// The index of the message, if it was decrypted so far that it is known.
    pub message_index: Option<u32>,
    /// The room that the event names, or that of events that name none.
    pub room_id: Option<Cow<'f, str>>,
    /// The ID that the event names.
    pub event_id: Option<Cow<'f, str>>,
    /// Who is said to have sent it. Whoever could write the files could name anybody.
    pub claimed_sender: Option<Cow<'f, str>>,
    /// See [`JudgedEvent::event`].
    pub(crate) event: Option<Zeroizing<String>>,
    /// See [`JudgedEvent::content`].
    pub(crate) content: Option<Zeroizing<String>>,
}

impl JudgedEvent<'_> {
    /// The event's JSON on one line: with the type and the content of its plaintext if it was decrypted, else as it came.
    /// `None` if it could not be read.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        self.event.as_ref().map(|event| event.as_str())
    }

    /// The JSON of the decrypted content, as it was encrypted.
    #[must_use]
    pub fn content(&self) -> Option<&str> {
        self.content.as_ref().map(|content| content.as_str())
    }

    /// All that is said of the event as one line of JSON, without its end: `at`, `event_id`, `claimed_sender`, `verdict`, `why`,
    /// `message_index`, `authenticated`, `event`. What is not known is left out. `authenticated` is `false` for what was
    /// decrypted: keys out of files prove nothing.
    #[must_use]
    pub fn emit(&self) -> Zeroizing<String> {
        self.emit_with(None, &[])
    }

    /// The same with another text as `why`, and with more members before the event: their names, and their values as
    /// JSON.
    #[must_use]
    pub fn emit_with(&self, why: Option<&str>, more: &[(&str, &str)]) -> Zeroizing<String> {
        let mut said = String::new();
        push(&mut said, "at", |said| push_text(said, &self.place.to_string()));
        for (name, value) in [("event_id", &self.event_id), ("claimed_sender", &self.claimed_sender)] {
            if let Some(value) = value {
                push(&mut said, name, |said| push_text(said, value));
            }
        }
        push(&mut said, "verdict", |said| push_text(said, self.verdict.as_str()));
        let why = why.map(Cow::Borrowed).or_else(|| self.why.as_ref().map(|why| Cow::Owned(why.to_string())));
        if let Some(why) = why {
            push(&mut said, "why", |said| push_text(said, &why));
        }
        if let Some(message_index) = self.message_index {
            push(&mut said, "message_index", |said| said.push_str(&message_index.to_string()));
        }
        if self.verdict == Verdict::Decrypted {
            push(&mut said, "authenticated", |said| said.push_str("false"));
        }
        for (name, json) in more {
            push(&mut said, name, |said| said.push_str(json));
        }
        // Nothing secret up to here, and from here on the line does not grow.
        let event = self.event().unwrap_or_default();
        let mut line = Zeroizing::new(String::with_capacity(said.len() + event.len() + ENDS_LEN));
        line.push('{');
        line.push_str(&said);
        if !event.is_empty() {
            push(&mut line, "event", |line| line.push_str(event));
        }
        line.push('}');
        line
    }
}

/// Braces, and what stands before an event.
const ENDS_LEN: usize = 16;

fn push(line: &mut String, name: &str, value: impl FnOnce(&mut String)) {
    if !matches!(line.as_str(), "" | "{") {
        line.push(',');
    }
    push_text(line, name);
    line.push(':');
    value(line);
}

impl fmt::Debug for JudgedEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, verdict, why, message_index, .. } = self;
        let mut debug = f.debug_struct("JudgedEvent");
        debug.field("place", place).field("verdict", verdict).field("why", why);
        debug.field("message_index", message_index).finish_non_exhaustive()
    }
}
