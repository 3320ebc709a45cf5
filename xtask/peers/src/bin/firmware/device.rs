//! A device as its host sees it: requests that are answered, whatever happens to its power in between.

use std::collections::BTreeMap;

use mx_demo::party::Refusal;
use mx_olm::{MessageType, OlmMessage};
use mx_types::base64::{TrailingBits, decode_to_vec};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::{
    flash::Flash,
    machine::{Machine, Running},
    protocol::{from_device, request},
};

/// When the power fails during a request that changes the state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Power {
    /// At each operation on the flash, once, and when the answer is on its way.
    FailsEverywhere,
    /// At every third such request: at one operation, the next in turn, or when the answer is on its way.
    FailsSomewhere,
    Lasts,
}

/// What a device answers: fields.
pub(crate) type Answer = Vec<Vec<u8>>;

pub(crate) struct Device {
    machine: &'static Machine,
    image: String,
    running: Running,
    flash: Flash,
    rng: ChaCha20Rng,
    power_fails: bool,
    /// Of the last request.
    number: u32,
    turn: usize,
    /// What was ever encrypted, by session, chain and index: under one of them there is one message.
    encrypted: BTreeMap<(u8, Vec<u8>, u32), Vec<u8>>,
    pub(crate) torn_erases: usize,
    pub(crate) torn_writes: usize,
    pub(crate) lost_answers: usize,
    pub(crate) stack: (u32, u32),
}

/// How an attempt ended.
enum Attempt {
    Answered(Result<Vec<u8>, String>),
    PowerFailed,
}

impl Device {
    pub(crate) fn new(
        machine: &'static Machine,
        image: &str,
        seed: u64,
        power_fails: bool,
    ) -> Result<Self, Refusal> {
        let mut device = Self {
            machine,
            image: image.to_owned(),
            running: machine.start(image)?,
            flash: Flash::new(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            power_fails,
            number: 0,
            turn: 0,
            encrypted: BTreeMap::new(),
            torn_erases: 0,
            torn_writes: 0,
            lost_answers: 0,
            stack: (0, 0),
        };
        // The first account is made while power fails, too: nobody has seen its keys yet.
        for operation in 0.. {
            let cut_at = Some(operation).filter(|_| power_fails);
            if matches!(device.serve(cut_at)?, Attempt::Answered(_)) {
                break;
            }
            device.running = machine.start(image)?;
        }
        Ok(device)
    }

    /// A request that the device does.
    pub(crate) fn ask(&mut self, operation: u8, fields: &[&[u8]], power: Power) -> Result<Answer, Refusal> {
        let answer = self.request(operation, fields, power)?;
        let answer =
            answer.map_err(|reason| Refusal(format!("request {operation} was refused: {reason}")))?;
        let answer = split(&answer).ok_or_else(|| Refusal("the answer has no fields".to_owned()))?;
        self.remember(operation, fields, &answer)?;
        Ok(answer)
    }

    /// A request that the device must refuse.
    pub(crate) fn must_refuse(&mut self, operation: u8, fields: &[&[u8]]) -> Result<(), Refusal> {
        match self.request(operation, fields, Power::Lasts)? {
            Ok(_) => Err(Refusal(format!("request {operation} was done and not refused"))),
            Err(_) => Ok(()),
        }
    }

    fn request(
        &mut self,
        operation: u8,
        fields: &[&[u8]],
        power: Power,
    ) -> Result<Result<Vec<u8>, String>, Refusal> {
        let power = if self.power_fails { power } else { Power::Lasts };
        self.number += 1;
        let mut frame = vec![operation];
        frame.extend(self.number.to_le_bytes());
        for field in fields {
            frame.extend(u16::try_from(field.len()).map_err(Refusal::from_error)?.to_le_bytes());
            frame.extend(*field);
        }
        self.turn += usize::from(power == Power::FailsSomewhere);
        let cuts = match power {
            Power::FailsEverywhere => 0..usize::MAX,
            Power::FailsSomewhere if self.turn % 6 == 3 => self.turn / 6 % 7..self.turn / 6 % 7 + 1,
            Power::FailsSomewhere => 0..0,
            Power::Lasts => 0..0,
        };
        let mut answer = None;
        for operation in cuts {
            match self.attempt(&frame, Some(operation))? {
                Attempt::PowerFailed => self.restart()?,
                // There is no such operation any more.
                Attempt::Answered(found) => {
                    answer = Some(found);
                    break;
                }
            }
        }
        let answer = match answer {
            Some(answer) => answer,
            None => self.attempt_with_power(&frame)?,
        };
        let is_lost = match power {
            Power::FailsEverywhere => true,
            Power::FailsSomewhere => self.turn.is_multiple_of(6),
            Power::Lasts => false,
        };
        if is_lost {
            self.lost_answers += 1;
            self.restart()?;
            if self.attempt_with_power(&frame)? != answer {
                return Err(Refusal("the answer after a reset is another one".to_owned()));
            }
        }
        Ok(answer)
    }

    fn attempt_with_power(&mut self, frame: &[u8]) -> Result<Result<Vec<u8>, String>, Refusal> {
        match self.attempt(frame, None)? {
            Attempt::Answered(answer) => Ok(answer),
            Attempt::PowerFailed => Err(Refusal("the power failed by itself".to_owned())),
        }
    }

    fn attempt(&mut self, frame: &[u8], cut_at: Option<usize>) -> Result<Attempt, Refusal> {
        self.running.send(frame)?;
        self.serve(cut_at)
    }

    /// Off and on again: nothing is left but flash.
    pub(crate) fn restart(&mut self) -> Result<(), Refusal> {
        self.running = self.machine.start(&self.image)?;
        match self.serve(None)? {
            Attempt::Answered(Ok(_)) => Ok(()),
            _ => Err(Refusal("the device does not start".to_owned())),
        }
    }

    /// Plays generator and flash until the device has answered, or is ready; the power fails at the given operation.
    fn serve(&mut self, cut_at: Option<usize>) -> Result<Attempt, Refusal> {
        let wrong = |what: &str| Refusal(format!("the firmware {what}"));
        let mut operations = 0;
        loop {
            let frame = self.running.receive()?;
            let (&kind, rest) = frame.split_first().ok_or_else(|| wrong("sends nothing"))?;
            let is_cut = cut_at == Some(operations);
            operations += usize::from(matches!(kind, from_device::FLASH_ERASE | from_device::FLASH_WRITE));
            match kind {
                from_device::READY | from_device::DONE => return Ok(Attempt::Answered(Ok(rest.to_vec()))),
                from_device::REFUSED => {
                    return Ok(Attempt::Answered(Err(String::from_utf8_lossy(rest).into_owned())));
                }
                from_device::RANDOM => {
                    let len = rest.first_chunk().map_or(0, |len| u16::from_le_bytes(*len));
                    let mut bytes = vec![0; len.into()];
                    self.rng.fill_bytes(&mut bytes);
                    self.running.send(&bytes)?;
                }
                from_device::FLASH_READ => {
                    let (offset, len) = offset(rest).ok_or_else(|| wrong("reads no place"))?;
                    let len = len.first_chunk().map_or(0, |len| u16::from_le_bytes(*len));
                    let bytes = self.flash.read(offset, len.into());
                    self.running.send(bytes.ok_or_else(|| wrong("reads beyond its flash"))?)?;
                }
                from_device::FLASH_ERASE => {
                    let page = *rest.first().ok_or_else(|| wrong("erases no page"))?;
                    if is_cut {
                        self.torn_erases += 1;
                        self.flash.erase_torn(page, &mut self.rng).ok_or_else(|| wrong("erases no page"))?;
                        return Ok(Attempt::PowerFailed);
                    }
                    self.flash.erase(page).ok_or_else(|| wrong("erases no page"))?;
                    self.running.send(&[])?;
                }
                from_device::FLASH_WRITE => {
                    let (offset, bytes) = offset(rest).ok_or_else(|| wrong("writes to no place"))?;
                    let twice = || wrong("writes to flash that is not erased");
                    if is_cut {
                        self.torn_writes += 1;
                        self.flash.write_torn(offset, bytes, &mut self.rng).ok_or_else(twice)?;
                        return Ok(Attempt::PowerFailed);
                    }
                    self.flash.write(offset, bytes).ok_or_else(twice)?;
                    self.running.send(&[])?;
                }
                _ => return Err(wrong("sends an unknown frame")),
            }
        }
    }

    /// Reads how deep the stack went since the last start.
    pub(crate) fn look_at_stack(&mut self) -> Result<(), Refusal> {
        let answer = self.ask(request::STACK, &[], Power::Lasts)?;
        let number = |at: usize| answer.first()?.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
        self.stack = self.stack.max((number(0).unwrap_or_default(), number(4).unwrap_or_default()));
        Ok(())
    }

    /// Every message that leaves, by what it was encrypted with.
    fn remember(&mut self, operation: u8, fields: &[&[u8]], answer: &Answer) -> Result<(), Refusal> {
        let body = answer.last().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
        let bytes = || decode_to_vec(&body, TrailingBits::Ignored).map_err(Refusal::from_error);
        let (session, chain, index) = match operation {
            request::BEGIN | request::SEND | request::ROOM_BEGIN => {
                let session = if operation == request::SEND { fields[0][0] } else { 0 };
                let number = answer.first().and_then(|kind| kind.first()).copied().unwrap_or(u8::MAX);
                let kind = MessageType::try_from(u64::from(number)).map_err(Refusal::from_error)?;
                let bytes = bytes()?;
                let message = OlmMessage::parse(kind, &bytes).map_err(Refusal::from_error)?;
                (session, message.normal().ratchet_key().as_bytes().to_vec(), message.normal().index())
            }
            request::ROOM_SEND => {
                let bytes = bytes()?;
                let message = mx_megolm::MegolmMessage::try_from(&*bytes).map_err(Refusal::from_error)?;
                (2, Vec::new(), message.message_index())
            }
            _ => return Ok(()),
        };
        match self.encrypted.insert((session, chain, index), body.into_bytes()) {
            None => Ok(()),
            Some(_) => Err(Refusal(format!("message {index} was encrypted twice"))),
        }
    }

    pub(crate) fn encrypted(&self) -> usize {
        self.encrypted.len()
    }

    pub(crate) fn requests(&self) -> u32 {
        self.number
    }
}

fn offset(frame: &[u8]) -> Option<(usize, &[u8])> {
    let (offset, rest) = frame.split_first_chunk()?;
    Some((u32::from_le_bytes(*offset) as usize, rest))
}

fn split(mut answer: &[u8]) -> Option<Answer> {
    let mut fields = Vec::new();
    while !answer.is_empty() {
        let (len, rest) = answer.split_first_chunk()?;
        let (field, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
        fields.push(field.to_vec());
        answer = rest;
    }
    Some(fields)
}
