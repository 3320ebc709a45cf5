//! A code as JSON.

use mx_qr_code::{Displayed, Displaying, ReciprocateSecret};
use mx_types::Ed25519PublicKey;
use serde::Deserialize;

use super::Code;
use crate::text::Text;

/// The members that `qr read --json --secret` prints, and others, which are of no interest here.
#[derive(Debug, Deserialize)]
struct Document<'t> {
    mode: u8,
    #[serde(borrow)]
    flow_id: Text<'t>,
    #[serde(borrow)]
    key1: Text<'t>,
    #[serde(borrow)]
    key2: Text<'t>,
    #[serde(borrow)]
    secret: Option<Text<'t>>,
}

pub(super) fn code(text: &str) -> Result<Code, String> {
    let document: Document<'_> =
        serde_json::from_str(text).map_err(|error| format!("not a code: {error}"))?;
    let key = |name: &str, text: &str| {
        Ed25519PublicKey::from_base64(text).map_err(|error| format!("{name}: {error}"))
    };
    let (key1, key2) = (key("key1", &document.key1)?, key("key2", &document.key2)?);
    let displaying = match document.mode {
        0 => Displaying::ToOtherUser { own_master: key1, their_master: key2 },
        1 => Displaying::Trusting { own_master: key1, their_device: key2 },
        2 => Displaying::NotTrusting { own_device: key1, own_master: key2 },
        mode => return Err(format!("mode: there are 0, 1 and 2, not {mode}")),
    };
    let flow_id = &*document.flow_id;
    let displayed = match &document.secret {
        Some(secret) => {
            let secret =
                ReciprocateSecret::from_base64(secret).map_err(|error| format!("secret: {error}"))?;
            Displayed::from_parts(flow_id, displaying, secret)
        }
        None => Displayed::new(&mut getrandom::SysRng, flow_id, displaying),
    };
    Ok(displayed.map_err(|error| format!("flow_id: {error}"))?.emit_to_vec())
}
