//! Fields of messages: after an error there are none, and what was read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_wire::{Field, Fields, Writer};

fuzz_target!(|payload: &[u8]| {
    let mut fields = Fields::new(payload);
    let read: Vec<_> = fields.by_ref().map_while(Result::ok).collect();
    assert!(fields.next().is_none() || !payload.is_empty());
    assert!(fields.next().is_none(), "a field behind an error");

    let mut out = vec![0; payload.len()];
    let mut writer = Writer::new(&mut out);
    for field in &read {
        match *field {
            Field::Number { tag, value } => writer.number(tag, value),
            Field::Bytes { tag, value } => writer.bytes(tag, value),
        }
    }
    let written = writer.finish().expect("the shortest form is not longer than what was read");
    let again: Vec<_> = Fields::new(written).collect::<Result<_, _>>().expect("what was written can be read");
    assert_eq!(again, read);
});
