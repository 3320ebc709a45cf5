//! A session of a file, with its key.

use js_sys::JsString;
use mx_room_key::ExportedSessionData;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::{failure::thrown, megolm::InboundGroupSession};

/// A session as it stands in a key export. Call `free` when it is no longer needed: its key is wiped.
#[wasm_bindgen]
#[derive(Debug)]
pub struct ExportedSession(ExportedSessionData<'static>);

impl ExportedSession {
    pub(crate) const fn new(session: ExportedSessionData<'static>) -> Self {
        Self(session)
    }

    pub(crate) const fn inner(&self) -> &ExportedSessionData<'static> {
        &self.0
    }
}

#[wasm_bindgen]
impl ExportedSession {
    /// Reads an entry of a key export.
    #[wasm_bindgen(js_name = fromJson)]
    pub fn from_json(json: String) -> Result<Self, JsValue> {
        let json = Zeroizing::new(json);
        let session = ExportedSessionData::parse(json.as_bytes()).map_err(thrown)?;
        Ok(Self(session.into_owned()))
    }

    /// The entry of a key export. It holds the session key.
    #[wasm_bindgen(js_name = toJson)]
    #[must_use]
    pub fn to_json(&self) -> JsString {
        str::from_utf8(&self.0.emit_to_vec()).unwrap_or_default().into()
    }

    /// The room.
    #[wasm_bindgen(getter, js_name = roomId)]
    #[must_use]
    pub fn room_id(&self) -> String {
        self.0.room_id().to_owned()
    }

    /// The session ID, by its key.
    #[wasm_bindgen(getter, js_name = sessionId)]
    #[must_use]
    pub fn session_id(&self) -> String {
        self.0.session_id().as_str().to_owned()
    }

    /// The first message that can be read.
    #[wasm_bindgen(getter, js_name = firstKnownIndex)]
    #[must_use]
    pub fn first_known_index(&self) -> u32 {
        self.0.session.session_key.first_known_index()
    }

    /// The Curve25519 key of the device that the session is said to be from.
    #[wasm_bindgen(getter, js_name = senderKey)]
    #[must_use]
    pub fn sender_key(&self) -> String {
        self.0.session.sender_key.to_string()
    }

    /// The session, to decrypt with.
    #[wasm_bindgen(js_name = toInbound)]
    #[must_use]
    pub fn to_inbound(&self) -> InboundGroupSession {
        InboundGroupSession::new(mx_megolm::InboundGroupSession::import(&self.0.session.session_key))
    }
}
