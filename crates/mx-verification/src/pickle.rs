//! Stored state: which verifications there are, not where their methods stand.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use mx_pickle::{Generation, Kind, PickleError, PickleKey, Reader, UnpickleError, sealed_len};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use rand_core::TryCryptoRng;

use crate::config::Config;
use crate::flow::{Facts, Flow, State};
use crate::flow_key::{FlowKey, Place};
use crate::reason::Reason;
use crate::remembered::Past;
use crate::state::FlowState;
use crate::step::Step;
use crate::time::Time;
use crate::verifications::Verifications;

const VERIFICATIONS: Kind = Kind { type_tag: 25, layout: 1 };

/// Verifications, devices and bytes in a pickle: any number that a caller may have allowed.
const MAX_COUNT: usize = 1 << 16;

impl Verifications {
    /// How often they were pickled.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Seals in a new vector which verifications there are, and with whom: what must be told to the other sides after a restart. No keys
    /// and no secrets of methods are in it. The generation counts up.
    ///
    /// # Errors
    ///
    /// [`PickleError`].
    pub fn pickle_to_vec<R: TryCryptoRng + ?Sized>(
        &mut self,
        rng: &mut R,
        key: &PickleKey,
    ) -> Result<Vec<u8>, PickleError> {
        let state = self.encode();
        let mut out = vec![0; sealed_len(state.len())];
        let mut writer = key.seal(rng, VERIFICATIONS, self.generation, state.len(), &mut out)?;
        writer.bytes(&state);
        let generation = writer.generation();
        writer.finish()?;
        self.generation = generation;
        Ok(out)
    }

    /// Reads a pickle after a restart, unless its generation is before `oldest_acceptable`. The verifications that were going on end:
    /// the step tells the other sides, and the user may begin again. Requests that nobody had accepted are forgotten, and shown if they
    /// come again.
    ///
    /// # Errors
    ///
    /// [`UnpickleError`]. Then begin with [`new`](Self::new): the other sides wait until their time is up.
    #[expect(clippy::too_many_arguments, reason = "those of `new`, and those of every `from_pickle`")]
    pub fn from_pickle(
        user_id: UserId<'_>,
        device_id: DeviceId<'_>,
        ed25519: Ed25519PublicKey,
        config: Config,
        time: Time,
        key: &PickleKey,
        oldest_acceptable: Generation,
        pickle: &[u8],
    ) -> Result<(Self, Step), UnpickleError> {
        let mut reader = key.open(VERIFICATIONS, oldest_acceptable, pickle)?;
        let mut verifications = Self::new(user_id, device_id, ed25519, config);
        verifications.decode(time.monotonic_ms, &mut reader)?;
        reader.finish()?;
        verifications.generation = reader.generation();
        let step = verifications.take_step();
        Ok((verifications, step))
    }

    /// `flows ‖ IDs that are over`.
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // A request that nobody has accepted holds nothing that somebody waits for.
        let stored = |flow: &&Flow| !matches!(flow.state, State::Requested { .. });
        count(&mut out, self.flows.iter().filter(stored).count());
        for Flow { facts, state } in self.flows.iter().filter(stored) {
            facts.key.encode(&mut out);
            out.push(matches!(state, State::WaitDone).into());
            let devices = facts.peer_devices();
            count(&mut out, devices.len());
            devices.iter().for_each(|device_id| text(&mut out, device_id));
        }
        let over = self.remembered.iter().filter_map(|remembered| match remembered.past {
            Past::Over(state) => Some((&remembered.key, state)),
            Past::Answered | Past::CancelledEarly => None,
        });
        let over: Vec<_> = over.collect();
        count(&mut out, over.len());
        for (key, state) in over {
            key.encode(&mut out);
            out.push(match state {
                FlowState::Done => 1,
                FlowState::Passive => 2,
                _ => 0,
            });
        }
        out
    }

    fn decode(&mut self, now: u64, reader: &mut Reader<'_, '_>) -> Result<(), UnpickleError> {
        for _ in 0..reader.count(MAX_COUNT)? {
            let mut facts = Facts::new(FlowKey::decode(reader)?, now);
            let is_verified = reader.bool("mark of a verified flow")?;
            let devices = reader.count(MAX_COUNT)?;
            facts.asked = (0..devices).map(|_| read_text(reader)).collect::<Result<_, _>>()?;
            if is_verified {
                self.close(now, facts);
            } else {
                self.fail(now, facts, Reason::Timeout);
            }
        }
        for _ in 0..reader.count(MAX_COUNT)? {
            let key = FlowKey::decode(reader)?;
            let state = match reader.u8()? {
                0 => FlowState::Cancelled,
                1 => FlowState::Done,
                2 => FlowState::Passive,
                _ => return Err(UnpickleError::Invalid { field: "state of a flow" }),
            };
            self.remember(now, key, Past::Over(state));
        }
        Ok(())
    }
}

impl FlowKey {
    /// `room ID or nothing ‖ user ID ‖ ID`.
    fn encode(&self, out: &mut Vec<u8>) {
        match &self.place {
            Place::ToDevice => out.push(0),
            Place::Room { room_id } => {
                out.push(1);
                text(out, room_id);
            }
        }
        text(out, &self.user_id);
        text(out, &self.id);
    }

    fn decode(reader: &mut Reader<'_, '_>) -> Result<Self, UnpickleError> {
        let place = if reader.bool("mark of a room")? {
            Place::Room { room_id: read_text(reader)? }
        } else {
            Place::ToDevice
        };
        Ok(Self { place, user_id: read_text(reader)?, id: read_text(reader)? })
    }
}

fn count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn read_text(reader: &mut Reader<'_, '_>) -> Result<String, UnpickleError> {
    let len = reader.count(MAX_COUNT)?;
    if len > reader.remaining() {
        return Err(UnpickleError::EndsEarly);
    }
    let mut bytes = vec![0; len];
    reader.bytes(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| UnpickleError::Invalid { field: "text" })
}
