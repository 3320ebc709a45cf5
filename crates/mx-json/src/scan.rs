/// The bytes before the first that is a quote, a backslash, a control character or not ASCII.
pub(crate) fn plain_len(text: &[u8]) -> usize {
    // As signed numbers, those that are not ASCII are below all others.
    let is_special = |byte: u8| (byte == b'"') | (byte == b'\\') | (byte.cast_signed() < 0x20);
    // Names and most values end in one of the first words.
    let mut short = 0;
    for word in text.as_chunks().0.iter().take(6) {
        if let Some(special) = first_special(*word) {
            return short + special;
        }
        short += word.len();
    }
    let text = text.get(short..).unwrap_or_default();
    // Compilers look at all of a block at once.
    let is_plain = |block: &&[u8; 32]| !block.iter().fold(false, |any, byte| any | is_special(*byte));
    let blocks = 32 * text.as_chunks().0.iter().take_while(is_plain).count();
    let (words, last) = text.get(blocks..).unwrap_or_default().as_chunks();
    let special = words.iter().enumerate().find_map(|(word, bytes)| Some(8 * word + first_special(*bytes)?));
    let rest = special.unwrap_or_else(|| {
        8 * words.len() + last.iter().position(|byte| is_special(*byte)).unwrap_or(last.len())
    });
    short + blocks + rest
}

/// The first byte that is a quote, a backslash, a control character or not ASCII, if there is one.
///
/// All eight at once: a byte is zero after the XOR where it is the one looked for, and the subtraction then borrows
/// into its highest bit. A borrow may mark bytes above that one wrongly, never below, and the lowest one counts.
const fn first_special(word: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);
    const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
    let word = u64::from_le_bytes(word);
    let (quotes, backslashes) = (word ^ QUOTES, word ^ BACKSLASHES);
    let found = quotes.wrapping_sub(ONES) | backslashes.wrapping_sub(ONES) | word.wrapping_sub(SPACES) | word;
    match found & (ONES << 7) {
        0 => None,
        found => Some((found.trailing_zeros() / 8) as usize),
    }
}
