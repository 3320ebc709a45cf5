//! Keys and signatures as JSON strings of unpadded Base64, identifiers as strings.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{
    Curve25519PublicKey, DeviceId, Ed25519PublicKey, Ed25519Signature, KeyId, RoomId, SessionId, UserId,
};

macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

as_text!(
    Curve25519PublicKey,
    Ed25519PublicKey,
    Ed25519Signature,
    UserId<'_>,
    DeviceId<'_>,
    RoomId<'_>,
    SessionId<'_>,
    KeyId<'_>
);

macro_rules! from_text {
    ($($name:ident: $expecting:literal),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(PhantomData::<Self>))
            }
        }

        impl Visitor<'_> for TextVisitor<$name> {
            type Value = $name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($expecting)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                $name::from_base64(text).map_err(E::custom)
            }
        }
    )*};
}

struct TextVisitor<T>(PhantomData<T>);

from_text!(
    Curve25519PublicKey: "a Curve25519 public key in Base64",
    Ed25519PublicKey: "an Ed25519 public key in Base64",
    Ed25519Signature: "an Ed25519 signature in Base64"
);
