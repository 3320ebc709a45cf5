//! Wycheproof's HMAC, HKDF and AES-CBC.

use mx_aes_sha2::{HmacKey, cbc_hmac::CbcHmacKeys, hkdf_sha256};

use crate::{
    runner::Runner,
    value::check,
    vectors::{CIPHERTEXTS, DERIVATIONS, MACS},
};

pub struct Mac {
    pub case: u32,
    pub key: &'static [u8],
    pub message: &'static [u8],
    pub tag: &'static [u8],
    pub is_valid: bool,
}

pub struct Derivation {
    pub case: u32,
    pub salt: &'static [u8],
    pub input: &'static [u8],
    pub info: &'static [u8],
    pub output: &'static [u8],
}

pub struct Ciphertext {
    pub case: u32,
    pub key: &'static [u8; 32],
    pub iv: &'static [u8; 16],
    pub plaintext: &'static [u8],
    pub ciphertext: &'static [u8],
    pub is_valid: bool,
}

pub fn run(runner: &mut Runner) {
    for mac in MACS {
        runner.run("HMAC of Wycheproof", mac.case, || mac.check());
    }
    for derivation in DERIVATIONS {
        runner.run("HKDF of Wycheproof", derivation.case, || derivation.check());
    }
    for ciphertext in CIPHERTEXTS {
        runner.run("AES-CBC of Wycheproof", ciphertext.case, || ciphertext.check());
    }
}

impl Mac {
    fn check(&self) -> Option<()> {
        let key = HmacKey::new(self.key);
        let mac = key.mac(self.message);
        let mut pieces = key.start();
        self.message.chunks(7).for_each(|piece| pieces.update(piece));
        check(pieces.finish() == mac)?;
        check((mac.get(..self.tag.len())? == self.tag) == self.is_valid)
    }
}

/// As much as HKDF can give; a microbit has no RAM for two of these.
const LONGEST: usize =
    if cfg!(all(target_arch = "arm", not(target_abi = "eabihf"))) { 4_096 } else { 255 * 32 };

impl Derivation {
    fn check(&self) -> Option<()> {
        match self.output.len() {
            ..=128 => self.check_start::<128>(),
            _ => self.check_start::<LONGEST>(),
        }
    }

    /// Shorter outputs are the start of longer ones.
    #[inline(never)]
    fn check_start<const N: usize>(&self) -> Option<()> {
        let len = self.output.len().min(N);
        let found = hkdf_sha256::<N>(self.salt, self.input, self.info);
        check(found.get(..len)? == self.output.get(..len)?)
    }
}

impl Ciphertext {
    fn check(&self) -> Option<()> {
        let mut keys = [0; 80];
        keys[..32].copy_from_slice(self.key);
        keys[64..].copy_from_slice(self.iv);
        let keys = CbcHmacKeys::from_bytes(&keys);
        let mut buffer = [0; 256];
        let buffer = buffer.get_mut(..self.ciphertext.len())?;
        buffer.copy_from_slice(self.ciphertext);
        let Ok(plaintext) = keys.decrypt_in_place(buffer) else {
            return check(!self.is_valid && buffer.iter().all(|byte| *byte == 0));
        };
        check(self.is_valid && plaintext == self.plaintext)?;
        buffer.get_mut(..self.plaintext.len())?.copy_from_slice(self.plaintext);
        let ciphertext = keys.encrypt_in_place(buffer, self.plaintext.len()).ok()?;
        check(ciphertext == self.ciphertext)
    }
}
