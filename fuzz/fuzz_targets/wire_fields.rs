//! Fields of messages: after an error there are none, and what was read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_wire::{Field, Fields, Writer};

fuzz_target!(|payload: &[u8]| {
    let mut fields = Fields::new(payload);
    let read: Vec<_> = fields.by_ref().map_while(Result::ok).collect();
    assert!(fields.next().is_none() || !payload.is_empty());
    assert!(fields.next().is_none(), "a field behind an error");

    // Messages have tags of one byte only; those are what the writer writes.
    let short: Vec<_> = read.into_iter().filter(|field| tag(field) < 0x80).collect();
    let mut out = vec![0; payload.len()];
    let mut writer = Writer::new(&mut out);
    for field in &short {
        match *field {
            Field::Number { tag, value } => writer.number(u8::try_from(tag).expect("is short"), value),
            Field::Bytes { tag, value } => writer.bytes(u8::try_from(tag).expect("is short"), value),
        }
    }
    let written = writer.finish().expect("the shortest form is not longer than what was read");
    let again: Vec<_> = Fields::new(written).collect::<Result<_, _>>().expect("what was written can be read");
    assert_eq!(again, short);
});

const fn tag(field: &Field<'_>) -> u32 {
    match field {
        Field::Number { tag, .. } | Field::Bytes { tag, .. } => *tag,
    }
}
