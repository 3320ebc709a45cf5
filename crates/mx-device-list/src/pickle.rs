//! Stored state: a list, sealed.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use mx_pickle::{Generation, Kind, PickleError, PickleKey, Reader, UnpickleError, sealed_len};
use mx_signing::{DeviceKeys, MAX_OBJECT_LEN};
use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, MAX_IDENTIFIER_LEN, UserId};
use rand_core::TryCryptoRng;

use crate::device::Device;
use crate::list::{DeviceList, MAX_FORMER_DEVICES};
use crate::time::Timestamp;

const LIST: Kind = Kind { type_tag: 24, layout: 1 };

/// Devices in a pickle: any number that a caller may have allowed.
const MAX_DEVICES: usize = 1 << 20;

impl DeviceList {
    /// How often it was pickled.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Seals the list in a new vector. Its generation is one more than that of the list; it comes back with
    /// [`from_pickle`](Self::from_pickle).
    ///
    /// # Errors
    ///
    /// [`PickleError`].
    pub fn pickle_to_vec<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        key: &PickleKey,
    ) -> Result<Vec<u8>, PickleError> {
        let state = self.encode();
        let mut out = vec![0; sealed_len(state.len())];
        let mut writer = key.seal(rng, LIST, self.generation, state.len(), &mut out)?;
        writer.bytes(&state);
        writer.finish()?;
        Ok(out)
    }

    /// Reads a pickle, unless its generation is before `oldest_acceptable`: an older list lacks devices, or has keys that
    /// were replaced.
    ///
    /// # Errors
    ///
    /// [`UnpickleError`]. Then mark the user as outdated.
    pub fn from_pickle(
        key: &PickleKey,
        oldest_acceptable: Generation,
        pickle: &[u8],
    ) -> Result<Self, UnpickleError> {
        let mut reader = key.open(LIST, oldest_acceptable, pickle)?;
        let mut list = Self::decode(&mut reader)?;
        reader.finish()?;
        list.generation = reader.generation();
        Ok(list)
    }

    /// `user ID ‖ devices ‖ former devices`.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        text(&mut out, &self.user_id);
        count(&mut out, self.devices.len());
        self.devices.values().for_each(|device| device.encode(&mut out));
        count(&mut out, self.former.len());
        self.former.iter().for_each(|device| device.encode(&mut out));
        out
    }

    fn decode(reader: &mut Reader<'_, '_>) -> Result<Self, UnpickleError> {
        let user_id = read_text(reader, MAX_IDENTIFIER_LEN)?;
        UserId::parse(&user_id).map_err(|_| UnpickleError::Invalid { field: "user ID" })?;
        let mut devices: BTreeMap<String, Device> = BTreeMap::new();
        for _ in 0..reader.count(MAX_DEVICES)? {
            let device = Device::decode(reader, &user_id, false)?;
            let device_id = device.keys.device_id.clone();
            if devices.last_key_value().is_some_and(|(last, _)| *last >= device_id) {
                return Err(UnpickleError::Invalid { field: "order of devices" });
            }
            devices.insert(device_id, device);
        }
        let former = reader.count(MAX_FORMER_DEVICES)?;
        let former = (0..former).map(|_| Device::decode(reader, &user_id, true)).collect::<Result<_, _>>()?;
        Ok(Self { user_id, devices, former, generation: Generation::NEVER_PICKLED })
    }
}

impl Device {
    /// `device ID ‖ algorithms ‖ Curve25519 key? ‖ Ed25519 key ‖ object ‖ dehydrated ‖ first seen ‖ m.no_olm sent ‖ wedgings`.
    fn encode(&self, out: &mut Vec<u8>) {
        text(out, &self.keys.device_id);
        count(out, self.keys.algorithms.len());
        self.keys.algorithms.iter().for_each(|algorithm| text(out, algorithm));
        out.push(self.keys.curve25519.is_some().into());
        out.extend(self.keys.curve25519.iter().flat_map(|key| key.as_bytes()));
        out.extend_from_slice(self.keys.ed25519.as_bytes());
        text(out, &self.object);
        out.push(self.is_dehydrated.into());
        out.extend_from_slice(&self.first_seen.0.to_be_bytes());
        out.push(self.no_olm_sent.into());
        out.extend_from_slice(&self.wedgings.to_be_bytes());
    }

    fn decode(reader: &mut Reader<'_, '_>, user_id: &str, is_deleted: bool) -> Result<Self, UnpickleError> {
        let device_id = read_text(reader, MAX_IDENTIFIER_LEN)?;
        DeviceId::parse(&device_id).map_err(|_| UnpickleError::Invalid { field: "device ID" })?;
        let algorithms = reader.count(MAX_OBJECT_LEN)?;
        let algorithms =
            (0..algorithms).map(|_| read_text(reader, MAX_OBJECT_LEN)).collect::<Result<_, _>>()?;
        let curve25519 = if reader.bool("mark of a Curve25519 key")? {
            let key = Curve25519PublicKey::from_bytes(reader.array()?);
            Some(key.map_err(|_| UnpickleError::Invalid { field: "Curve25519 key" })?)
        } else {
            None
        };
        let ed25519 = Ed25519PublicKey::from_bytes(reader.array()?)
            .map_err(|_| UnpickleError::Invalid { field: "Ed25519 key" })?;
        Ok(Self {
            keys: DeviceKeys { user_id: user_id.into(), device_id, algorithms, curve25519, ed25519 },
            object: read_text(reader, MAX_OBJECT_LEN)?,
            is_dehydrated: reader.bool("mark of a dehydrated device")?,
            is_deleted,
            first_seen: Timestamp(reader.u64()?),
            no_olm_sent: reader.bool("mark of m.no_olm")?,
            wedgings: reader.u32()?,
        })
    }
}

fn count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn read_text(reader: &mut Reader<'_, '_>, limit: usize) -> Result<String, UnpickleError> {
    let len = reader.count(limit)?;
    if len > reader.remaining() {
        return Err(UnpickleError::EndsEarly);
    }
    let mut bytes = vec![0; len];
    reader.bytes(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| UnpickleError::Invalid { field: "text" })
}
