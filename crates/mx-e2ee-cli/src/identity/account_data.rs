//! Account data of a user: a folder, a JSON document, or a homeserver's.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    failure::Failure,
    homeserver::{Answer, Client},
    input::Input,
    place::Place,
};

/// Where account data is looked up, type by type.
#[derive(Debug)]
pub(crate) enum AccountData<'c> {
    /// A file for each type, by the name of the type.
    Folder {
        name: String,
        files: BTreeMap<String, PathBuf>,
    },
    /// The content of each type.
    Document {
        name: String,
        contents: BTreeMap<String, Box<RawValue>>,
    },
    Server {
        client: &'c Client,
        user_id: &'c str,
    },
}

/// An event of account data; of what is only a content it has nothing.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    event_type: String,
    content: Box<RawValue>,
}

/// The lists of events in which account data comes.
#[derive(Deserialize)]
struct Sync {
    account_data: Events,
}

#[derive(Deserialize)]
struct Events {
    events: Vec<Event>,
}

impl<'c> AccountData<'c> {
    /// A folder, or a document in one of its forms.
    pub(crate) fn open(place: &Place) -> Result<Self, Failure> {
        if let Place::Path(path) = place
            && path.is_dir()
        {
            return Self::folder(path);
        }
        let mut input = Input::open(place)?;
        let text = input.read_text(MAX_DOCUMENT_LEN)?;
        let contents = contents(&text).map_err(|why| Failure::refused(format!("{}: {why}", input.name())))?;
        Ok(Self::Document { name: input.name().to_owned(), contents })
    }

    pub(crate) const fn of_server(client: &'c Client, user_id: &'c str) -> Self {
        Self::Server { client, user_id }
    }

    /// Files are found by listing the folder: no type, which a server may have made up, is ever made a path.
    fn folder(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unreadable = |error| Failure::input_output(format!("cannot read the folder {name}"), &error);
        let mut files = BTreeMap::new();
        for entry in path.read_dir().map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let event_type = file_name.strip_suffix(".json").unwrap_or(file_name).to_owned();
            if files.insert(event_type.clone(), path).is_some() {
                return Err(Failure::refused(format!("{name} has {event_type} with and without .json")));
            }
        }
        Ok(Self::Folder { name, files })
    }

    /// The content of a type, if there is any.
    pub(crate) fn content(&self, event_type: &str) -> Result<Option<Cow<'_, str>>, Failure> {
        match self {
            Self::Folder { files, .. } => {
                let Some(path) = files.get(event_type) else { return Ok(None) };
                let mut input = Input::open(&Place::Path(path.clone()))?;
                let text = input.read_text(MAX_CONTENT_LEN)?;
                // What was saved may be the whole event.
                let content = match serde_json::from_str::<Event>(&text) {
                    Ok(event) if event.event_type == event_type => event.content.get().to_owned(),
                    _ => text,
                };
                Ok(Some(Cow::Owned(content)))
            }
            Self::Document { contents, .. } => {
                Ok(contents.get(event_type).map(|content| Cow::Borrowed(content.get())))
            }
            Self::Server { client, user_id } => {
                match client.get(&["user", user_id, "account_data", event_type])? {
                    Answer::Done(body) => Ok(Some(Cow::Owned(body))),
                    Answer::Refused(refusal) if refusal.errcode == "M_NOT_FOUND" => Ok(None),
                    refused => client
                        .expect(&format!("the account data {event_type}"), refused)
                        .map(Cow::Owned)
                        .map(Some),
                }
            }
        }
    }

    /// As messages call it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Folder { name, .. } | Self::Document { name, .. } => name,
            Self::Server { .. } => "the account data on the server",
        }
    }
}

/// The contents in a document: `{type: content}`, a list of events, an object with such a list as `events`, or an
/// answer to `/sync`.
fn contents(text: &str) -> Result<BTreeMap<String, Box<RawValue>>, String> {
    let events = serde_json::from_str::<Sync>(text).map(|sync| sync.account_data.events);
    let events = events.or_else(|_| serde_json::from_str::<Events>(text).map(|list| list.events));
    let events = events.or_else(|_| serde_json::from_str::<Vec<Event>>(text));
    let Ok(events) = events else {
        return serde_json::from_str(text).map_err(|error| {
            format!("it is neither {{type: content}} nor a list of account data events: {error}")
        });
    };
    let mut contents = BTreeMap::new();
    for Event { event_type, content } in events {
        if contents.insert(event_type.clone(), content).is_some() {
            return Err(format!("{event_type} is there twice: which is the present one?"));
        }
    }
    Ok(contents)
}

/// An initial `/sync` may have thousands of rooms in it.
const MAX_DOCUMENT_LEN: usize = 256 << 20;

const MAX_CONTENT_LEN: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_in_four_forms() {
        let list = r#"[{"type":"a","content":{"x":1}},{"type":"m.b","content":{}}]"#;
        let map = r#"{"a":{"x":1},"m.b":{}}"#;
        let events = format!(r#"{{"events":{list}}}"#);
        let sync = format!(r#"{{"next_batch":"s","account_data":{{"events":{list}}},"rooms":{{}}}}"#);
        for text in [list, map, &events, &sync] {
            let contents = contents(text).unwrap();
            let contents: Vec<_> = contents.iter().map(|(name, json)| (name.as_str(), json.get())).collect();
            assert_eq!(contents, [("a", r#"{"x":1}"#), ("m.b", "{}")], "{text}");
        }
        for text in ["", "[1]", "7", r#"[{"type":"a","content":{}},{"type":"a","content":{}}]"#] {
            assert!(contents(text).is_err(), "{text}");
        }
    }
}
