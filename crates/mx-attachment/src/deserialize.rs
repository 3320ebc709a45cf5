//! The description of a file through serde.

use core::{fmt, marker::PhantomData};

use mx_types::base64::{encode, encode_url_secret, encoded_len};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
    ser,
};
use zeroize::Zeroizing;

use crate::{
    EncryptedFile, Leniency, UncheckedFile,
    info::Version,
    unchecked::{Bytes, Secret, Value},
};

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

pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
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
        Ok(Value::of_text(text.as_bytes()))
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

impl<'de, const N: usize> Deserialize<'de> for Bytes<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(Self::decode))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(Self::decode))
    }
}

/// Decodes a string where it stands.
struct Text<F>(F);

impl<T, F: FnOnce(&[u8]) -> T> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string of Base64")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(self.0(text.as_bytes()))
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
