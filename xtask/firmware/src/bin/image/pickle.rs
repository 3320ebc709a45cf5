//! State in and out of flash: the codec and the seal, whatever the state.

use core::hint::black_box;

use mx_pickle::{Generation, Kind, PickleKey, sealed_len};

use firmware::entropy::Entropy;

const KIND: Kind = Kind { type_tag: 200, layout: 1 };

pub fn run(rng: &mut Entropy) -> Option<()> {
    let key = PickleKey::new(&black_box([7; 32]));
    let mut buffer = [0; sealed_len(4)];
    let mut writer = key.seal(rng, KIND, Generation::NEVER_PICKLED, 4, &mut buffer).ok()?;
    writer.u32(black_box(5));
    let pickle = writer.finish().ok()?;

    let mut reader = key.open(KIND, Generation::NEVER_PICKLED, black_box(pickle)).ok()?;
    black_box(reader.u32().ok()?);
    reader.finish().ok()
}
