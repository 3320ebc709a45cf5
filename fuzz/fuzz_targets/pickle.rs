//! The codec of stored state, under a known key: as it comes, and with a right seal, so that the reader is reached.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_pickle::{Generation, Kind, PickleKey, Reader, UnpickleError, sealed_len};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const KIND: Kind = Kind { type_tag: 200, layout: 1 };

fuzz_target!(|data: &[u8]| {
    let key = PickleKey::new(&[7; 32]);
    assert!(key.open(KIND, Generation::NEVER_PICKLED, data).is_err(), "an unsealed pickle was opened");

    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut out = vec![0; sealed_len(data.len())];
    let mut writer = key
        .seal(&mut rng, KIND, Generation::NEVER_PICKLED, data.len(), &mut out)
        .expect("the buffer is large enough");
    writer.bytes(data);
    let pickle = writer.finish().expect("as many bytes as were announced");
    let mut reader = key.open(KIND, Generation::NEVER_PICKLED, pickle).expect("the seal is right");
    // The bytes are both the state and the order of the calls that read it.
    let mut calls = data.iter().cycle();
    while reader.remaining() > 0 && calls.next().is_some_and(|call| read(&mut reader, *call).is_ok()) {}
    assert_eq!(reader.finish().is_ok(), reader.remaining() == 0);
});

fn read(reader: &mut Reader<'_, '_>, call: u8) -> Result<(), UnpickleError> {
    let before = reader.remaining();
    match call % 7 {
        0 => reader.u8().map(drop),
        1 => reader.bool("flag").map(drop),
        2 => reader.u32().map(drop),
        3 => reader.u64().map(drop),
        4 => reader.count(usize::from(call)).map(|count| assert!(count <= usize::from(call))),
        5 => reader.array::<32>().map(drop),
        _ => reader.bytes(&mut [0; 9]),
    }?;
    assert!(reader.remaining() < before, "nothing was read");
    Ok(())
}
