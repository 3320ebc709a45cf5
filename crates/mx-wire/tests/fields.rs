//! Fields: what is read, what is refused, and that both directions agree.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use mx_wire::{Field, FieldError, Fields, Slot, Writer, varint_len};
use proptest::prelude::*;

/// The tests of `known` as they are; xtask/firmware/vectors makes something else of them.
macro_rules! known_answers {
    ($($test:item)*) => { $($test)* };
}

mod known;

// OLM-35
#[test]
fn a_field_with_a_slot_comes_once_and_others_are_passed_over() {
    let sorted = |payload| {
        let (mut numbers, mut bytes) = ([(0x08, Slot::empty())], [(0x12, Slot::empty())]);
        Fields::new(payload).put_into(&mut numbers, &mut bytes)?;
        let ([(_, number)], [(_, text)]) = (numbers, bytes);
        Ok((number.take()?, text.take()?))
    };
    assert_eq!(sorted(b"\x12\x01a\x08\x05"), Ok((5, &b"a"[..])));
    // The field numbers of both with the other type, and unknown ones, as often as they like.
    assert_eq!(sorted(b"\x0a\x01b\x10\x07\x0a\x01b\x22\x00\x22\x00\x08\x05\x12\x01a"), Ok((5, &b"a"[..])));
    assert_eq!(sorted(b"\x08\x05\x12\x01a\x08\x05"), Err(FieldError::Repeated));
    assert_eq!(sorted(b"\x08\x05\x12\x01a\x12\x01a"), Err(FieldError::Repeated));
    assert_eq!(sorted(b"\x08\x05"), Err(FieldError::Missing));
    assert_eq!(sorted(b"\x08\x05\x12\x02a"), Err(FieldError::Truncated));
}

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
