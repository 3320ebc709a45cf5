//! Rolled-back state and two writers.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;

use mx_pickle::{Generation, Kind, PickleError, PickleKey, UnpickleError, sealed_len};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// The least that has the problem of a ratchet: each number may be used once.
struct Ratchet {
    next: u32,
    generation: Generation,
}

const KIND: Kind = Kind { type_tag: 202, layout: 1 };

impl Ratchet {
    fn advance(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn pickle(&mut self, key: &PickleKey) -> Result<Vec<u8>, PickleError> {
        let mut out = vec![0; sealed_len(4)];
        let mut writer =
            key.seal(&mut ChaCha20Rng::from_seed([1; 32]), KIND, self.generation, 4, &mut out)?;
        writer.u32(self.next);
        let generation = writer.generation();
        writer.finish()?;
        self.generation = generation;
        Ok(out)
    }

    fn from_pickle(key: &PickleKey, oldest: Generation, pickle: &[u8]) -> Result<Self, UnpickleError> {
        let mut reader = key.open(KIND, oldest, pickle)?;
        let ratchet = Self { next: reader.u32()?, generation: reader.generation() };
        reader.finish()?;
        Ok(ratchet)
    }
}

#[test]
fn attack_058_a_rolled_back_state_is_refused() {
    let key = PickleKey::new(&[7; 32]);
    let mut ratchet = Ratchet { next: 0, generation: Generation::NEVER_PICKLED };
    let pickles: Vec<Vec<u8>> = (0..5)
        .map(|_| {
            ratchet.advance();
            ratchet.pickle(&key).unwrap()
        })
        .collect();
    for (found, pickle) in (1..).map(Generation::from).zip(&pickles) {
        assert_eq!(Generation::of(pickle), Some(found));
        for required in (0..8).map(Generation::from) {
            let result = Ratchet::from_pickle(&key, required, pickle).map(|ratchet| ratchet.generation);
            let expected =
                if found >= required { Ok(found) } else { Err(UnpickleError::Stale { found, required }) };
            assert_eq!(result, expected);
        }
    }
    // The generation of a younger one, written into the older pickle.
    let mut forged = pickles[0].clone();
    forged[3..11].copy_from_slice(&5_u64.to_be_bytes());
    let result = Ratchet::from_pickle(&key, Generation::from(5), &forged).map(drop);
    assert_eq!(result, Err(UnpickleError::Authentication));
}

#[test]
fn a_failed_pickle_does_not_change_the_generation() {
    let key = PickleKey::new(&[7; 32]);
    let mut ratchet = Ratchet { next: 0, generation: Generation::from(u64::MAX) };
    assert_eq!(ratchet.pickle(&key), Err(PickleError::GenerationsExhausted));
    assert_eq!(ratchet.generation, Generation::from(u64::MAX));
    ratchet.generation = Generation::from(u64::MAX - 1);
    assert_eq!(Generation::of(&ratchet.pickle(&key).unwrap()), Some(Generation::from(u64::MAX)));
}

#[test]
fn only_a_pickle_has_a_generation() {
    let key = PickleKey::new(&[7; 32]);
    let mut ratchet = Ratchet { next: 0, generation: Generation::from(8) };
    let mut pickle = ratchet.pickle(&key).unwrap();
    assert_eq!(Generation::of(&pickle), Some(Generation::from(9)));
    assert_eq!(Generation::of(&pickle[..27]), Some(Generation::from(9)), "the header is enough");
    assert_eq!(Generation::of(&pickle[..26]), None);
    pickle[0] = 2;
    assert_eq!(Generation::of(&pickle), None);
}

/// A store that swaps only against the generation that was loaded.
struct Store {
    pickle: Vec<u8>,
}

impl Store {
    fn swap(&mut self, loaded: Generation, pickle: Vec<u8>) -> bool {
        let unchanged = Generation::of(&self.pickle) == Some(loaded);
        if unchanged {
            self.pickle = pickle;
        }
        unchanged
    }
}

/// One process: load, advance and pickle, swap, and only then send; from the start again if it lost.
#[derive(Default)]
struct Process {
    step: u8,
    loaded: Option<Ratchet>,
    at: Generation,
    used: u32,
    pickle: Vec<u8>,
    sent: Vec<u32>,
    lost: usize,
}

impl Process {
    fn run_one_step(&mut self, key: &PickleKey, store: &mut Store) {
        self.step = match self.step {
            0 => {
                let ratchet = Ratchet::from_pickle(key, self.at, &store.pickle).unwrap();
                self.at = ratchet.generation;
                self.loaded = Some(ratchet);
                1
            }
            1 => {
                let ratchet = self.loaded.as_mut().unwrap();
                self.used = ratchet.advance();
                self.pickle = ratchet.pickle(key).unwrap();
                2
            }
            _ => {
                if store.swap(self.at, core::mem::take(&mut self.pickle)) {
                    self.sent.push(self.used);
                } else {
                    self.lost += 1;
                }
                0
            }
        };
    }
}

#[test]
fn attack_059_of_two_writers_one_loses_and_no_key_is_used_twice() {
    let key = PickleKey::new(&[7; 32]);
    let (mut schedules_with_a_loser, mut sent_in_all) = (0, 0);
    // Every order in which two processes can take twelve steps.
    for schedule in 0..1_u32 << 12 {
        let mut ratchet = Ratchet { next: 0, generation: Generation::NEVER_PICKLED };
        let mut store = Store { pickle: ratchet.pickle(&key).unwrap() };
        let mut processes = [Process::default(), Process::default()];
        for step in 0..12 {
            processes[(schedule >> step & 1) as usize].run_one_step(&key, &mut store);
        }
        let sent: Vec<u32> = processes.iter().flat_map(|process| process.sent.clone()).collect();
        let distinct: HashSet<u32> = sent.iter().copied().collect();
        assert_eq!(distinct.len(), sent.len(), "schedule {schedule:#b} used a key twice");
        let stored = Ratchet::from_pickle(&key, Generation::NEVER_PICKLED, &store.pickle).unwrap();
        assert_eq!(stored.next as usize, sent.len(), "schedule {schedule:#b} lost a step");
        schedules_with_a_loser += u32::from(processes.iter().any(|process| process.lost > 0));
        sent_in_all += sent.len();
    }
    assert!(schedules_with_a_loser > 1000 && sent_in_all > 4096, "the model does not reach the race");
}
