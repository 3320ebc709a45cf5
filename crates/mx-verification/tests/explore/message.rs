//! Messages on their way, by number.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// What one device, or somebody in between, has sent.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Message {
    /// Who has sent it, as the server says.
    pub(crate) user_id: &'static str,
    /// The device that has: only the network knows it of plaintext.
    pub(crate) device_id: &'static str,
    pub(crate) event_type: String,
    pub(crate) content: String,
    pub(crate) way: Way,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Way {
    ToDevice { olm_sender: Option<&'static str> },
    Room { event_id: String },
}

impl Message {
    /// One for each content of each device.
    pub(crate) fn event_id(user_id: &str, device_id: &str, event_type: &str, content: &str) -> String {
        let mut hasher = DefaultHasher::new();
        (user_id, device_id, event_type, content).hash(&mut hasher);
        format!("${:016x}", hasher.finish())
    }

    /// `key` of `m.key.verification.key`.
    pub(crate) fn kind(&self) -> &str {
        match self.event_type.strip_prefix("m.key.verification.") {
            Some(kind) => kind,
            None => "request",
        }
    }
}

/// All messages that there ever were.
#[derive(Default)]
pub(crate) struct Messages {
    pub(crate) all: Vec<Rc<Message>>,
    numbers: HashMap<Rc<Message>, u32>,
}

impl Messages {
    pub(crate) fn number(&mut self, message: Message) -> u32 {
        if let Some(number) = self.numbers.get(&message) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap();
        let message = Rc::new(message);
        self.all.push(Rc::clone(&message));
        self.numbers.insert(message, number);
        number
    }
}
