//! Messages from a sender who holds the right keys and writes them down oddly.

use mx_aes_sha2::{cbc_hmac::CbcHmacKeys, hkdf_sha256};
use mx_curve25519::{Curve25519SecretKey, Ed25519SecretKey, KeyAgreement};
use mx_demo::party::OlmMessage;
use mx_types::{Curve25519PublicKey, base64::encode_to_string};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

type Error = Box<dyn core::error::Error>;

/// The plaintext of every crafted message.
pub const PLAINTEXT: &[u8] = b"crafted";

/// A varint in as few bytes as it needs.
pub fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// The same with one byte more than it needs.
pub fn long_varint(value: u64) -> Vec<u8> {
    let mut out = varint(value);
    if let Some(last) = out.last_mut() {
        *last |= 0x80;
    }
    out.push(0);
    out
}

/// A field that holds an integer.
pub fn integer(tag: u8, value: u64) -> Vec<u8> {
    [&[tag][..], &varint(value)].concat()
}

/// A field that holds bytes.
pub fn bytes(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag][..], &varint(value.len() as u64), value].concat()
}

/// A ciphertext and the keys that authenticate what surrounds it.
struct Sealed {
    keys: CbcHmacKeys,
    ciphertext: Vec<u8>,
}

impl Sealed {
    fn new(ikm: &[u8], info: &[u8], padding: Padding) -> Result<Self, Error> {
        let keys = CbcHmacKeys::expand(ikm, info);
        let mut plaintext = PLAINTEXT.to_vec();
        if padding == Padding::OnlyTheLastByte {
            plaintext.extend([0; 8]);
            plaintext.push(9); // nine bytes, as PKCS#7 would have them were they all 9
        }
        let mut buffer = plaintext.clone();
        buffer.resize(plaintext.len() + 16, 0);
        let mut ciphertext = keys.encrypt_in_place(&mut buffer, plaintext.len())?.to_vec();
        ciphertext.truncate(16); // our own padding makes a block; the one that CBC added goes
        Ok(Self { keys, ciphertext })
    }
}

/// How the plaintext is filled up to a block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Padding {
    Pkcs7,
    OnlyTheLastByte,
}

/// A Megolm session at index 0 whose signing key we hold.
pub struct Group {
    ratchet: [u8; 128],
    key: Ed25519SecretKey,
}

impl Group {
    pub fn new(rng: &mut ChaCha20Rng) -> Result<Self, Error> {
        let mut ratchet = [0; 128];
        rng.fill_bytes(&mut ratchet);
        Ok(Self { ratchet, key: Ed25519SecretKey::generate(rng)? })
    }

    /// The session sharing format, as bytes.
    pub fn session_key(&self) -> Vec<u8> {
        let mut out = vec![2, 0, 0, 0, 0];
        out.extend(self.ratchet);
        out.extend(self.key.public_key().as_bytes());
        let signature = self.key.sign(&out);
        out.extend(signature.as_bytes());
        out
    }

    /// The session export format, as bytes.
    pub fn exported(&self) -> Vec<u8> {
        let mut out = vec![1, 0, 0, 0, 0];
        out.extend(self.ratchet);
        out.extend(self.key.public_key().as_bytes());
        out
    }

    /// A message with the fields that `write` makes of the ciphertext, rightly authenticated.
    pub fn message(
        &self,
        version: u8,
        padding: Padding,
        write: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Result<Vec<u8>, Error> {
        let sealed = Sealed::new(&self.ratchet, b"MEGOLM_KEYS", padding)?;
        let mut out = vec![version];
        out.extend(write(&sealed.ciphertext));
        let tag = sealed.keys.mac(&out);
        out.extend(tag.as_bytes());
        let signature = self.key.sign(&out);
        out.extend(signature.as_bytes());
        Ok(out)
    }

    /// The honest message, of which MAC and signature are then put behind other fields.
    pub fn message_reworded(&self, write: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<Vec<u8>, Error> {
        let sealed = Sealed::new(&self.ratchet, b"MEGOLM_KEYS", Padding::Pkcs7)?;
        let honest = self.message(3, Padding::Pkcs7, megolm_fields)?;
        let authentication = &honest[honest.len() - 72..];
        Ok([&[3][..], &write(&sealed.ciphertext), authentication].concat())
    }
}

/// The fields of an honest Megolm message at index 0.
pub fn megolm_fields(ciphertext: &[u8]) -> Vec<u8> {
    [integer(0x08, 0), bytes(0x12, ciphertext)].concat()
}

/// The start of an Olm session by a sender whose every secret we hold.
pub struct OlmSender {
    pub identity: Curve25519SecretKey,
    base: Curve25519SecretKey,
    ratchet: Curve25519SecretKey,
}

/// What a pre-key message says besides its fields.
pub struct PreKey<'k> {
    pub version: u8,
    pub inner_version: u8,
    pub padding: Padding,
    pub identity_key: &'k str,
    pub one_time_key: &'k str,
}

impl OlmSender {
    pub fn new(rng: &mut ChaCha20Rng) -> Result<Self, Error> {
        Ok(Self {
            identity: Curve25519SecretKey::generate(rng)?,
            base: Curve25519SecretKey::generate(rng)?,
            ratchet: Curve25519SecretKey::generate(rng)?,
        })
    }

    /// A pre-key message with the inner fields that `write` makes of ratchet key and ciphertext, rightly
    /// authenticated, and the outer ones that `write_outer` makes of one-time key, base key, identity key and the
    /// inner message.
    pub fn pre_key_message(
        &self,
        pre_key: &PreKey<'_>,
        write: impl FnOnce(&[u8], &[u8]) -> Vec<u8>,
        write_outer: impl FnOnce([&[u8]; 3], &[u8]) -> Vec<u8>,
    ) -> Result<OlmMessage, Error> {
        let identity_key = Curve25519PublicKey::from_base64(pre_key.identity_key)?;
        let one_time_key = Curve25519PublicKey::from_base64(pre_key.one_time_key)?;
        let mut secret = Vec::new();
        secret.extend(self.identity.diffie_hellman(&one_time_key)?.as_bytes());
        secret.extend(self.base.diffie_hellman(&identity_key)?.as_bytes());
        secret.extend(self.base.diffie_hellman(&one_time_key)?.as_bytes());
        let root_and_chain = hkdf_sha256::<64>(&[], &secret, b"OLM_ROOT");
        let message_key = mx_aes_sha2::HmacKey::new(&root_and_chain[32..]).mac(&[1]);
        let sealed = Sealed::new(&message_key, b"OLM_KEYS", pre_key.padding)?;

        let mut inner = vec![pre_key.inner_version];
        inner.extend(write(self.ratchet.public_key().as_bytes(), &sealed.ciphertext));
        let tag = sealed.keys.mac(&inner);
        inner.extend(tag.as_bytes());
        let (base, identity) = (self.base.public_key(), self.identity.public_key());
        let mut out = vec![pre_key.version];
        out.extend(write_outer([one_time_key.as_bytes(), base.as_bytes(), identity.as_bytes()], &inner));
        Ok(OlmMessage { message_type: 0, body: encode_to_string(&out) })
    }
}

/// The fields of an honest normal message at index 0.
pub fn olm_fields(ratchet_key: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    [bytes(0x0a, ratchet_key), integer(0x10, 0), bytes(0x22, ciphertext)].concat()
}

/// The fields of an honest pre-key message.
pub fn pre_key_fields([one_time_key, base_key, identity_key]: [&[u8]; 3], inner: &[u8]) -> Vec<u8> {
    [bytes(0x0a, one_time_key), bytes(0x12, base_key), bytes(0x1a, identity_key), bytes(0x22, inner)].concat()
}
