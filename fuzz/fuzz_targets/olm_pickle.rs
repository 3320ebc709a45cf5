//! Pickles of accounts and sessions with a right seal around any bytes: what is taken is written again as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_olm::{Account, Session};
use mx_pickle::{Generation, Kind, PickleKey, sealed_len};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

const ACCOUNT: Kind = Kind { type_tag: 1, layout: 1 };
const SESSION: Kind = Kind { type_tag: 2, layout: 1 };

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
    if let Ok(mut account) = Account::<8, 8>::from_pickle(&key, never, &sealed(ACCOUNT, never)) {
        let mut out = vec![0; account.pickle_len()];
        let again = account.pickle(&mut rng(), &key, &mut out).expect("the buffer is large enough");
        // An expanded key is clamped when it is read.
        let is_expanded = data.first() == Some(&1);
        assert!(is_expanded || again == sealed(ACCOUNT, first));
        assert!(Account::<8, 8>::from_pickle(&key, never, again).is_ok());
    }
    if let Ok(mut session) = Session::<8>::from_pickle(&key, never, &sealed(SESSION, never)) {
        let mut out = vec![0; session.pickle_len()];
        assert_eq!(session.pickle(&mut rng(), &key, &mut out), Ok(sealed(SESSION, first).as_slice()));
    }
});
