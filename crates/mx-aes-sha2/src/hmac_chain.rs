/// `key = HMAC(key, byte)`, so many times: a ratchet's way over messages that have not come.
///
/// The same as [`HmacKey::mac_byte`](crate::HmacKey::mac_byte) again and again. The blocks are laid out once, and the two
/// of each hash are compressed together, which takes a tenth off a long way.
///
/// ```
/// use mx_aes_sha2::{HmacKey, hmac_chain};
///
/// let mut chain_key = [7; 32];
/// hmac_chain(&mut chain_key, 0x02, 2);
/// assert_eq!(chain_key, HmacKey::new(&HmacKey::new(&[7; 32]).mac_byte(0x02)).mac_byte(0x02));
/// ```
pub fn hmac_chain(key: &mut [u8; 32], byte: u8, times: u32) {
    steps(key, byte, times);
}

#[cfg(sha2_backend_soft = "compact")]
fn steps(key: &mut [u8; 32], byte: u8, times: u32) {
    for _ in 0..times {
        *key = crate::HmacKey::new(key).mac_byte(byte);
    }
}

#[cfg(not(sha2_backend_soft = "compact"))]
fn steps(key: &mut [u8; 32], byte: u8, times: u32) {
    use sha2::block_api::compress256;

    use crate::{
        hmac::{INNER_PADDING, OUTER_PADDING, byte_block},
        sha256::{BLOCK, HASH_BLOCK, INITIAL, to_bytes},
        wipe::wipe,
    };

    if times == 0 {
        return;
    }
    // The key's block, and that of the message; the key's other block, and that of the inner hash.
    let mut inner = [[INNER_PADDING; BLOCK], byte_block(byte)];
    let mut outer = [[OUTER_PADDING; BLOCK], HASH_BLOCK];
    for _ in 0..times {
        let [inner_key, _] = &mut inner;
        let [outer_key, hash] = &mut outer;
        for ((inner, outer), key) in inner_key.iter_mut().zip(outer_key).zip(&*key) {
            (*inner, *outer) = (key ^ INNER_PADDING, key ^ OUTER_PADDING);
        }
        let mut state = INITIAL;
        compress256(&mut state, &inner);
        if let Some(hash) = hash.first_chunk_mut() {
            *hash = to_bytes(&state);
        }
        state = INITIAL;
        compress256(&mut state, &outer);
        *key = to_bytes(&state);
    }
    wipe(inner.as_flattened_mut());
    wipe(outer.as_flattened_mut());
}

#[cfg(test)]
mod tests {
    use super::hmac_chain;
    use crate::HmacKey;

    #[test]
    fn a_chain_is_step_after_step() {
        for byte in 0..4 {
            let mut expected = [byte ^ 0x5a; 32];
            for times in 0..20 {
                let mut key = [byte ^ 0x5a; 32];
                hmac_chain(&mut key, byte, times);
                assert_eq!(key, expected);
                expected = HmacKey::new(&expected).mac(&[byte]);
            }
        }
    }
}
