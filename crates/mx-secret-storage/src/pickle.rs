//! Stored state: the open requests, sealed.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use mx_pickle::{Generation, Kind, PickleError, PickleKey, Reader, UnpickleError, sealed_len};
use mx_types::{DeviceId, MAX_IDENTIFIER_LEN, UserId};
use rand_core::TryCryptoRng;

use crate::secret_request::{MAX_NAME_LEN, is_name};
use crate::sharing::{
    AskedDevice, MAX_ASKED_DEVICES, MAX_REQUESTS, OpenRequest, ReceivedRequest, SecretSharing,
};

/// Layout 1: `user ID ‖ device ID ‖ requests: ID ‖ name ‖ devices: ID ‖ has answered ‖ received: device ID ‖ ID ‖ name`.
const SHARING: Kind = Kind { type_tag: 28, layout: 1 };

impl SecretSharing {
    /// How often the requests were pickled.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Seals the open requests in a new vector.
    ///
    /// # Errors
    ///
    /// [`PickleError`]. Nothing has changed then.
    pub fn pickle_to_vec<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
    ) -> Result<Vec<u8>, PickleError> {
        let state = self.encode();
        let mut out = vec![0; sealed_len(state.len())];
        let mut writer = key.seal(rng, SHARING, self.generation, state.len(), &mut out)?;
        writer.bytes(&state);
        let generation = writer.generation();
        writer.finish()?;
        self.generation = generation;
        Ok(out)
    }

    /// Reads a pickle, unless its generation is before `oldest_acceptable`: an older one has requests open that are closed.
    ///
    /// # Errors
    ///
    /// [`UnpickleError`].
    pub fn from_pickle(
        key: &PickleKey,
        oldest_acceptable: Generation,
        pickle: &[u8],
    ) -> Result<Self, UnpickleError> {
        let mut reader = key.open(SHARING, oldest_acceptable, pickle)?;
        let user_id = text(&mut reader, MAX_IDENTIFIER_LEN)?;
        UserId::parse(&user_id).map_err(|_| UnpickleError::Invalid { field: "user ID" })?;
        let device_id = device_id(&mut reader)?;
        let requests = (0..reader.count(MAX_REQUESTS)?).map(|_| open_request(&mut reader));
        let requests = requests.collect::<Result<_, _>>()?;
        let received = (0..reader.count(MAX_REQUESTS)?).map(|_| received(&mut reader));
        let received = received.collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { user_id, device_id, requests, received, generation: reader.generation() })
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_text(&mut out, &self.user_id);
        write_text(&mut out, &self.device_id);
        write_count(&mut out, self.requests.len());
        for request in &self.requests {
            write_text(&mut out, &request.request_id);
            write_text(&mut out, &request.name);
            write_count(&mut out, request.asked.len());
            for asked in &request.asked {
                write_text(&mut out, &asked.device_id);
                out.push(asked.has_answered.into());
            }
        }
        write_count(&mut out, self.received.len());
        for request in &self.received {
            write_text(&mut out, &request.device_id);
            write_text(&mut out, &request.request_id);
            write_text(&mut out, &request.name);
        }
        out
    }
}

fn open_request(reader: &mut Reader<'_, '_>) -> Result<OpenRequest, UnpickleError> {
    let request_id = name(reader)?;
    let name = name(reader)?;
    let asked = (0..reader.count(MAX_ASKED_DEVICES)?).map(|_| {
        Ok(AskedDevice { device_id: device_id(reader)?, has_answered: reader.bool("mark of an answer")? })
    });
    Ok(OpenRequest { request_id, name, asked: asked.collect::<Result<_, _>>()? })
}

fn received(reader: &mut Reader<'_, '_>) -> Result<ReceivedRequest, UnpickleError> {
    Ok(ReceivedRequest { device_id: device_id(reader)?, request_id: name(reader)?, name: name(reader)? })
}

fn device_id(reader: &mut Reader<'_, '_>) -> Result<String, UnpickleError> {
    let text = text(reader, MAX_IDENTIFIER_LEN)?;
    DeviceId::parse(&text).map_err(|_| UnpickleError::Invalid { field: "device ID" })?;
    Ok(text)
}

/// A request ID or the name of a secret.
fn name(reader: &mut Reader<'_, '_>) -> Result<String, UnpickleError> {
    let text = text(reader, MAX_NAME_LEN)?;
    if is_name(&text) { Ok(text) } else { Err(UnpickleError::Invalid { field: "name" }) }
}

fn text(reader: &mut Reader<'_, '_>, limit: usize) -> Result<String, UnpickleError> {
    let mut bytes = vec![0; reader.count(limit)?];
    reader.bytes(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| UnpickleError::Invalid { field: "text" })
}

fn write_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    write_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}
