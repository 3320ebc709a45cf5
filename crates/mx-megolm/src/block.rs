use alloc::boxed::Box;

use zeroize::optimization_barrier;

use crate::ratchet::Ratchet;

/// States of one block of 256 indices, remembered while a session is read backwards.
///
/// Within a block only the last part of the ratchet changes, so one whole state and that part of the others are
/// enough. They are recorded on the way to an index that is asked for: the way from the start of the block at each
/// 16th, and from there at each. Reading newest first then costs about two hashes a message, and not some hundred.
pub(crate) struct Block {
    /// The earliest state of the block that is known.
    start: Ratchet,
    /// `R(i,3)` at the start and at the multiples of 16 after it.
    groups: Parts,
    /// `R(i,3)` at each index of one of these groups, from its first one on.
    group: Parts,
    /// Which of the groups that is.
    group_number: usize,
}

impl Block {
    /// The block in which `index` lies, as far as it is reachable from `earliest`.
    pub(crate) fn around(index: u32, earliest: &Ratchet) -> Box<Self> {
        let start = earliest.at(earliest.index().max(index & !0xff));
        let (groups, group) = (Parts::new(*start.last_part()), Parts::new(*start.last_part()));
        Box::new(Self { start, groups, group, group_number: 0 })
    }

    /// Whether this is the block of `index`, and `index` not before its start.
    pub(crate) const fn contains(&self, index: u32) -> bool {
        index >> 8 == self.start.index() >> 8 && index >= self.start.index()
    }

    /// The state at `index`, which the block contains.
    pub(crate) fn ratchet_at(&mut self, index: u32) -> Ratchet {
        let first_group = self.start.index() & !0xf;
        let group_number = ((index - first_group) >> 4) as usize;
        if group_number != self.group_number {
            // The first group may be shorter than the others.
            let steps_from_start = 16 - (self.start.index() & 0xf);
            let part =
                self.groups.record(group_number, |number| if number == 1 { steps_from_start } else { 16 });
            self.group = Parts::new(part);
            self.group_number = group_number;
        }
        let first = self.start.index().max(index & !0xf);
        let part = self.group.record((index - first) as usize, |_| 1);
        self.start.with_last_part(index, &part)
    }
}

/// `R(i,3)` at up to 16 indices, of which the first is always there.
struct Parts {
    parts: [[u8; 32]; 16],
    last: usize,
}

impl Parts {
    const fn new(first: [u8; 32]) -> Self {
        let mut parts = [[0; 32]; 16];
        parts[0] = first;
        Self { parts, last: 0 }
    }

    /// The part number `wanted`, below 16. Number `n` is `steps_to(n)` steps after the one before.
    fn record(&mut self, wanted: usize, steps_to: impl Fn(usize) -> u32) -> [u8; 32] {
        let mut part = self.parts.get(wanted.min(self.last)).copied().unwrap_or_default();
        while self.last < wanted {
            self.last += 1;
            for _ in 0..steps_to(self.last) {
                part = Ratchet::advance_last_part(&part);
            }
            if let Some(place) = self.parts.get_mut(self.last) {
                *place = part;
            }
        }
        part
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.parts = [[0; 32]; 16];
        optimization_barrier(&self.parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_a_block_in_every_direction() {
        for first in [0, 1, 15, 16, 17, 250, 255, 256, 300, 0x00ff_ff80] {
            let earliest = Ratchet::new(first, &[7; 128]);
            let last = (first | 0xff) + 300;
            let check = |block: &mut Block, index: u32| {
                assert!(block.ratchet_at(index).equals(&earliest.at(index)), "{first}, {index}");
            };
            let mut block = Block::around(last, &earliest);
            for index in (first..=last).rev() {
                if !block.contains(index) {
                    block = Block::around(index, &earliest);
                }
                check(&mut block, index);
            }
            assert!(first == 0 || !block.contains(first - 1));
            for index in first..=last {
                if !block.contains(index) {
                    block = Block::around(index, &earliest);
                }
                check(&mut block, index);
            }
            let mut block = Block::around(last, &earliest);
            let base = last & !0xff;
            for index in [40, 3, 255, 16, 15, 240, 0, 128].map(|offset| base + offset) {
                check(&mut block, index);
            }
            assert!(!block.contains(base + 256));
        }
    }
}
