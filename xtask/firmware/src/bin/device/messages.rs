//! Olm and Megolm messages, in and out.

use firmware::link::Link;
use mx_megolm::{InboundGroupSession, OutboundGroupSession, SessionKey};
use mx_olm::{EncryptedMessage, MessageType, OlmMessage, PreKeyMessage};
use mx_types::{
    Curve25519PublicKey,
    base64::{self, TrailingBits},
};
use zeroize::Zeroizing;

use crate::{
    device::{DeviceAccount, Session},
    fields::{Answer, Fields},
};

/// Bytes of the longest message that is read or written: a pre-key message with a session key.
const MAX_MESSAGE_LEN: usize = 480;

#[inline(never)]
pub fn begin(
    account: &DeviceAccount,
    sessions: &mut [Option<Session>; 2],
    link: &mut Link,
    fields: &mut Fields<'_>,
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let (identity_key, one_time_key) = (key(fields)?, key(fields)?);
    let plaintext = fields.bytes()?;
    let session = Session::outbound(link, account.identity(), &identity_key, &one_time_key);
    let mut session = session.map_err(|_| "no session was begun")?;
    encrypt(&mut session, link, plaintext, answer)?;
    sessions[0] = Some(session);
    Ok(())
}

#[inline(never)]
pub fn send(
    sessions: &mut [Option<Session>; 2],
    link: &mut Link,
    fields: &mut Fields<'_>,
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let session = sessions.get_mut(usize::from(fields.byte()?)).and_then(Option::as_mut);
    encrypt(session.ok_or("there is no such session")?, link, fields.bytes()?, answer)
}

#[inline(never)]
pub fn receive(
    account: &mut DeviceAccount,
    sessions: &mut [Option<Session>; 2],
    fields: &mut Fields<'_>,
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let mut out = Zeroizing::new([0; MAX_MESSAGE_LEN]);
    answer.bytes(decrypt(account, sessions, fields, &mut *out)?)
}

/// A new room session, whose key goes to the other side before anything is encrypted with it.
#[inline(never)]
pub fn room_begin(
    sessions: &mut [Option<Session>; 2],
    room: &mut Option<OutboundGroupSession>,
    link: &mut Link,
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let session = sessions[0].as_mut().ok_or("there is no session to share the room's with")?;
    let outbound = OutboundGroupSession::new(link).map_err(|_| "no room session was begun")?;
    let mut text = Zeroizing::new([0; SessionKey::BASE64_LEN]);
    let text = outbound.session_key().to_base64(&mut text);
    encrypt(session, link, text.as_bytes(), answer)?;
    *room = Some(outbound);
    Ok(())
}

#[inline(never)]
pub fn room_send(
    room: Option<&mut OutboundGroupSession>,
    fields: &mut Fields<'_>,
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let mut out = [0; MAX_MESSAGE_LEN];
    let room = room.ok_or("there is no room session")?;
    let encrypted =
        room.encrypt(fields.bytes()?, &mut out).map_err(|_| "the room session does not encrypt")?;
    answer.field(|text| base64::encode(encrypted.message, text).ok().map(str::len))
}

#[inline(never)]
pub fn room_key(
    account: &mut DeviceAccount,
    sessions: &mut [Option<Session>; 2],
    room: &mut Option<InboundGroupSession>,
    fields: &mut Fields<'_>,
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let mut out = Zeroizing::new([0; MAX_MESSAGE_LEN]);
    let text = str::from_utf8(decrypt(account, sessions, fields, &mut *out)?).unwrap_or_default();
    // The message is used up now, whatever it says: what is wrong with it is an answer, and no refusal.
    let Ok(key) = SessionKey::from_base64(text) else { return answer.bytes(b"not a session key") };
    answer.bytes(key.session_id().as_str().as_bytes())?;
    *room = Some(InboundGroupSession::new(&key));
    Ok(())
}

#[inline(never)]
pub fn room_receive(
    room: Option<&mut InboundGroupSession>,
    fields: &mut Fields<'_>,
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let mut bytes = [0; MAX_MESSAGE_LEN];
    let message = base64::decode(fields.bytes()?, TrailingBits::Ignored, &mut bytes);
    let message = message.map_err(|_| "the body is not Base64")?;
    let mut out = Zeroizing::new([0; MAX_MESSAGE_LEN]);
    let room = room.ok_or("there is no room session")?;
    let decrypted = room.decrypt(message, &mut *out).map_err(|_| "the room session does not decrypt")?;
    answer.bytes(&decrypted.message_index.to_le_bytes())?;
    answer.bytes(decrypted.plaintext)
}

/// Type and body of a message.
fn encrypt(
    session: &mut Session,
    link: &mut Link,
    plaintext: &[u8],
    answer: &mut Answer<'_>,
) -> Result<(), &'static str> {
    let mut out = [0; MAX_MESSAGE_LEN];
    let encrypted = session.encrypt(link, plaintext, &mut out);
    let EncryptedMessage { message_type, bytes } = encrypted.map_err(|_| "the session does not encrypt")?;
    answer.bytes(&[message_type as u8])?;
    answer.field(|text| base64::encode(bytes, text).ok().map(str::len))
}

/// Decrypts with the session that the message belongs to, or with a new one.
#[inline(never)]
fn decrypt<'o>(
    account: &mut DeviceAccount,
    sessions: &mut [Option<Session>; 2],
    fields: &mut Fields<'_>,
    out: &'o mut [u8],
) -> Result<&'o [u8], &'static str> {
    let identity_key = key(fields)?;
    let message_type =
        MessageType::try_from(u64::from(fields.byte()?)).map_err(|_| "there is no such type")?;
    let mut bytes = [0; MAX_MESSAGE_LEN];
    let bytes = base64::decode(fields.bytes()?, TrailingBits::Ignored, &mut bytes);
    let message = OlmMessage::parse(message_type, bytes.map_err(|_| "the body is not Base64")?);
    match message.map_err(|_| "the body is no message")? {
        OlmMessage::PreKey(message)
            if !sessions.iter().flatten().any(|session| session.matches(&message)) =>
        {
            begun(account, &mut sessions[1], &identity_key, &message, out)
        }
        message => {
            // A normal message does not name its session: the one whose chain it is on decrypts it. A session that does
            // not has not changed.
            let mut tried = sessions.iter_mut().flatten().filter(|session| match &message {
                OlmMessage::PreKey(message) => session.matches(message),
                OlmMessage::Normal(_) => true,
            });
            let len = tried.find_map(|session| session.decrypt(&message, out).ok().map(<[u8]>::len));
            out.get(..len.ok_or("no session decrypts the message")?).ok_or("the message is too long")
        }
    }
}

/// The session that another device began.
#[inline(never)]
fn begun<'o>(
    account: &mut DeviceAccount,
    session: &mut Option<Session>,
    identity_key: &Curve25519PublicKey,
    message: &PreKeyMessage<'_>,
    out: &'o mut [u8],
) -> Result<&'o [u8], &'static str> {
    let begun = account.inbound_session(identity_key, message, out);
    let begun = begun.map_err(|_| "no session is made of the message")?;
    *session = Some(begun.session);
    Ok(begun.plaintext)
}

fn key(fields: &mut Fields<'_>) -> Result<Curve25519PublicKey, &'static str> {
    Curve25519PublicKey::from_base64(fields.text()?).map_err(|_| "a key is no key")
}
