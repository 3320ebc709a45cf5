//! The state in flash, in a way that power may fail at any moment.
//!
//! There are two pages, and one of them is the newest whole state. Saving erases the *other*, writes every part of the
//! state there, and the record that names them last: only with the record does the page count. Whatever was cut short
//! is no record, or one whose MAC is wrong, and then the state before it counts, of which nothing has left the device that
//! is not in it. The record has the answer to the request that led to this state.

use firmware::{
    link::Link,
    protocol::{MAX_ANSWER_LEN, PAGE_LEN},
};
use mx_megolm::{InboundGroupSession, OutboundGroupSession};
use mx_olm::Account;
use mx_pickle::{Generation, Kind, PickleKey, Reader, UnpickleError, sealed_len};

use crate::device::{Answered, Device, Session};

/// Where the state goes.
pub struct Store {
    key: PickleKey,
    /// The page that counts, and the generation of its record.
    page: u8,
    generation: Generation,
}

/// A part of the state in a page.
#[derive(Clone, Copy, Default)]
struct Part {
    len: usize,
    generation: u64,
}

/// Account, two sessions, two room sessions.
type Parts = [Part; 5];

const RECORD: Kind = Kind { type_tag: 0xf0, layout: 1 };

/// Number and answer, then the parts.
const RECORD_LEN: usize = sealed_len(4 + 4 + MAX_ANSWER_LEN + 5 * (4 + 8));
/// Where the parts begin: flash is written in words.
const PARTS: usize = RECORD_LEN.next_multiple_of(8);
/// The longest part: an account with all its keys.
const MAX_PART_LEN: usize = 1_088;

impl Store {
    /// The key that seals the state is a constant here, because QEMU has no place for a better one. Yours is in a part of
    /// the chip that no wire leads out of, drawn when the device was made.
    pub fn new() -> Self {
        Self { key: PickleKey::new(&[7; 32]), page: 1, generation: Generation::NEVER_PICKLED }
    }

    /// Reads the record of a page, and all that is in it if there is a place for it.
    #[inline(never)]
    fn read_record(
        &self,
        link: &mut Link,
        page: u8,
        into: Option<(&mut Answered, &mut Parts)>,
    ) -> Option<Generation> {
        let mut bytes = [0; RECORD_LEN];
        link.flash_read(usize::from(page) * PAGE_LEN, &mut bytes);
        let mut reader = self.key.open(RECORD, Generation::NEVER_PICKLED, &bytes).ok()?;
        if let Some((answered, parts)) = into {
            read_fields(&mut reader, answered, parts).ok()?;
        }
        Some(reader.generation())
    }
}

fn read_fields(
    reader: &mut Reader<'_, '_>,
    answered: &mut Answered,
    parts: &mut Parts,
) -> Result<(), UnpickleError> {
    answered.number = reader.u32()?;
    answered.len = reader.count(MAX_ANSWER_LEN)?;
    reader.bytes(&mut answered.bytes)?;
    for part in parts {
        *part = Part { len: reader.count(MAX_PART_LEN)?, generation: reader.u64()? };
    }
    reader.finish()
}

impl Device {
    /// Puts the newest state that was saved whole in place; says whether there is one.
    pub fn restore(&mut self, link: &mut Link) -> bool {
        let records = [0, 1].map(|page| (self.store.read_record(link, page, None), page));
        // None is less than any.
        let Some((Some(generation), page)) = records.into_iter().max() else { return false };
        let mut parts = Parts::default();
        (self.store.page, self.store.generation) = (page, generation);
        let read = self.store.read_record(link, page, Some((&mut self.answered, &mut parts)));
        // The record was written last and is whole, so the parts are: anything else is no power cut.
        read.and_then(|_| self.restore_parts(link, parts)).expect("what was saved is read back");
        true
    }

    #[inline(never)]
    fn restore_parts(&mut self, link: &mut Link, parts: Parts) -> Option<()> {
        let key = &self.store.key;
        let mut buffer = [0; MAX_PART_LEN];
        let offset = usize::from(self.store.page) * PAGE_LEN + PARTS;
        let mut flash = PartReader { link, offset, buffer: &mut buffer };
        let [account, began, received, outbound, inbound] = parts;
        flash.read(account, &mut self.account, |oldest, pickle| Account::from_pickle(key, oldest, pickle))?;
        for (session, part) in self.sessions.iter_mut().zip([began, received]) {
            flash.read(part, session, |oldest, pickle| Session::from_pickle(key, oldest, pickle))?;
        }
        flash.read(outbound, &mut self.outbound, |oldest, pickle| {
            OutboundGroupSession::from_pickle(key, oldest, pickle)
        })?;
        flash.read(inbound, &mut self.inbound, |oldest, pickle| {
            InboundGroupSession::from_pickle(key, oldest, pickle)
        })
    }
}

/// Reads one part after another.
struct PartReader<'l> {
    link: &'l mut Link,
    offset: usize,
    buffer: &'l mut [u8; MAX_PART_LEN],
}

impl PartReader<'_> {
    /// The next part, put in its place. `None` if it is not what was saved.
    #[inline(never)]
    fn read<T>(
        &mut self,
        part: Part,
        place: &mut Option<T>,
        unpickle: impl FnOnce(Generation, &[u8]) -> Result<T, UnpickleError>,
    ) -> Option<()> {
        if part.len == 0 {
            return Some(());
        }
        let pickle = self.buffer.get_mut(..part.len)?;
        self.link.flash_read(self.offset, pickle);
        self.offset += part.len.next_multiple_of(8);
        // Of this generation and no other: a part that was left from an older state is none of this one.
        let generation = Generation::of(pickle).filter(|found| found.get() == part.generation)?;
        *place = Some(unpickle(generation, pickle).ok()?);
        Some(())
    }
}

impl Device {
    /// Saves all of the state. When this returns it is in flash.
    #[inline(never)]
    pub fn save(&mut self, link: &mut Link) {
        let page = self.store.page ^ 1;
        link.flash_erase(page);
        let parts = self.write_parts(link, page);
        self.write_record(link, page, &parts);
        self.store.page = page;
    }

    #[inline(never)]
    fn write_parts(&mut self, link: &mut Link, page: u8) -> Parts {
        let key = &self.store.key;
        let mut buffer = [0; MAX_PART_LEN];
        let mut offset = usize::from(page) * PAGE_LEN + PARTS;
        let mut write = |link: &mut Link, pickle: &[u8]| {
            link.flash_write(offset, pickle);
            offset += pickle.len().next_multiple_of(8);
            Part { len: pickle.len(), generation: Generation::of(pickle).map_or(0, Generation::get) }
        };
        let mut parts = Parts::default();
        let [account, began, received, outbound, inbound] = &mut parts;
        if let Some(state) = &mut self.account {
            let pickle = state.pickle(link, key, &mut buffer).expect("the buffer is long enough");
            *account = write(link, pickle);
        }
        for (session, part) in self.sessions.iter_mut().zip([began, received]) {
            if let Some(session) = session {
                let pickle = session.pickle(link, key, &mut buffer).expect("the buffer is long enough");
                *part = write(link, pickle);
            }
        }
        if let Some(session) = &mut self.outbound {
            let pickle = session.pickle(link, key, &mut buffer).expect("the buffer is long enough");
            *outbound = write(link, pickle);
        }
        if let Some(session) = &mut self.inbound {
            let pickle = session.pickle(link, key, &mut buffer).expect("the buffer is long enough");
            *inbound = write(link, pickle);
        }
        parts
    }

    #[inline(never)]
    fn write_record(&mut self, link: &mut Link, page: u8, parts: &Parts) {
        let Answered { number, len, bytes } = &self.answered;
        let mut buffer = [0; RECORD_LEN];
        let (key, previous) = (&self.store.key, self.store.generation);
        let writer = key.seal(link, RECORD, previous, RECORD_LEN - sealed_len(0), &mut buffer);
        let mut writer = writer.expect("the buffer is long enough");
        writer.u32(*number);
        writer.count(*len);
        writer.bytes(bytes);
        for part in parts {
            writer.count(part.len);
            writer.u64(part.generation);
        }
        let generation = writer.generation();
        let record = writer.finish().expect("the record has one length");
        link.flash_write(usize::from(page) * PAGE_LEN, record);
        self.store.generation = generation;
    }
}
