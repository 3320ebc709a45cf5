#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(any(test, sha2_backend_soft = "compact"))]
mod compact;
mod ed25519_secret;
mod ed25519_verify;
mod key_agreement;
mod x25519_secret;

pub use ed25519_secret::Ed25519SecretKey;
pub use ed25519_verify::{Ed25519Verifier, InvalidSignature, verify};
pub use key_agreement::{KeyAgreement, KeyAgreementError, SharedSecret};
pub use mx_types::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature, InvalidKey, RandomnessFailed};
pub use signature::{Error as SigningFailed, Signer};
pub use x25519_secret::Curve25519SecretKey;
