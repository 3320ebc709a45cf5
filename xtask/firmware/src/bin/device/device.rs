//! All that the device holds, and the one place where a request is done.

use firmware::{
    board::{PaintedStack, stack_len},
    link::Link,
    protocol::{MAX_ANSWER_LEN, request},
};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_olm::Account;

use crate::{
    fields::{Answer, Fields},
    keys, messages,
    store::Store,
};

/// One-time keys, and sessions begun with a fallback key that are remembered.
pub type DeviceAccount = Account<8, 8>;
pub type Session = mx_olm::Session<8>;

/// The state. What is in flash is always all of it, from one moment.
///
/// It is put together where it stays: a value of this size that is returned is there twice for a while.
pub struct Device {
    pub account: Option<DeviceAccount>,
    /// The sessions that this device began, and that another began with it.
    pub sessions: [Option<Session>; 2],
    pub outbound: Option<OutboundGroupSession>,
    pub inbound: Option<InboundGroupSession>,
    pub answered: Answered,
    pub store: Store,
}

/// The last request that changed the state, and its answer: saved with the state, so that a host that did not get the
/// answer gets it again, and neither is a message encrypted twice nor one that came in lost.
pub struct Answered {
    pub number: u32,
    pub len: usize,
    pub bytes: [u8; MAX_ANSWER_LEN],
}

impl Device {
    pub fn new() -> Self {
        Self {
            account: None,
            sessions: [None, None],
            outbound: None,
            inbound: None,
            answered: Answered { number: 0, len: 0, bytes: [0; MAX_ANSWER_LEN] },
            store: Store::new(),
        }
    }

    /// Takes the state from flash, or makes a new account, which is saved before anybody sees it.
    pub fn load(&mut self, link: &mut Link) {
        if !self.restore(link) {
            self.account = DeviceAccount::new(link).ok();
            self.save(link);
        }
    }

    /// Does a request, unless it is done; what it changes is in flash before this returns.
    pub fn serve(
        &mut self,
        link: &mut Link,
        stack: &PaintedStack,
        request: &[u8],
    ) -> Result<(), &'static str> {
        let (operation, number, mut fields) = Fields::of(request).ok_or("the request is too short")?;
        if number == self.answered.number {
            return Ok(());
        }
        // Taken apart, because the answer is written while the rest changes.
        let mut answer = Answer::new(&mut self.answered.bytes);
        let account = self.account.as_mut().ok_or("there is no account")?;
        let sessions = &mut self.sessions;
        let changes = match operation {
            request::DEVICE_KEYS => keys::device_keys(account, &mut answer).map(|()| false),
            request::GENERATE => keys::generate(account, link, &mut answer).map(|()| true),
            request::ONE_TIME_KEY => keys::one_time_key(account, fields.byte()?, &mut answer).map(|()| false),
            request::PUBLISHED => {
                account.one_time_keys_mut().mark_as_published();
                Ok(true)
            }
            request::BEGIN => {
                messages::begin(account, sessions, link, &mut fields, &mut answer).map(|()| true)
            }
            request::SEND => messages::send(sessions, link, &mut fields, &mut answer).map(|()| true),
            request::RECEIVE => messages::receive(account, sessions, &mut fields, &mut answer).map(|()| true),
            request::ROOM_BEGIN => {
                messages::room_begin(sessions, &mut self.outbound, link, &mut answer).map(|()| true)
            }
            request::ROOM_SEND => {
                messages::room_send(self.outbound.as_mut(), &mut fields, &mut answer).map(|()| true)
            }
            request::ROOM_KEY => {
                messages::room_key(account, sessions, &mut self.inbound, &mut fields, &mut answer)
                    .map(|()| true)
            }
            request::ROOM_RECEIVE => {
                messages::room_receive(self.inbound.as_mut(), &mut fields, &mut answer).map(|()| true)
            }
            request::STACK => {
                let lens = [stack.used(), stack_len()].map(|len| (len as u32).to_le_bytes());
                answer.bytes(lens.as_flattened()).map(|()| false)
            }
            _ => Err("there is no such operation"),
        }?;
        self.answered.len = answer.len();
        self.answered.number = number;
        if changes {
            self.save(link);
        }
        Ok(())
    }

    pub fn answer(&self) -> &[u8] {
        self.answered.bytes.get(..self.answered.len).unwrap_or_default()
    }
}
