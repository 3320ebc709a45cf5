//! Wycheproof's X25519 and Ed25519, and the signed objects of the appendices.

use mx_curve25519::{
    Curve25519PublicKey, Curve25519SecretKey, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature,
    InvalidKey, KeyAgreement as _, KeyAgreementError, SharedSecret, verify,
};
use mx_types::base64::{TrailingBits, decode_array};

use crate::{
    runner::Runner,
    value::check,
    vectors::{AGREEMENTS, SIGNATURES, SIGNING},
};

pub struct Agreement {
    pub case: u32,
    pub secret: &'static [u8; 32],
    pub public: &'static [u8; 32],
    pub shared: &'static [u8; 32],
    pub expected: Verdict,
}

pub enum Verdict {
    Agreed,
    SmallOrder,
    NonCanonical,
}

pub struct Signature {
    pub case: u32,
    pub key: &'static [u8; 32],
    pub message: &'static [u8],
    pub signature: &'static [u8],
    pub is_valid: bool,
}

pub fn run(runner: &mut Runner) {
    for agreement in AGREEMENTS {
        runner.run("X25519 of Wycheproof", agreement.case, || agreement.check());
    }
    for signature in SIGNATURES {
        runner.run("Ed25519 of Wycheproof", signature.case, || signature.check());
    }
    runner.run("signatures of the appendices", "all objects", appendices);
}

impl Agreement {
    fn check(&self) -> Option<()> {
        let theirs = Curve25519PublicKey::from_bytes(*self.public);
        match self.expected {
            Verdict::Agreed => {
                let ours = Curve25519SecretKey::from_secret_bytes(self.secret);
                let shared = ours.diffie_hellman(&theirs.ok()?).ok()?;
                check(shared.as_bytes() == self.shared)
            }
            // In all of these the agreement gives zeros, in whichever spelling the key stands.
            Verdict::SmallOrder => {
                let shared = SharedSecret::from_bytes(*self.shared);
                check(theirs.is_err() && matches!(shared, Err(KeyAgreementError::NonContributory)))
            }
            Verdict::NonCanonical => check(theirs == Err(InvalidKey::NonCanonical)),
        }
    }
}

impl Signature {
    fn check(&self) -> Option<()> {
        let key = Ed25519PublicKey::from_bytes(*self.key).ok();
        let signature = self.signature.try_into().map(Ed25519Signature::from_bytes).ok();
        let is_valid =
            key.zip(signature).is_some_and(|(key, signature)| verify(&key, self.message, &signature).is_ok());
        check(is_valid == self.is_valid)
    }
}

fn appendices() -> Option<()> {
    let vectors = SIGNING.get("appendices")?;
    // The specification prints it with trailing bits.
    let seed = decode_array(vectors.text("seed")?, TrailingBits::Ignored).ok()?;
    let key = Ed25519SecretKey::from_seed(&seed);
    check(key.public_key() == Ed25519PublicKey::from_base64(vectors.text("public")?).ok()?)?;
    let objects = vectors.list("objects")?;
    check(!objects.is_empty())?;
    objects.iter().try_for_each(|object| {
        let expected = Ed25519Signature::from_base64(object.text("signature")?).ok()?;
        let text = object.text("object")?.as_bytes();
        check(key.sign(text) == expected && verify(&key.public_key(), text, &expected).is_ok())
    })
}
