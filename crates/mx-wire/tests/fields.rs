//! Fields: what is read, what is refused, and that both directions agree.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use mx_wire::{Field, Fields, Writer, varint_len};
use proptest::prelude::*;

/// The tests of `known` as they are; xtask/firmware/vectors makes something else of them.
macro_rules! known_answers {
    ($($test:item)*) => { $($test)* };
}

mod known;

proptest! {
    #[test]
    fn what_is_written_is_read(value in any::<u32>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut buffer = [0; 400];
        let mut writer = Writer::new(&mut buffer);
        writer.number(0x10, value);
        writer.bytes(0x22, &bytes);
        let payload = writer.finish().unwrap();
        prop_assert_eq!(payload.len(), 2 + varint_len(u64::from(value)) + varint_len(bytes.len() as u64) + bytes.len());
        let fields: Result<Vec<_>, _> = Fields::new(payload).collect();
        prop_assert_eq!(
            fields,
            Ok(vec![Field::Number { tag: 0x10, value }, Field::Bytes { tag: 0x22, value: &bytes }])
        );
    }

    #[test]
    fn any_bytes_give_fields_or_one_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let results: Vec<_> = Fields::new(&bytes).collect();
        let errors = results.iter().filter(|result| result.is_err()).count();
        prop_assert!(errors == 0 || errors == 1 && results.last().unwrap().is_err());
    }

    #[test]
    fn varint_lengths(value in any::<u64>()) {
        let mut expected = 1;
        let mut rest = value >> 7;
        while rest > 0 {
            expected += 1;
            rest >>= 7;
        }
        prop_assert_eq!(varint_len(value), expected);
    }
}
