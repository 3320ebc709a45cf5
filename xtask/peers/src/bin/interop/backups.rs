//! Encryption for the key of a backup, any bytes: what libolm calls PkEncryption. Both ways, and inputs on which
//! implementations differ.

use mx_curve25519::{Curve25519SecretKey, KeyAgreement as _};
use mx_key_backup::{
    ALGORITHM, AuthData, BackupDecryptionKey, EncryptedSessionData, KeySource, ServerBackup, TrustAnchors,
    TrustedBackup,
};
use mx_types::{
    UserId,
    base64::{TrailingBits, decode_to_vec, encode_to_string},
};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use vodozemac::pk_encryption::{Message, PkDecryption, PkEncryption};

use crate::{
    differences::verdict,
    report::{Failure, Outcome, Report, expect},
};

/// Ephemeral key, ciphertext and MAC, in Base64.
#[derive(Clone, Debug)]
pub struct Encrypted {
    pub ephemeral: String,
    pub ciphertext: String,
    pub mac: String,
}

/// One implementation of it.
pub struct Peer {
    pub name: &'static str,
    pub encrypt: fn(&mut ChaCha20Rng, &str, &[u8]) -> Result<Encrypted, Failure>,
    pub decrypt: fn(&[u8; 32], &Encrypted) -> Result<Vec<u8>, Failure>,
}

const VODOZEMAC: Peer = Peer {
    name: "vodozemac",
    encrypt: |_, public_key, plaintext| {
        let public_key = vodozemac::Curve25519PublicKey::from_base64(public_key)?;
        let message = PkEncryption::from_key(public_key).encrypt(plaintext)?;
        Ok(Encrypted {
            ephemeral: message.ephemeral_key.to_base64(),
            ciphertext: encode_to_string(&message.ciphertext),
            mac: encode_to_string(&message.mac),
        })
    },
    decrypt: |private_key, encrypted| {
        let Encrypted { ephemeral, ciphertext, mac } = encrypted;
        let message = Message::from_base64(ciphertext, mac, ephemeral)?;
        let private_key = vodozemac::Curve25519SecretKey::from_slice(private_key);
        Ok(PkDecryption::from_key(private_key).decrypt(&message)?)
    },
};

#[cfg(feature = "libolm")]
const LIBOLM: Peer = Peer {
    name: "libolm",
    encrypt: |rng, public_key, plaintext| {
        let encrypted = mx_peers::libolm::pk_encrypt(rng, public_key, plaintext)?;
        let mx_peers::libolm::Encrypted { ephemeral, ciphertext, mac } = encrypted;
        Ok(Encrypted { ephemeral, ciphertext, mac })
    },
    decrypt: |private_key, encrypted| {
        let Encrypted { ephemeral, ciphertext, mac } = encrypted.clone();
        let encrypted = mx_peers::libolm::Encrypted { ephemeral, ciphertext, mac };
        Ok(mx_peers::libolm::pk_decrypt(private_key, &encrypted)?)
    },
};

/// Both directions with each peer, and where they differ.
pub fn checks(report: &mut Report) {
    let peers = [
        VODOZEMAC,
        #[cfg(feature = "libolm")]
        LIBOLM,
    ];
    report.title("Encryption for a backup's key");
    for peer in &peers {
        report.check(&format!("{} to us", peer.name), |rng| to_us(peer, rng));
        report.check(&format!("us to {}", peer.name), |rng| to_them(peer, rng));
    }
    report.title("Where encryption for a backup's key differs");
    let mut rng = report.rng("making the inputs");
    let mut lines = Vec::new();
    let tried = differences(report, &peers, &mut lines, &mut rng);
    report.quiet_check("making the inputs", || tried);
    let names: String = peers.iter().map(|peer| format!(" {:<16}", peer.name)).collect();
    println!("  {:<8} {:<64} {:<16}{names}", "", "input", "ours");
    lines.iter().for_each(|line| println!("{line}"));
}

const COUNT: usize = 200;

fn to_us(peer: &Peer, rng: &mut ChaCha20Rng) -> Outcome {
    for number in 0..COUNT {
        let (key, plaintext) = (random_key(rng), random_plaintext(rng, number));
        let encrypted = (peer.encrypt)(rng, &key.public_key().to_string(), &plaintext)?;
        let ours = key.decrypt_bytes(&parse(&encrypted)?).ok_or("we do not decrypt it")?;
        expect(*ours == plaintext, "another plaintext")?;
        let other = random_key(rng).decrypt_bytes(&parse(&encrypted)?);
        expect(other.is_none(), "another key decrypts it")?;
    }
    Ok(format!("{COUNT} keys and plaintexts"))
}

fn to_them(peer: &Peer, rng: &mut ChaCha20Rng) -> Outcome {
    for number in 0..COUNT {
        let (key, plaintext) = (random_key(rng), random_plaintext(rng, number));
        let encrypted = written(&trusted(&key)?.encrypt_bytes(rng, &plaintext)?);
        expect((peer.decrypt)(key.as_bytes(), &encrypted)? == plaintext, "another plaintext")?;
        let other = (peer.decrypt)(random_key(rng).as_bytes(), &encrypted);
        expect(other.is_err(), "another key decrypts it")?;
    }
    Ok(format!("{COUNT} keys and plaintexts"))
}

/// Each input is one change of what is right.
fn differences(
    report: &mut Report,
    peers: &[Peer],
    lines: &mut Vec<String>,
    rng: &mut ChaCha20Rng,
) -> Result<(), Failure> {
    let key = random_key(rng);
    let good = written(&trusted(&key)?.encrypt_bytes(rng, b"It's a secret to everybody")?);
    let mac = decode_to_vec(&good.mac, TrailingBits::Refused)?;
    let ciphertext = decode_to_vec(&good.ciphertext, TrailingBits::Refused)?;
    let with_mac = |mac: &[u8]| Encrypted { mac: encode_to_string(mac), ..good.clone() };
    let with_ciphertext = |bytes: &[u8]| Encrypted { ciphertext: encode_to_string(bytes), ..good.clone() };
    let with_ephemeral = |text: &str| Encrypted { ephemeral: text.to_owned(), ..good.clone() };
    let padded = |text: &str| format!("{text}{}", &"=="[..(4 - text.len() % 4) % 4]);
    let flipped = |place: usize| {
        let mut bytes = ciphertext.clone();
        bytes[place] ^= 1;
        with_ciphertext(&bytes)
    };
    let zero = {
        // Everybody knows the secret of a key of small order: zeros.
        let keys = mx_aes_sha2::cbc_hmac::CbcHmacKeys::expand(&[0; 32], b"");
        let mut buffer = [0; 32];
        let ciphertext = keys.encrypt_in_place(&mut buffer, 16)?.to_vec();
        Encrypted {
            ephemeral: encode_to_string(&[0; 32]),
            ciphertext: encode_to_string(&ciphertext),
            mac: encode_to_string(keys.mac(&[]).as_bytes()),
        }
    };
    let over_ciphertext = {
        let ephemeral = Curve25519SecretKey::generate(rng)?;
        let secret = ephemeral.diffie_hellman(&key.public_key())?;
        let keys = mx_aes_sha2::cbc_hmac::CbcHmacKeys::expand(secret.as_bytes(), b"");
        let mut buffer = [0; 32];
        let ciphertext = keys.encrypt_in_place(&mut buffer, 16)?.to_vec();
        Encrypted {
            ephemeral: ephemeral.public_key().to_string(),
            mac: encode_to_string(keys.mac(&ciphertext).as_bytes()),
            ciphertext: encode_to_string(&ciphertext),
        }
    };
    let all_padded = Encrypted {
        ephemeral: padded(&good.ephemeral),
        ciphertext: padded(&good.ciphertext),
        mac: padded(&good.mac),
    };
    let cases = [
        ("BAK-14", "a MAC over the ciphertext, as the text once said", false, over_ciphertext),
        ("BAK-15", "a ciphertext of which the first block was changed", true, flipped(3)),
        ("BAK-16", "a MAC of one byte", false, with_mac(&mac[..1])),
        ("BAK-16", "a MAC of seven bytes", false, with_mac(&mac[..7])),
        ("BAK-16", "a MAC of nine bytes", false, with_mac(&[&mac[..], &[0]].concat())),
        ("BAK-16", "no MAC", false, with_mac(&[])),
        ("BAK-17", "an ephemeral key of small order, with what follows from it", false, zero),
        ("BAK-20", "padded Base64", true, all_padded),
        ("BAK-13", "an empty ciphertext", false, with_ciphertext(&[])),
        ("BAK-13", "a ciphertext without its last byte", false, with_ciphertext(&ciphertext[..31])),
        ("BAK-1", "an ephemeral key of 31 bytes", false, with_ephemeral(&encode_to_string(&[9; 31]))),
        ("BAK-1", "an ephemeral key of 33 bytes", false, with_ephemeral(&encode_to_string(&[9; 33]))),
    ];
    for (requirement, name, accepted, input) in cases {
        if !report.wants(name) {
            continue;
        }
        let ours =
            verdict(|| key.decrypt_bytes(&parse(&input)?).map(drop).ok_or_else(|| "undecryptable".into()));
        let theirs = peers.iter().map(|peer| verdict(|| (peer.decrypt)(key.as_bytes(), &input).map(drop)));
        let theirs: Vec<_> = theirs.collect();
        let wanted = if accepted { "accepts" } else { "refuses" };
        report.quiet_check(name, || {
            expect(ours == wanted, &format!("{requirement} wants that ours {wanted}, it {ours}"))
        });
        if theirs.iter().any(|theirs| *theirs != ours) {
            let theirs: String = theirs.iter().map(|theirs| format!(" {theirs:<16}")).collect();
            lines.push(format!("  {requirement:<8} {name:<64} {ours:<16}{theirs}"));
        }
    }
    Ok(())
}

/// A backup of this key, which is trusted because the key is here.
pub fn trusted(key: &BackupDecryptionKey) -> Result<TrustedBackup, Failure> {
    let answer = answer(AuthData::new(key.public_key()).as_str());
    let anchors = TrustAnchors {
        user_id: UserId::parse("@alice:example.org")?,
        master_signing_key: None,
        devices: &[],
        decryption_key: Some((key, KeySource::Generated)),
    };
    Ok(ServerBackup::parse(&answer)?.trust(&anchors)?)
}

/// What a server says of a backup with this `auth_data`.
pub fn answer(auth_data: &str) -> String {
    format!(r#"{{"algorithm":"{ALGORITHM}","auth_data":{auth_data},"version":"7","etag":"0","count":0}}"#)
}

pub fn random_key(rng: &mut ChaCha20Rng) -> BackupDecryptionKey {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    BackupDecryptionKey::from_bytes(&bytes)
}

/// All lengths around some blocks, then longer ones.
fn random_plaintext(rng: &mut ChaCha20Rng, number: usize) -> Vec<u8> {
    let len = if number < 50 { number } else { rng.next_u32() as usize % 5_000 };
    let mut plaintext = vec![0; len];
    rng.fill_bytes(&mut plaintext);
    plaintext
}

fn parse(encrypted: &Encrypted) -> Result<EncryptedSessionData, Failure> {
    let Encrypted { ephemeral, ciphertext, mac } = encrypted;
    let json = format!(r#"{{"ephemeral":"{ephemeral}","ciphertext":"{ciphertext}","mac":"{mac}"}}"#);
    Ok(EncryptedSessionData::parse(json.as_bytes())?)
}

fn written(data: &EncryptedSessionData) -> Encrypted {
    Encrypted {
        ephemeral: data.ephemeral.to_string(),
        ciphertext: encode_to_string(&data.ciphertext),
        mac: encode_to_string(&data.mac),
    }
}
