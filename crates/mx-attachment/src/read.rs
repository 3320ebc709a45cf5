//! The description of a file read where it stands in the text.

use alloc::borrow::Cow;

use mx_json::{MalformedObject, Value as Json, check_len, elements, members, required};

use crate::{
    UncheckedFile,
    unchecked::{Bytes, File, Hashes, Jwk, Secret, Value},
};

/// The longest description that is read, in bytes of JSON.
pub const MAX_DESCRIPTION_LEN: usize = 65_536;

impl<'j> UncheckedFile<Cow<'j, str>> {
    /// Reads the object. Unlike a deserializer's, no copy of the key is left behind, however it is spelled.
    ///
    /// # Errors
    ///
    /// [`MalformedObject`]: more than [`MAX_DESCRIPTION_LEN`] bytes, no JSON, no object, no `url`; a member that is there
    /// twice, or of the wrong type.
    pub fn parse(json: &'j [u8]) -> Result<Self, MalformedObject> {
        check_len(json, MAX_DESCRIPTION_LEN)?;
        let [v, url, key, iv, hashes] = members(json, &["v", "url", "key", "iv", "hashes"])?;
        let hashes = hashes.map(|_| required::object(hashes, "hashes")).transpose()?;
        Ok(Self(File {
            url: required::string(url, "url")?,
            v: v.and_then(value),
            key: key.map(|_| required::object(key, "key").and_then(jwk)).transpose()?,
            iv: bytes(iv, "iv")?,
            hashes: hashes
                .map(|hashes| {
                    let [sha256] = members(hashes, &["sha256"])?;
                    Ok(Hashes { sha256: bytes(sha256, "sha256")? })
                })
                .transpose()?,
        }))
    }
}

fn jwk(key: &[u8]) -> Result<Jwk, MalformedObject> {
    let [kty, key_ops, alg, k, ext] = members(key, &["kty", "key_ops", "alg", "k", "ext"])?;
    Ok(Jwk {
        kty: kty.and_then(value),
        alg: alg.and_then(value),
        ext: ext.and_then(value),
        key_ops: key_ops.and_then(value),
        k: decoded(k, "k", Secret::decode)?,
    })
}

/// `None` for `null`, as if the member were not there.
fn value(json: Json<'_>) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(true) => Value::True,
        Json::Text(text) => text.to_str().map_or(Value::Other, |text| Value::of_text(&text)),
        Json::Array(array) => operations(array),
        Json::Bool(false) | Json::Number(_) | Json::Object(_) => Value::Other,
    })
}

fn operations(array: &[u8]) -> Value {
    let (mut encrypt, mut decrypt) = (false, false);
    for element in elements(array) {
        if let Some(Json::Text(text)) = mx_json::value(element) {
            encrypt |= text.is("encrypt");
            decrypt |= text.is("decrypt");
        }
    }
    Value::Operations { encrypt, decrypt }
}

fn bytes<const N: usize>(
    json: Option<Json<'_>>,
    member: &'static str,
) -> Result<Option<Bytes<N>>, MalformedObject> {
    decoded(json, member, Bytes::decode)
}

/// `None` for `null`, as if the member were not there.
fn decoded<T>(
    json: Option<Json<'_>>,
    member: &'static str,
    decode: impl FnOnce(&str) -> T,
) -> Result<Option<T>, MalformedObject> {
    if let None | Some(Json::Null) = json {
        return Ok(None);
    }
    let decoded = required::text(json, member)?.with_secret(decode);
    decoded.map(Some).ok_or(MalformedObject::WrongType { member })
}
