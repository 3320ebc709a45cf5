//! Fields on the border of what is read, and as they are written. Firmware runs them, too: nothing but `core`.

use mx_wire::{Field, FieldError, Fields, Slot, Writer, varint_len};

fn only(payload: &[u8]) -> Result<Field<'_>, FieldError> {
    let mut fields = Fields::new(payload);
    let field = fields.next().unwrap();
    assert!(fields.next().is_none(), "one field or an error, then nothing");
    field
}

known_answers! {
    // OLM-33
    #[test]
    fn attack_050_numbers() {
        let number = |value| Ok(Field::Number { tag: 8, value });
        for (payload, expected) in [
            (&b"\x08\x00"[..], number(0)),
            (b"\x08\x7f", number(127)),
            (b"\x08\x80\x01", number(128)),
            (b"\x08\xff\xff\xff\xff\x0f", number(u32::MAX)),
            // Longer than need be, within five bytes.
            (b"\x08\x80\x00", number(0)),
            (b"\x08\x81\x80\x80\x80\x00", number(1)),
            (b"\x88\x80\x80\x80\x00\x05", number(5)),
            // Above 2^32 - 1, or longer than five bytes.
            (b"\x08\xff\xff\xff\xff\x10", Err(FieldError::Varint)),
            (b"\x08\x80\x80\x80\x80\x10", Err(FieldError::Varint)),
            (b"\x08\x80\x80\x80\x80\x80\x00", Err(FieldError::Varint)),
            (b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", Err(FieldError::Varint)),
            (b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", Err(FieldError::Varint)),
            (b"\x88\x80\x80\x80\x80\x00\x05", Err(FieldError::Varint)),
            (b"\xff\xff\xff\xff\x7f\x05", Err(FieldError::Varint)),
            (b"\x08", Err(FieldError::Truncated)),
            (b"\x08\x80", Err(FieldError::Truncated)),
            (b"\x88", Err(FieldError::Truncated)),
        ] {
            assert_eq!(only(payload), expected, "{payload:02x?}");
        }
    }

    // OLM-33
    #[test]
    fn attack_050_lengths() {
        let bytes = |value| Ok(Field::Bytes { tag: 0x12, value });
        for (payload, expected) in [
            (&b"\x12\x00"[..], bytes(&b""[..])),
            (b"\x12\x02ab", bytes(b"ab")),
            (b"\x12\x82\x00ab", bytes(b"ab")),
            (b"\x12\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00ab", bytes(b"ab")),
            (b"\x12\x82\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00ab", Err(FieldError::Varint)),
            (b"\x12\x82\x80\x80\x80\x80\x80\x80\x80\x80\x02ab", Err(FieldError::Varint)),
            (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01ab", Err(FieldError::Truncated)),
            (b"\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01ab", Err(FieldError::Truncated)),
            (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7fab", Err(FieldError::Truncated)),
            (b"\x12\x80\x80\x80\x80\x10ab", Err(FieldError::Truncated)),
            (b"\x12\x03ab", Err(FieldError::Truncated)),
        ] {
            assert_eq!(only(payload), expected, "{payload:02x?}");
        }
    }

    // OLM-35
    #[test]
    fn other_wire_types_and_field_zero() {
        for wire_type in [1, 3, 4, 5, 6, 7] {
            assert_eq!(only(&[8 | wire_type, 0, 0, 0, 0, 0, 0, 0, 0]), Err(FieldError::WireType));
        }
        for tag in 0..8 {
            assert_eq!(only(&[tag, 0]), Err(FieldError::FieldNumber));
        }
    }

    // OLM-35, OLM-36
    #[test]
    fn a_slot_takes_one_value() {
        let mut slot = Slot::empty();
        assert_eq!(slot.take(), Err::<u8, _>(FieldError::Missing));
        assert_eq!(slot.put(1), Ok(()));
        assert_eq!(slot.take(), Ok(1));
        assert_eq!(slot.put(1), Err(FieldError::Repeated));
    }

    // OLM-33: the shortest form, on both sides of each border; 0 is written.
    #[test]
    fn numbers_are_written_minimally() {
        for (value, expected) in [
            (0, &b"\x08\x00"[..]),
            (1, b"\x08\x01"),
            (0x7f, b"\x08\x7f"),
            (0x80, b"\x08\x80\x01"),
            (0x81, b"\x08\x81\x01"),
            (0x3fff, b"\x08\xff\x7f"),
            (0x4000, b"\x08\x80\x80\x01"),
            (0x001f_ffff, b"\x08\xff\xff\x7f"),
            (0x0020_0000, b"\x08\x80\x80\x80\x01"),
            (0x0fff_ffff, b"\x08\xff\xff\xff\x7f"),
            (0x1000_0000, b"\x08\x80\x80\x80\x80\x01"),
            (u32::MAX, b"\x08\xff\xff\xff\xff\x0f"),
        ] {
            let mut buffer = [0; 6];
            let mut writer = Writer::new(&mut buffer);
            writer.number(0x08, value);
            assert_eq!(writer.finish().unwrap(), expected);
            assert_eq!(1 + varint_len(u64::from(value)), expected.len());
        }
    }

    #[test]
    fn a_writer_that_ran_out_of_space_says_so() {
        for len in 0..9 {
            let mut buffer = [0; 9];
            let mut writer = Writer::new(&mut buffer[..len]);
            writer.raw(b"\x03");
            writer.number(0x08, 300);
            writer.bytes(0x12, b"abc");
            assert!(writer.finish().is_none());
        }
        let mut buffer = [0; 9];
        let mut writer = Writer::new(&mut buffer);
        writer.raw(b"\x03");
        writer.number(0x08, 300);
        writer.bytes(0x12, b"abc");
        assert_eq!(writer.finish().unwrap(), b"\x03\x08\xac\x02\x12\x03abc");
    }
}
