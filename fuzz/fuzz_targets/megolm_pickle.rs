//! Pickles of group sessions with a right seal around any bytes: what is taken is written again as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_megolm::{Generation, InboundGroupSession, OutboundGroupSession, PickleKey};
use mx_pickle::{Kind, sealed_len};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const OUTBOUND: Kind = Kind { type_tag: 3, layout: 1 };
const INBOUND: Kind = Kind { type_tag: 4, layout: 1 };

fuzz_target!(|data: &[u8]| {
    let key = PickleKey::new(&[7; 32]);
    let rng = || ChaCha20Rng::from_seed([1; 32]);
    let sealed = |kind, previous| {
        let mut out = vec![0; sealed_len(data.len())];
        let mut writer =
            key.seal(&mut rng(), kind, previous, data.len(), &mut out).expect("the buffer is large enough");
        writer.bytes(data);
        writer.finish().expect("as many bytes as were announced");
        out
    };
    let first = Generation::from(1);
    let never = Generation::NEVER_PICKLED;
    if let Ok(mut session) = OutboundGroupSession::from_pickle(&key, never, &sealed(OUTBOUND, never)) {
        let again = session.pickle_to_vec(&mut rng(), &key).expect("there is room");
        // An expanded key is clamped when it is read.
        let is_expanded = data.get(4 + 128) == Some(&1);
        assert!(is_expanded || again == sealed(OUTBOUND, first));
        assert!(OutboundGroupSession::from_pickle(&key, never, &again).is_ok());
    }
    if let Ok(mut session) = InboundGroupSession::from_pickle(&key, never, &sealed(INBOUND, never)) {
        assert_eq!(session.pickle_to_vec(&mut rng(), &key), Ok(sealed(INBOUND, first)));
    }
});
