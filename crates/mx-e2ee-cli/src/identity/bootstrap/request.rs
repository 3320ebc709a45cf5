//! Requests to be made, in the order in which they are to be made, as a document that others can send.

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::value::RawValue;

use crate::{failure::Failure, homeserver};

/// One request. Nothing in it is secret that is not encrypted.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Behind `/_matrix/client/v3`.
    segments: Vec<String>,
    pub(super) body: Box<RawValue>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Method {
    Post,
    Put,
}

impl Request {
    pub(super) fn post(segments: &[&str], body: String) -> Result<Self, Failure> {
        Self::new(Method::Post, segments, body)
    }

    /// Account data of the user.
    pub(super) fn account_data(user_id: &str, event_type: &str, content: String) -> Result<Self, Failure> {
        Self::new(Method::Put, &["user", user_id, "account_data", event_type], content)
    }

    fn new(method: Method, segments: &[&str], body: String) -> Result<Self, Failure> {
        let segments = segments.iter().map(|segment| (*segment).to_owned()).collect();
        let body = RawValue::from_string(body)
            .map_err(|error| Failure::refused(format!("a body that was made is not JSON: {error}")))?;
        Ok(Self { method, segments, body })
    }

    /// The path of the URL.
    pub(super) fn path(&self) -> String {
        homeserver::path(&self.segments())
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }
}

impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("method", if self.method == Method::Post { "POST" } else { "PUT" })?;
        map.serialize_entry("path", &self.path())?;
        map.serialize_entry("body", &self.body)?;
        map.end()
    }
}
