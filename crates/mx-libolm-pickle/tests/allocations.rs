//! What a pickle says of its size makes no room.

mod pickled;

use mx_libolm_pickle::{LibolmPickleError, MAX_PICKLE_LEN, read_account, read_session};
use pickled::{account, seal, unseal, vector};

/// The bytes that are allocated at most at one time while a pickle is read and refused.
fn allocated<T>(read: impl Fn() -> Result<T, LibolmPickleError>) -> u64 {
    let mut refused = false;
    let info = allocation_counter::measure(|| refused = read().is_err());
    assert!(refused);
    info.bytes_max
}

// PIC-11; attack_060, attack_069: a count allocates nothing
#[test]
fn attack_060_a_hostile_count_allocates_nothing() {
    let prefix = account(&[], &[], 0)[..164].to_vec();
    for count in [101_u32, 1_000_000, u32::MAX] {
        let plaintext = [prefix.as_slice(), &count.to_be_bytes()].concat();
        let pickle = seal(&plaintext, b"");
        let bytes = allocated(|| read_account::<100, 8>(&pickle, b""));
        // The bytes that the text stands for, and nothing else.
        assert_eq!(bytes, pickle.len() as u64 * 3 / 4, "{count} one-time keys");
    }

    let plaintext = unseal(&vector("self_made_olm", "bob_session_after_decrypting_msg1_only"), b"");
    for at in [133, 137] {
        let mut changed = plaintext.clone();
        changed[at..at + 4].fill(0xff);
        let pickle = seal(&changed, b"");
        let bytes = allocated(|| read_session::<200>(&pickle, b""));
        assert_eq!(bytes, pickle.len() as u64 * 3 / 4, "a number of chains");
    }
    let mut changed = plaintext.clone();
    changed[209..213].fill(0xff);
    let pickle = seal(&changed, b"");
    let bytes = allocated(|| read_session::<200>(&pickle, b""));
    // And one receiver chain.
    assert!(bytes < pickle.len() as u64 * 3 / 4 + 100, "a number of skipped keys: {bytes} bytes");
}

#[test]
fn attack_069_a_text_that_is_too_long_allocates_nothing() {
    let text = "A".repeat(MAX_PICKLE_LEN + 1);
    assert_eq!(allocated(|| read_account::<100, 8>(&text, b"")), 0);
}
