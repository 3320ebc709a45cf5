//! Errors as JavaScript throws them.

use core::fmt::{Debug, Display};

use js_sys::{Error, Reflect};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPE: &str = r#"
/**
 * What every function here throws. `code` names what went wrong, as the variant of the Rust error does: `NoEnd`,
 * `WrongPassphraseOrDamaged`; of an error within another both are named, `Decrypt.Authentication`. `message` is for people.
 */
export interface MxError extends Error {
    readonly name: "MxError";
    readonly code: string;
}
"#;

/// The error to be thrown for one of the crates'.
pub(crate) fn thrown(error: impl Debug + Display) -> JsValue {
    coded(&code(&error), &error.to_string())
}

pub(crate) fn coded(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    error.set_name("MxError");
    // Objects that were just made take any member.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}

/// The names of the variants, from without to within. Errors of the crates derive `Debug`, and their names are public.
fn code(error: &impl Debug) -> String {
    let text = format!("{error:?}");
    let mut code = String::new();
    let mut last = "";
    for name in text.split('(') {
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let Some((name, rest)) = name.split_at_checked(end) else { break };
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            break;
        }
        if name != last {
            code.push_str(if code.is_empty() { "" } else { "." });
            code.push_str(name);
        }
        last = name;
        if !rest.is_empty() {
            break;
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use mx_key_export::{ReadError, TooManyRounds};
    use mx_megolm::{DecryptError, UnknownMessageIndex};

    use super::*;

    #[test]
    fn codes_are_the_names_of_variants() {
        let damaged: ReadError<core::convert::Infallible> = ReadError::WrongPassphraseOrDamaged;
        assert_eq!(code(&damaged), "WrongPassphraseOrDamaged");
        assert_eq!(code(&TooManyRounds { rounds: 2, limit: 1 }), "TooManyRounds");
        assert_eq!(
            code(&mx_olm::InboundSessionError::Decrypt(mx_olm::DecryptError::Authentication)),
            "Decrypt.Authentication"
        );
        let unknown = DecryptError::UnknownMessageIndex(UnknownMessageIndex { first_known: 3, requested: 1 });
        assert_eq!(code(&unknown), "UnknownMessageIndex");
        assert_eq!(code(&Some("(Text(")), "Some");
    }
}
