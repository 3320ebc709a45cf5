use alloc::boxed::Box;

use zeroize::optimization_barrier;

use crate::ratchet::Ratchet;

/// The states at each 16th index of one block of 256, remembered while a session is read backwards.
///
/// Within a block only the last part of the ratchet changes, so one state and 16 times 32 bytes are enough. They are
/// recorded on the way to an index that is asked for, so they cost no hash of their own; after that the way to any
/// index before it is at most 15 hashes, and not some hundred from the earliest state.
pub(crate) struct Block {
    /// The earliest state of the block that is known.
    start: Ratchet,
    /// `R(i,3)` for the multiples of 16 after `start`, in order.
    later: [[u8; 32]; 15],
    /// How many of them are there.
    recorded: usize,
}

impl Block {
    /// The block in which `index` lies, as far as it is reachable from `earliest`.
    pub(crate) fn around(index: u32, earliest: &Ratchet) -> Box<Self> {
        let start = earliest.at(earliest.index().max(index & !0xff));
        Box::new(Self { start, later: [[0; 32]; 15], recorded: 0 })
    }

    /// Whether this is the block of `index`, and `index` not before its start.
    pub(crate) const fn contains(&self, index: u32) -> bool {
        index >> 8 == self.start.index() >> 8 && index >= self.start.index()
    }

    /// The state at `index`, which the block contains.
    pub(crate) fn ratchet_at(&mut self, index: u32) -> Ratchet {
        // Multiples of 16 in (start, index].
        let wanted = ((index >> 4) - (self.start.index() >> 4)) as usize;
        while self.recorded < wanted {
            let mut ratchet = self.recorded_state(self.recorded);
            ratchet.advance_to((ratchet.index() | 0xf) + 1);
            if let Some(later) = self.later.get_mut(self.recorded) {
                *later = *ratchet.last_part();
            }
            self.recorded += 1;
        }
        let mut ratchet = self.recorded_state(wanted);
        ratchet.advance_to(index);
        ratchet
    }

    /// `start` for 0, else the `count`th multiple of 16 after it.
    fn recorded_state(&self, count: usize) -> Ratchet {
        match count.checked_sub(1).and_then(|before| self.later.get(before)) {
            None => self.start.duplicate(),
            #[expect(clippy::cast_possible_truncation, reason = "at most 15")]
            Some(part) => self.start.with_last_part((self.start.index() & !0xf) + 16 * count as u32, part),
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.later = [[0; 32]; 15];
        optimization_barrier(&self.later);
    }
}
