//! The description of a file in JSON. Reading it collects what is there; checking it comes after that, so that its
//! errors have names.

use core::{fmt, marker::PhantomData};

use mx_types::base64::{DecodeError, TrailingBits, decode_array, encode, encode_url_secret, encoded_len};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
    ser,
};
use zeroize::Zeroizing;

use crate::{
    AttachmentInfo, EncryptedFile, InvalidFile,
    info::{Version, decode_key},
};

/// An `EncryptedFile` as it came, before [`UncheckedFile::check`].
///
/// Members that the specification does not know are ignored, as are hashes other than `sha256`. Members that are
/// there twice, and those of which the JSON type is wrong, are errors of the deserializer.
pub struct UncheckedFile<U>(File<U>);

impl<U> UncheckedFile<U> {
    /// The description, if it is one.
    ///
    /// # Errors
    ///
    /// [`InvalidFile`].
    pub fn check(self, leniency: Leniency) -> Result<EncryptedFile<U>, InvalidFile> {
        let File { url, v, key, iv, hashes } = self.0;
        let version = match v {
            Some(Value::V2) => Version::V2,
            Some(Value::V1) if leniency.legacy_versions => Version::V1,
            None if leniency.legacy_versions => Version::Unnamed,
            _ => return Err(InvalidFile::UnsupportedVersion),
        };
        let Jwk { kty, alg, ext, key_ops, k } = key.ok_or(InvalidFile::MissingKey)?;
        if kty != Some(Value::Oct) {
            return Err(InvalidFile::UnsupportedKeyType);
        }
        if alg != Some(Value::A256Ctr) {
            return Err(InvalidFile::UnsupportedAlgorithm);
        }
        if !leniency.ext_and_key_ops {
            if ext != Some(Value::True) {
                return Err(InvalidFile::NotExtractable);
            }
            if key_ops != Some(Value::Operations { encrypt: true, decrypt: true }) {
                return Err(InvalidFile::MissingKeyOperation);
            }
        }
        let key = k.ok_or(InvalidFile::MissingKey)?.0.map_err(InvalidFile::Key)?;
        let iv = iv.ok_or(InvalidFile::MissingIv)?.0.map_err(InvalidFile::Iv)?;
        let sha256 = hashes.and_then(|hashes| hashes.sha256).ok_or(InvalidFile::MissingHash)?;
        let sha256 = sha256.0.map_err(InvalidFile::Hash)?;
        Ok(EncryptedFile { url, info: AttachmentInfo::read(key, iv, sha256, version) })
    }
}

impl<U: fmt::Debug> fmt::Debug for UncheckedFile<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UncheckedFile").field("url", &self.0.url).finish_non_exhaustive()
    }
}

/// What [`UncheckedFile::check`] lets pass. By default nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Leniency {
    /// Whatever `key.ext` and `key.key_ops` say, or that they are missing: not all implementations write or check them.
    pub ext_and_key_ops: bool,
    /// Descriptions from before version 2: `v` is `v1`, which is decrypted as `v2`, or missing, and then all
    /// 128 bits of the IV count.
    pub legacy_versions: bool,
}

impl Leniency {
    /// Nothing.
    pub const NONE: Self = Self { ext_and_key_ops: false, legacy_versions: false };
}

/// The object.
#[derive(Deserialize)]
struct File<U> {
    url: U,
    #[serde(default)]
    v: Option<Value>,
    #[serde(default, deserialize_with = "object")]
    key: Option<Jwk>,
    #[serde(default)]
    iv: Option<Bytes<16>>,
    #[serde(default, deserialize_with = "object")]
    hashes: Option<Hashes>,
}

/// `key`.
#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kty: Option<Value>,
    #[serde(default)]
    alg: Option<Value>,
    #[serde(default)]
    ext: Option<Value>,
    #[serde(default)]
    key_ops: Option<Value>,
    #[serde(default)]
    k: Option<Secret>,
}

/// `hashes`.
#[derive(Deserialize)]
struct Hashes {
    #[serde(default)]
    sha256: Option<Bytes<32>>,
}

impl<'de, U: Deserialize<'de>> Deserialize<'de> for UncheckedFile<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object(PhantomData)).map(Self)
    }
}

impl<'de, U: Deserialize<'de>> Deserialize<'de> for EncryptedFile<U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        UncheckedFile::deserialize(deserializer)?.check(Leniency::NONE).map_err(Error::custom)
    }
}

fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_map(Object(PhantomData)).map(Some)
}

/// An object, and not an array of its members, which serde takes for a struct as well.
struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// What any JSON value comes to where only a few of them mean something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Value {
    True,
    V1,
    V2,
    Oct,
    A256Ctr,
    Encrypt,
    Decrypt,
    /// An array of strings, and whether these are among them.
    Operations {
        encrypt: bool,
        decrypt: bool,
    },
    Other,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AnyValue { in_array: false }.deserialize(deserializer)
    }
}

/// Reads any JSON value, without recursion.
#[derive(Clone, Copy)]
struct AnyValue {
    in_array: bool,
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(if value { Value::True } else { Value::Other })
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(match text {
            "v1" => Value::V1,
            "v2" => Value::V2,
            "oct" => Value::Oct,
            "A256CTR" => Value::A256Ctr,
            "encrypt" => Value::Encrypt,
            "decrypt" => Value::Decrypt,
            _ => Value::Other,
        })
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        if self.in_array {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Other);
        }
        let (mut encrypt, mut decrypt) = (false, false);
        while let Some(element) = elements.next_element_seed(Self { in_array: true })? {
            encrypt |= element == Value::Encrypt;
            decrypt |= element == Value::Decrypt;
        }
        Ok(Value::Operations { encrypt, decrypt })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

/// Public bytes as a JSON string, or why they are none.
struct Bytes<const N: usize>(Result<[u8; N], DecodeError>);

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let decode = |text: &str| decode_array(text, TrailingBits::Ignored);
        deserializer.deserialize_str(Text(decode)).map(Self)
    }
}

/// The key as a JSON string, or why it is none.
struct Secret(Result<Zeroizing<[u8; 32]>, DecodeError>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(decode_key)).map(Self)
    }
}

/// Decodes a string where it stands.
struct Text<F>(F);

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string of Base64")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(self.0(text))
    }
}

/// Members in the order of the specification's example.
impl<U: Serialize> Serialize for EncryptedFile<U> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct File<'f, U> {
            #[serde(skip_serializing_if = "Option::is_none")]
            v: Option<&'static str>,
            url: &'f U,
            key: Jwk<'f>,
            iv: &'f str,
            hashes: Hashes<'f>,
        }
        #[derive(Serialize)]
        struct Jwk<'f> {
            kty: &'static str,
            key_ops: [&'static str; 2],
            alg: &'static str,
            k: &'f str,
            ext: bool,
        }
        #[derive(Serialize)]
        struct Hashes<'f> {
            sha256: &'f str,
        }

        let mut k = Zeroizing::new([0; encoded_len(32)]);
        let k = encode_url_secret(self.info.secret_key(), k.as_mut_slice()).map_err(ser::Error::custom)?;
        let (mut iv, mut sha256) = ([0; encoded_len(16)], [0; encoded_len(32)]);
        let file = File {
            v: match self.info.version() {
                Version::Unnamed => None,
                Version::V1 => Some("v1"),
                Version::V2 => Some("v2"),
            },
            url: &self.url,
            key: Jwk { kty: "oct", key_ops: ["encrypt", "decrypt"], alg: "A256CTR", k, ext: true },
            iv: encode(self.info.iv(), &mut iv).map_err(ser::Error::custom)?,
            hashes: Hashes { sha256: encode(self.info.sha256(), &mut sha256).map_err(ser::Error::custom)? },
        };
        file.serialize(serializer)
    }
}
