//! The description of a file read where it stands in the text.

use alloc::borrow::Cow;

use mx_json::{MalformedObject, Unread, Value as Json, check_len, read_members, required};

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
        let mut url = None;
        let mut file = File { url: (), v: None, key: None, iv: None, hashes: None };
        read_members(json, &["v", "url", "key", "iv", "hashes"], |place, unread| {
            match place {
                0 => file.v = value(unread)?,
                1 => url = Some(unread.value()?),
                2 => jwk(unread, file.key.insert(Jwk::default()))?,
                3 => file.iv = bytes(unread.value()?, "iv")?,
                _ => hashes(unread, file.hashes.insert(Hashes { sha256: None }))?,
            }
            Ok(())
        })?;
        let File { v, key, iv, hashes, .. } = file;
        Ok(Self(File { url: required::string(url, "url")?, v, key, iv, hashes }))
    }
}

fn jwk(unread: Unread<'_, '_>, jwk: &mut Jwk) -> Result<(), MalformedObject> {
    unread.members("key", &["kty", "key_ops", "alg", "k", "ext"], |place, unread| {
        match place {
            0 => jwk.kty = value(unread)?,
            1 => jwk.key_ops = value(unread)?,
            2 => jwk.alg = value(unread)?,
            3 => jwk.k = decoded(unread.value()?, "k", Secret::decode)?,
            _ => jwk.ext = value(unread)?,
        }
        Ok(())
    })
}

fn hashes(unread: Unread<'_, '_>, hashes: &mut Hashes) -> Result<(), MalformedObject> {
    unread.members("hashes", &["sha256"], |_, unread| {
        hashes.sha256 = bytes(unread.value()?, "sha256")?;
        Ok(())
    })
}

/// `None` for `null`, as if the member were not there.
fn value(unread: Unread<'_, '_>) -> Result<Option<Value>, MalformedObject> {
    let (mut encrypt, mut decrypt) = (false, false);
    let unread = unread.elements(|element| {
        if let Json::Text(text) = element {
            encrypt |= text.is("encrypt");
            decrypt |= text.is("decrypt");
        }
    })?;
    let Some(unread) = unread else { return Ok(Some(Value::Operations { encrypt, decrypt })) };
    Ok(Some(match unread.value()? {
        Json::Null => return Ok(None),
        Json::Bool(true) => Value::True,
        Json::Text(text) => text.with_secret_bytes(Value::of_text).unwrap_or(Value::Other),
        Json::Bool(false) | Json::Number(_) | Json::Object(_) | Json::Array(_) => Value::Other,
    }))
}

fn bytes<const N: usize>(json: Json<'_>, member: &'static str) -> Result<Option<Bytes<N>>, MalformedObject> {
    decoded(json, member, Bytes::decode)
}

/// `None` for `null`, as if the member were not there.
fn decoded<T>(
    json: Json<'_>,
    member: &'static str,
    decode: impl FnOnce(&[u8]) -> T,
) -> Result<Option<T>, MalformedObject> {
    if let Json::Null = json {
        return Ok(None);
    }
    let decoded = required::text(Some(json), member)?.with_secret_bytes(decode);
    decoded.map(Some).ok_or(MalformedObject::WrongType { member })
}
