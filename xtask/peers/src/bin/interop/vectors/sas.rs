//! Transcripts of verifications by short authentication strings, of which libolm is both sides.

use core::convert::Infallible;

use mx_demo::party::Implementation as _;
use mx_peers::libolm::{Libolm, Sas};
use mx_types::base64::encode_to_string;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{file, published, text_of};
use crate::{
    canonical_json::ruma,
    report::{Failure, expect},
    sas::name,
};

const RANDOM: usize = 16;

pub(super) fn make() -> Result<Value, Failure> {
    let party = |user: &str, device: &str, seed: u8| Party {
        user: user.to_owned(),
        device: device.to_owned(),
        private: core::array::from_fn(|at| seed + at as u8),
        key: [seed / 32 + 1; 32],
        master: [seed / 32 + 2; 32],
    };
    let alice = party("@alice:example.org", "ALICEDEVICE", 0);
    let bob = party("@bob:example.org", "BOBDEVICE", 32);
    let own = party("@alice:example.org", "OTHERDEVICE", 64);
    let mut vectors = vec![
        transcript("between users, to-device", [&alice, &bob], "txn-0001", Way::ToDevice)?,
        transcript("between users, in a room", [&alice, &bob], "$evt:example.org", Way::InRoom)?,
        transcript("between users, the other one starts", [&bob, &alice], "txn-0001", Way::ToDevice)?,
        transcript("between devices of one user", [&alice, &own], "a|b c", Way::ToDevice)?,
    ];
    // Keys and names of which nobody chose anything.
    let mut rng = ChaCha20Rng::seed_from_u64(0);
    for at in 1..=RANDOM {
        let sides = [(); 2].map(|()| Party::random(&mut rng));
        let way = if at % 2 == 0 { Way::InRoom } else { Way::ToDevice };
        let id = name(&mut rng);
        vectors.push(transcript(&format!("random {at}"), [&sides[0], &sides[1]], &id, way)?);
    }
    for mut commitment in published::of("commitments")? {
        let canonical = ruma(&commitment["start"].to_string())?;
        commitment["start_canonical"] = canonical.into();
        vectors.push(commitment);
    }
    vectors.extend(published::of("short_strings")?);
    vectors.extend(published::of("mac_spellings")?);
    file(
        "SAS verification, m.sas.v1 with curve25519-hkdf-sha256 and sha256. private_key, shared_secret and short_string are in hexadecimal, the rest in \
         unpadded Base64. commitment is over accepter.public_key and start_canonical. Each MAC is of text, under a key derived from info. The last \
         vectors are parts: a commitment, short strings from their bytes, and the bytes of a MAC in libolm's spelling.",
        "client-server API, Short Authentication String (SAS) verification",
        vectors,
    )
}

#[derive(Clone, Copy)]
enum Way {
    ToDevice,
    InRoom,
}

struct Party {
    user: String,
    device: String,
    /// Of the ephemeral key.
    private: [u8; 32],
    /// Seeds of the keys that are verified.
    key: [u8; 32],
    master: [u8; 32],
}

impl Party {
    fn random(rng: &mut ChaCha20Rng) -> Self {
        let mut bytes = || {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let [private, key, master] = [bytes(), bytes(), bytes()];
        Self { user: format!("@{}:a.example", name(rng)), device: name(rng), private, key, master }
    }

    /// Key IDs and keys.
    fn keys(&self) -> [(String, String); 2] {
        let public = |seed| vodozemac::Ed25519SecretKey::from_slice(seed).public_key().to_base64();
        let (device, master) = (public(&self.key), public(&self.master));
        let mut keys =
            [(format!("ed25519:{}", self.device), device), (format!("ed25519:{master}"), master.clone())];
        keys.sort();
        keys
    }
}

fn transcript(name: &str, sides: [&Party; 2], id: &str, way: Way) -> Result<Value, Failure> {
    let [starter, accepter] = sides;
    let mut sas = [Sas::new(&mut Given(starter.private))?, Sas::new(&mut Given(accepter.private))?];
    let publics = [sas[0].public_key()?, sas[1].public_key()?];
    sas[0].set_their_key(&publics[1])?;
    sas[1].set_their_key(&publics[0])?;

    let secret = vodozemac::Curve25519SecretKey::from_slice(&starter.private);
    expect(vodozemac::Curve25519PublicKey::from(&secret).to_base64() == publics[0], "another public key")?;
    let secret = secret.diffie_hellman(&vodozemac::Curve25519PublicKey::from_base64(&publics[1])?);
    let secret = secret.ok_or("no secret")?;

    let mut start = json!({ "from_device": starter.device, "method": "m.sas.v1", "hashes": ["sha256"],
        "key_agreement_protocols": ["curve25519-hkdf-sha256"], "message_authentication_codes": ["hkdf-hmac-sha256.v2"],
        "short_authentication_string": ["decimal", "emoji"] });
    match way {
        Way::ToDevice => start["transaction_id"] = id.into(),
        Way::InRoom => start["m.relates_to"] = json!({ "event_id": id, "rel_type": "m.reference" }),
    }
    let canonical = ruma(&start.to_string())?;
    let commitment = Sha256::new().chain_update(&publics[1]).chain_update(&canonical).finalize();

    let named = |at: usize| format!("{}|{}|{}", sides[at].user, sides[at].device, publics[at]);
    let info = format!("MATRIX_KEY_VERIFICATION_SAS|{}|{}|{id}", named(0), named(1));
    let bytes = sas[0].bytes(&info)?;
    expect(bytes == sas[1].bytes(&info)?, "libolm disagrees with itself")?;
    let number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let decimal = [35, 22, 9].map(|shift| (number >> shift & 0x1fff) + 1000);
    let emoji = [42, 36, 30, 24, 18, 12, 6].map(|shift| number >> shift & 0x3f);

    let mut macs = Vec::new();
    for (at, by) in ["starter", "accepter"].into_iter().enumerate() {
        let (from, to) = (sides[at], sides[1 - at]);
        let keys = from.keys();
        let list = [keys[0].0.as_str(), &keys[1].0].join(",");
        for (key_id, text) in keys.into_iter().chain([("KEY_IDS".to_owned(), list)]) {
            let parties = [&from.user, &from.device, &to.user, &to.device].map(String::as_str).concat();
            let info = format!("MATRIX_KEY_VERIFICATION_MAC{parties}{id}{key_id}");
            macs.push(json!({ "by": by, "key_id": key_id, "text": text, "info": info,
                "hkdf-hmac-sha256.v2": sas[at].mac(&text, &info)?, "hkdf-hmac-sha256": sas[at].legacy_mac(&text, &info)? }));
        }
    }
    let side = |at: usize| {
        let Party { user, device, private, .. } = sides[at];
        json!({ "user_id": user, "device_id": device, "private_key": hex(private), "public_key": publics[at] })
    };
    let vector = json!({
        "name": name,
        "flow_id": id,
        "starter": side(0),
        "accepter": side(1),
        "shared_secret": hex(secret.as_bytes()),
        "start": start,
        "start_canonical": canonical,
        "commitment": encode_to_string(&commitment),
        "short_string_info": info,
        "short_string": hex(&bytes),
        "decimal": decimal,
        "emoji": emoji,
        "macs": macs,
        "confirmed_by": [
            format!("{}: public keys, short_string and macs", Libolm.name()),
            "vodozemac 0.11.1: public keys and shared_secret",
            "ruma-common 0.20.2 and sha2 0.11: start_canonical and commitment",
        ],
    });
    expect(!text_of(&vector, "commitment")?.is_empty(), "no commitment")?;
    Ok(vector)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Gives these bytes, and then has no more.
struct Given([u8; 32]);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unimplemented!("keys are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unimplemented!("keys are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}

impl TryCryptoRng for Given {}
