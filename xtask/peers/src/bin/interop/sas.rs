//! Short authentication strings: what the peer derives of a transcript is what our states derive, and MACs are taken
//! both ways. What is derived from is put together here, from the specification.

use mx_sas::{
    Accepter, Choice, Compare, Flow, MacMethod, OwnKeys, Party, PinnedKeys, ReceivedMac, ShortStrings,
    Starter,
};
use mx_types::{DeviceId, Ed25519PublicKey, UserId, base64};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, Rng};

use crate::report::{Failure, Outcome, expect};

/// The peer's side.
pub trait Peer {
    fn public_key(&self) -> Result<String, Failure>;
    fn agree(self, their_key: &str) -> Result<impl Agreed, Failure>;
}

/// The same with both keys.
pub trait Agreed {
    fn short_string(&self, info: &str) -> Result<([u16; 3], [u8; 7]), Failure>;
    fn mac(&self, method: MacMethod, input: &str, info: &str) -> Result<String, Failure>;
}

const TRANSCRIPTS: usize = 10_000;

/// Random transcripts, with us on either side, in both spellings of MACs.
pub fn transcripts<P: Peer>(
    rng: &mut ChaCha20Rng,
    peer: impl Fn(&mut dyn CryptoRng) -> Result<P, Failure>,
) -> Outcome {
    let keys = [(); 4].map(|()| mx_curve25519::Ed25519SecretKey::generate(rng).map(|key| key.public_key()));
    let [our_device, our_master, their_device, their_master] = keys;
    let own = OwnKeys { device: our_device?, master_signing_key: Some(our_master?) };
    let pinned = PinnedKeys { device: Some(their_device?), master_signing_key: Some(their_master?) };
    for _ in 0..TRANSCRIPTS {
        let names = [(); 5].map(|()| name(rng));
        let [ours, our_device_id, theirs, their_device_id, id] = &names;
        let (ours, theirs) = (format!("@{ours}:a.example"), format!("@{theirs}:b.example"));
        let us = Party { user_id: UserId::parse(&ours)?, device_id: DeviceId::parse(our_device_id)? };
        let them = Party { user_id: UserId::parse(&theirs)?, device_id: DeviceId::parse(their_device_id)? };
        let mac = [MacMethod::HkdfHmacSha256V2, MacMethod::HkdfHmacSha256][rng.next_u32() as usize % 2];
        let choice = Choice { mac, short_strings: ShortStrings::ALL };

        let peer = peer(rng)?;
        let their_key = peer.public_key()?;
        let we_start = rng.next_u32().is_multiple_of(2);
        let (our_key, compare) =
            if we_start { start } else { accept }(rng, [us, them], id, choice, &their_key)?;
        let peer = peer.agree(&our_key)?;

        let side = |party: &Party<'_>, key: &str| format!("{}|{}|{key}", party.user_id, party.device_id);
        let (first, second) = (side(&us, &our_key), side(&them, &their_key));
        let (first, second) = if we_start { (first, second) } else { (second, first) };
        let string = peer.short_string(&format!("MATRIX_KEY_VERIFICATION_SAS|{first}|{second}|{id}"))?;
        let emoji = compare.emoji().ok_or("no emoji")?.map(mx_sas::Emoji::index);
        expect((compare.decimal(), emoji) == (Some(string.0), string.1), "another short string")?;

        macs(compare, &peer, [us, them], id, mac, &own, &pinned)?;
    }
    Ok(format!("{TRANSCRIPTS} transcripts"))
}

/// Ours are those that the peer calculates, and the peer's are taken; a wrong one is not.
fn macs(
    compare: Compare<&str>,
    peer: &impl Agreed,
    [us, them]: [Party<'_>; 2],
    id: &str,
    method: MacMethod,
    own: &OwnKeys,
    pinned: &PinnedKeys,
) -> Result<(), Failure> {
    let calculate = |from: &Party<'_>, to: &Party<'_>, name: &str, input: &str| {
        let parties = format!("{}{}{}{}", from.user_id, from.device_id, to.user_id, to.device_id);
        peer.mac(method, input, &format!("MATRIX_KEY_VERIFICATION_MAC{parties}{id}{name}"))
    };
    let of_keys = |from: &Party<'_>, to: &Party<'_>, device: Option<Ed25519PublicKey>, master: Option<_>| {
        let text = |key: Option<Ed25519PublicKey>| key.map(|key| key.to_string()).ok_or("no key");
        let (device, master) = (text(device)?, text(master)?);
        let mut keys =
            [(format!("ed25519:{}", from.device_id), device), (format!("ed25519:{master}"), master)];
        keys.sort();
        let list = [keys[0].0.as_str(), &keys[1].0].join(",");
        let [first, second] =
            keys.map(|(name, key)| Ok::<_, Failure>((calculate(from, to, &name, &key)?, name)));
        Ok::<_, Failure>(([first?, second?], calculate(from, to, "KEY_IDS", &list)?))
    };
    let confirmed = compare.confirm();
    let ours = confirmed.macs(own);
    let (keys, list) = of_keys(&us, &them, Some(own.device), own.master_signing_key)?;
    let (_, master) = ours.master_signing_key.ok_or("no master signing key")?;
    for mac in [&ours.device, &master] {
        expect(keys.iter().any(|(expected, _)| expected == mac.as_str()), "another MAC of a key")?;
    }
    expect(list == ours.keys.as_str(), "another MAC of the list")?;

    let ([first, second], list) = of_keys(&them, &us, pinned.device, pinned.master_signing_key)?;
    let mac = [(first.1.as_str(), first.0.as_str()), (second.1.as_str(), second.0.as_str())];
    let verified = confirmed.receive_mac(&ReceivedMac { mac: &mac, keys: &list }, pinned)?;
    expect(verified.device == pinned.device, "the device's key was not verified")?;
    expect(verified.master_signing_key == pinned.master_signing_key, "the user's key was not verified")
}

type Begun<'f> = Result<(String, Compare<&'f str>), Failure>;

fn start<'f>(
    rng: &mut ChaCha20Rng,
    [us, them]: [Party<'f>; 2],
    id: &'f str,
    choice: Choice,
    their_key: &str,
) -> Begun<'f> {
    let start = b"{}";
    let commitment = mx_aes_sha2::sha256(&[their_key.as_bytes(), start]);
    let commitment = mx_sas::Commitment::from_base64(&base64::encode_to_string(&commitment))?;
    let starter = Starter::new(rng, Flow::new(id, us, them)?)?.receive_accept(choice, commitment);
    Ok((starter.public_key().to_string(), starter.receive_key(their_key, start)?))
}

fn accept<'f>(
    rng: &mut ChaCha20Rng,
    [us, them]: [Party<'f>; 2],
    id: &'f str,
    choice: Choice,
    their_key: &str,
) -> Begun<'f> {
    let (key, compare) =
        Accepter::new(rng, Flow::new(id, them, us)?, choice, b"{}")?.receive_key(their_key)?;
    Ok((key.to_string(), compare))
}

/// From one to forty characters.
pub fn name(rng: &mut ChaCha20Rng) -> String {
    (0..=rng.next_u32() % 40).map(|_| char::from(b'!' + (rng.next_u32() % 94) as u8)).collect()
}

impl Peer for vodozemac::sas::Sas {
    fn public_key(&self) -> Result<String, Failure> {
        Ok(Self::public_key(self).to_base64())
    }

    fn agree(self, their_key: &str) -> Result<impl Agreed, Failure> {
        Ok(self.diffie_hellman_with_raw(their_key)?)
    }
}

impl Agreed for vodozemac::sas::EstablishedSas {
    fn short_string(&self, info: &str) -> Result<([u16; 3], [u8; 7]), Failure> {
        let bytes = self.bytes(info);
        Ok((bytes.decimals().into(), bytes.emoji_indices()))
    }

    fn mac(&self, method: MacMethod, input: &str, info: &str) -> Result<String, Failure> {
        Ok(match method {
            MacMethod::HkdfHmacSha256V2 => self.calculate_mac(input, info).to_base64(),
            _ => self.calculate_mac_invalid_base64(input, info),
        })
    }
}

#[cfg(feature = "libolm")]
impl Peer for mx_peers::libolm::Sas {
    fn public_key(&self) -> Result<String, Failure> {
        Ok(Self::public_key(self)?)
    }

    fn agree(mut self, their_key: &str) -> Result<impl Agreed, Failure> {
        self.set_their_key(their_key)?;
        Ok(self)
    }
}

#[cfg(feature = "libolm")]
impl Agreed for mx_peers::libolm::Sas {
    /// libolm gives bytes; what they mean was the clients' work.
    fn short_string(&self, info: &str) -> Result<([u16; 3], [u8; 7]), Failure> {
        let bits: Vec<_> =
            self.bytes(info)?.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let number = |bits: &[u8]| bits.iter().fold(0_u16, |number, bit| number << 1 | u16::from(*bit));
        let mut decimal = [0; 3];
        let mut emoji = [0; 7];
        for (place, bits) in decimal.iter_mut().zip(bits.chunks(13)) {
            *place = number(bits) + 1000;
        }
        for (place, bits) in emoji.iter_mut().zip(bits.chunks(6)) {
            *place = number(bits) as u8;
        }
        Ok((decimal, emoji))
    }

    fn mac(&self, method: MacMethod, input: &str, info: &str) -> Result<String, Failure> {
        Ok(match method {
            MacMethod::HkdfHmacSha256V2 => Self::mac(self, input, info)?,
            _ => self.legacy_mac(input, info)?,
        })
    }
}
