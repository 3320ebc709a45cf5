//! How a member becomes a value.

use alloc::{borrow::Cow, vec::Vec};

use mx_json::{
    Value,
    required::{array, string, text},
};
use mx_megolm::{GroupSessionId, SessionKeyError};
use mx_types::{Curve25519PublicKey, InvalidIdentifier, InvalidKey};

use crate::{MAX_FORWARDING_CHAIN_LEN, MEGOLM, MalformedObject, ParseError};

pub(crate) fn check_algorithm(algorithm: Option<Value<'_>>) -> Result<(), ParseError> {
    if text(algorithm, "algorithm")?.is(MEGOLM) { Ok(()) } else { Err(ParseError::Algorithm) }
}

/// An ID that `parse` does not refuse.
pub(crate) fn identifier<'a, T>(
    value: Option<Value<'a>>,
    member: &'static str,
    parse: impl FnOnce(&str) -> Result<T, InvalidIdentifier>,
) -> Result<Cow<'a, str>, ParseError> {
    let text = string(value, member)?;
    match parse(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(ParseError::Identifier { member, error }),
    }
}

pub(crate) fn key<K>(
    value: Option<Value<'_>>,
    member: &'static str,
    parse: impl FnOnce(&str) -> Result<K, InvalidKey>,
) -> Result<K, ParseError> {
    parse(&string(value, member)?).map_err(|error| ParseError::Key { member, error })
}

pub(crate) fn session_key<K>(
    value: Option<Value<'_>>,
    parse: impl FnOnce(&str) -> Result<K, SessionKeyError>,
) -> Result<K, ParseError> {
    let member = "session_key";
    let key = text(value, member)?.with_secret(parse).ok_or(MalformedObject::WrongType { member })?;
    Ok(key?)
}

/// The session ID that stands beside a session key must be that of the key.
pub(crate) fn check_session_id(given: Option<Value<'_>>, of_key: &GroupSessionId) -> Result<(), ParseError> {
    if text(given, "session_id")?.is(of_key.as_str()) { Ok(()) } else { Err(ParseError::SessionId) }
}

/// The keys of those who forwarded a session.
pub(crate) fn forwarding_chain(chain: Option<Value<'_>>) -> Result<Vec<Curve25519PublicKey>, ParseError> {
    let member = "forwarding_curve25519_key_chain";
    let chain = array(chain, member)?;
    let (len, limit) = (mx_json::elements(chain).count(), MAX_FORWARDING_CHAIN_LEN);
    if len > limit {
        return Err(ParseError::TooLong { member, len, limit });
    }
    let mut keys = Vec::with_capacity(len);
    for element in mx_json::elements(chain) {
        keys.push(key(mx_json::value(element), member, Curve25519PublicKey::from_base64)?);
    }
    Ok(keys)
}
