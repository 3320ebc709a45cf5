//! The seal: what goes in comes out, and everything else is a named error.
#![expect(clippy::unwrap_used, reason = "tests")]

use mx_pickle::{Generation, Kind, OVERHEAD, PickleError, PickleKey, UnpickleError, sealed_len};
use rand_chacha::ChaCha20Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};

const KIND: Kind = Kind { type_tag: 201, layout: 1 };

fn key() -> PickleKey {
    PickleKey::new(&[7; 32])
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn seal(rng: &mut ChaCha20Rng, kind: Kind, previous: Generation, state: &[u8]) -> Vec<u8> {
    let mut out = vec![0xee; sealed_len(state.len())];
    let key = key();
    let mut writer = key.seal(rng, kind, previous, state.len(), &mut out).unwrap();
    writer.bytes(state);
    writer.finish().unwrap().to_vec()
}

fn open(pickle: &[u8]) -> Result<Vec<u8>, UnpickleError> {
    let key = key();
    let mut reader = key.open(KIND, Generation::NEVER_PICKLED, pickle)?;
    let mut state = vec![0; reader.remaining()];
    reader.bytes(&mut state)?;
    reader.finish()?;
    Ok(state)
}

#[test]
fn every_length_comes_back() {
    let mut rng = rng();
    for len in 0..600 {
        let state: Vec<u8> = (0..len).map(|i: usize| i.to_le_bytes()[0] ^ 0x5a).collect();
        let pickle = seal(&mut rng, KIND, Generation::NEVER_PICKLED, &state);
        assert_eq!(pickle.len(), len + OVERHEAD);
        assert_eq!(open(&pickle).unwrap(), state);
        // Read in steps that do not fit the window.
        for step in [1, 7, 127, 128, 129] {
            let key = key();
            let mut reader = key.open(KIND, Generation::NEVER_PICKLED, &pickle).unwrap();
            let mut read = Vec::new();
            while reader.remaining() > 0 {
                let mut part = vec![0; step.min(reader.remaining())];
                reader.bytes(&mut part).unwrap();
                read.extend(part);
            }
            assert_eq!(read, state);
        }
    }
}

#[test]
fn every_kind_of_field_comes_back() {
    let key = key();
    let mut out = [0; sealed_len(1 + 2 + 4 + 8 + 4 + 3)];
    let mut writer = key.seal(&mut rng(), KIND, Generation::from(41), 22, &mut out).unwrap();
    writer.u8(0xab);
    writer.bool(true);
    writer.bool(false);
    writer.u32(0xdead_beef);
    writer.u64(0x0123_4567_89ab_cdef);
    writer.count(3);
    writer.bytes(b"abc");
    assert_eq!(writer.generation(), Generation::from(42));
    let pickle = writer.finish().unwrap();
    let before = pickle.to_vec();

    let mut reader = key.open(KIND, Generation::NEVER_PICKLED, pickle).unwrap();
    assert_eq!((reader.layout(), reader.generation()), (1, Generation::from(42)));
    assert_eq!(reader.u8(), Ok(0xab));
    assert_eq!((reader.bool("flag"), reader.bool("flag")), (Ok(true), Ok(false)));
    assert_eq!(reader.u32(), Ok(0xdead_beef));
    assert_eq!(reader.u64(), Ok(0x0123_4567_89ab_cdef));
    assert_eq!(reader.count(3), Ok(3));
    assert_eq!(reader.finish(), Err(UnpickleError::TrailingBytes { count: 3 }));
    assert_eq!(reader.array::<4>(), Err(UnpickleError::EndsEarly));
    assert_eq!(reader.array::<3>(), Ok(*b"abc"));
    reader.finish().unwrap();
    assert_eq!(pickle, before, "reading changes nothing");
}

// PIC-13
/// The format of the README, made here from the primitives of other crates.
#[test]
fn the_format_is_the_one_in_the_readme() {
    let pickle = seal(&mut rng(), KIND, Generation::from(0x0102_0304_0506_0707), b"the state");
    assert_eq!(pickle[..11], [1, 201, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
    let keys = mx_aes_sha2::hkdf_sha256::<64>(&[], &[7; 32], b"mx-pickle 1");
    let keys = mx_aes_sha2::ctr_hmac::CtrHmacKeys::from_bytes(&keys);
    let (authenticated, mac) = pickle.split_last_chunk::<32>().unwrap();
    keys.verify_mac(authenticated, mac).unwrap();
    let mut state = authenticated[27..].to_vec();
    keys.keystream(authenticated[11..27].try_into().unwrap()).apply(&mut state);
    assert_eq!(state, b"the state");
}

#[test]
fn every_flipped_bit_is_refused() {
    let pickle = seal(&mut rng(), KIND, Generation::NEVER_PICKLED, &[9; 40]);
    for bit in 0..pickle.len() * 8 {
        let mut flipped = pickle.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0 => UnpickleError::UnknownFormat { found: flipped[0] },
            _ => UnpickleError::Authentication,
        };
        assert_eq!(open(&flipped), Err(expected), "bit {bit}");
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let pickle = seal(&mut rng(), KIND, Generation::NEVER_PICKLED, &[9; 40]);
    for len in 0..pickle.len() {
        let expected = if len < OVERHEAD { UnpickleError::TooShort } else { UnpickleError::Authentication };
        assert_eq!(open(&pickle[..len]), Err(expected), "{len} bytes");
        assert!(open(&pickle[pickle.len() - len..]).is_err(), "the last {len} bytes");
    }
    for more in 1..40 {
        let mut longer = pickle.clone();
        longer.resize(pickle.len() + more, 0);
        assert_eq!(open(&longer), Err(UnpickleError::Authentication));
        // The MAC in its place at the end, and something before it.
        let mut longer = pickle.clone();
        longer.splice(pickle.len() - 32..pickle.len() - 32, vec![0; more]);
        assert_eq!(open(&longer), Err(UnpickleError::Authentication));
    }
}

#[test]
fn another_type_layout_or_key_is_refused() {
    let mut rng = rng();
    let none = Generation::NEVER_PICKLED;
    let other = seal(&mut rng, Kind { type_tag: 202, layout: 1 }, none, b"state");
    assert_eq!(open(&other), Err(UnpickleError::WrongType { expected: 201, found: 202 }));
    let newer = seal(&mut rng, Kind { type_tag: 201, layout: 2 }, none, b"state");
    assert_eq!(open(&newer), Err(UnpickleError::UnknownLayout { newest: 1, found: 2 }));
    let zero = seal(&mut rng, Kind { type_tag: 201, layout: 0 }, none, b"state");
    assert_eq!(open(&zero), Err(UnpickleError::UnknownLayout { newest: 1, found: 0 }));

    // An older layout than the newest is read, and the reader says which it is.
    let pickle = seal(&mut rng, KIND, none, b"state");
    let key = key();
    let reader = key.open(Kind { type_tag: 201, layout: 2 }, none, &pickle).unwrap();
    assert_eq!(reader.layout(), 1);

    for bit in 0..256 {
        let mut bytes = [7; 32];
        bytes[bit / 8] ^= 1 << (bit % 8);
        let result = PickleKey::new(&bytes).open(KIND, none, &pickle).map(drop);
        assert_eq!(result, Err(UnpickleError::Authentication));
    }
}

#[test]
fn attack_060_a_count_beyond_the_limit_is_refused_before_anything_is_stored() {
    for (count, limit) in [(1_000_000_u32, 50_usize), (51, 50), (1, 0), (u32::MAX, 50)] {
        let pickle = seal(&mut rng(), KIND, Generation::NEVER_PICKLED, &count.to_be_bytes());
        let key = key();
        let mut reader = key.open(KIND, Generation::NEVER_PICKLED, &pickle).unwrap();
        assert_eq!(reader.count(limit), Err(UnpickleError::TooMany { count, limit }));
    }
}

#[test]
fn attack_069_no_length_in_a_pickle_is_trusted() {
    let pickle = seal(&mut rng(), KIND, Generation::NEVER_PICKLED, &[0, 0, 0, 50, 1]);
    let key = key();
    let mut reader = key.open(KIND, Generation::NEVER_PICKLED, &pickle).unwrap();
    assert_eq!(reader.count(50), Ok(50), "allowed, but the items are not there");
    let mut item = [0x55; 32];
    assert_eq!(reader.bytes(&mut item), Err(UnpickleError::EndsEarly));
    assert_eq!(item, [0x55; 32]);
    assert_eq!(reader.u8(), Ok(1));
    assert_eq!(reader.u8(), Err(UnpickleError::EndsEarly));
    assert_eq!(reader.u32(), Err(UnpickleError::EndsEarly));
    assert_eq!(reader.u64(), Err(UnpickleError::EndsEarly));
    assert_eq!(reader.count(1), Err(UnpickleError::EndsEarly));
    assert_eq!(reader.bool("flag"), Err(UnpickleError::EndsEarly));
}

#[test]
fn a_bool_is_zero_or_one() {
    for byte in 2..=u8::MAX {
        let pickle = seal(&mut rng(), KIND, Generation::NEVER_PICKLED, &[byte]);
        let key = key();
        let mut reader = key.open(KIND, Generation::NEVER_PICKLED, &pickle).unwrap();
        assert_eq!(reader.bool("flag"), Err(UnpickleError::Invalid { field: "flag" }));
    }
}

#[test]
fn attack_065_pickles_of_one_state_have_nothing_in_common() {
    let mut rng = rng();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..1000 {
        let pickle = seal(&mut rng, KIND, Generation::NEVER_PICKLED, &[0; 64]);
        let (nonce, ciphertext, mac) = (&pickle[11..27], &pickle[27..91], &pickle[91..]);
        for part in [nonce, &ciphertext[..16], &ciphertext[48..], &mac[..16]] {
            assert!(seen.insert(part.to_vec()));
        }
    }
}

#[test]
fn attack_063_a_buffer_too_small_is_left_alone() {
    let key = key();
    for len in 0..sealed_len(10) {
        let mut out = vec![0x55; len];
        let error = key.seal(&mut rng(), KIND, Generation::NEVER_PICKLED, 10, &mut out).map(drop);
        assert_eq!(error, Err(PickleError::BufferTooSmall { needed: sealed_len(10) }));
        assert_eq!(out, vec![0x55; len]);
    }
    let error = key.seal(&mut rng(), KIND, Generation::NEVER_PICKLED, usize::MAX, &mut [0; 99]).map(drop);
    assert_eq!(error, Err(PickleError::BufferTooSmall { needed: usize::MAX }));
}

#[test]
fn a_longer_buffer_is_left_alone_behind_the_pickle() {
    let key = key();
    let mut out = [0x55; 100];
    let mut writer = key.seal(&mut rng(), KIND, Generation::NEVER_PICKLED, 1, &mut out).unwrap();
    writer.u8(1);
    assert_eq!(writer.finish().unwrap().len(), 60);
    assert_eq!(out[60..], [0x55; 40]);
}

#[test]
fn a_state_of_another_length_than_announced_is_wiped() {
    let key = key();
    for (announced, written) in [(5, 4), (5, 6), (5, 0), (0, 1), (5, 500)] {
        let mut out = vec![0x55; sealed_len(announced)];
        let mut writer = key.seal(&mut rng(), KIND, Generation::NEVER_PICKLED, announced, &mut out).unwrap();
        (0..written).for_each(|_| writer.u8(0x77));
        assert_eq!(writer.finish(), Err(PickleError::WrongLength { announced, written }));
        assert!(out.iter().all(|byte| *byte == 0), "the state stays behind");
    }
}

#[test]
fn a_writer_that_is_given_up_is_wiped() {
    let key = key();
    let mut out = vec![0x55; sealed_len(5)];
    let mut writer = key.seal(&mut rng(), KIND, Generation::NEVER_PICKLED, 5, &mut out).unwrap();
    writer.bytes(&[0x77; 3]);
    drop(writer);
    assert!(!out.contains(&0x77));
}

/// A generator that is not there, or gives only zeros.
struct Broken {
    errs: bool,
}

impl TryRng for Broken {
    type Error = core::fmt::Error;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        if self.errs { Err(core::fmt::Error) } else { Ok(0) }
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.try_next_u32().map(u64::from)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        self.try_next_u32().map(drop)
    }
}

impl TryCryptoRng for Broken {}

#[test]
fn attack_008_no_nonce_without_randomness() {
    let key = key();
    for errs in [true, false] {
        let mut out = [0x55; sealed_len(5)];
        let result = key.seal(&mut Broken { errs }, KIND, Generation::NEVER_PICKLED, 5, &mut out).map(drop);
        assert_eq!(result, Err(PickleError::RandomnessFailed));
        assert_eq!(out, [0x55; sealed_len(5)]);
    }
}

#[test]
fn attack_068_debug_shows_nothing() {
    let key = key();
    let mut out = [0; sealed_len(32)];
    assert_eq!(format!("{key:?}"), "PickleKey { .. }");
    let mut writer = key.seal(&mut rng(), KIND, Generation::NEVER_PICKLED, 32, &mut out).unwrap();
    writer.bytes(&[7; 32]);
    assert_eq!(format!("{writer:?}"), "Writer { generation: Generation(1), .. }");
    let pickle = writer.finish().unwrap();
    let mut reader = key.open(KIND, Generation::NEVER_PICKLED, pickle).unwrap();
    reader.u8().unwrap();
    assert_eq!(format!("{reader:?}"), "Reader { layout: 1, generation: Generation(1), remaining: 31, .. }");
}
