//! Known answers that stand in the tests of the crates. Those of their tests that want nothing but `core` lie in
//! `tests/known`, and are compiled here, too; one that fails ends the image.

use crate::runner::Runner;

/// What tests are in a file, where nobody collects them.
macro_rules! known_answers {
    ($($(#[doc = $_doc:expr])* #[test] fn $name:ident() $body:block)*) => {
        $(fn $name() $body)*

        pub(crate) const ALL: &[(&str, fn())] = &[$((stringify!($name), $name)),*];
    };
}

#[path = "../../../../crates/mx-aes-sha2/tests/known/mod.rs"]
mod aes_sha2;
#[path = "../../../../crates/mx-curve25519/tests/known/mod.rs"]
mod curve25519;
#[path = "../../../../crates/mx-olm/tests/known/mod.rs"]
mod olm;
#[path = "../../../../crates/mx-types/tests/known/mod.rs"]
mod types;
#[path = "../../../../crates/mx-wire/tests/known/mod.rs"]
mod wire;

pub fn run(runner: &mut Runner) {
    for (group, tests) in [
        ("known answers of mx-types", types::ALL),
        ("known answers of mx-wire", wire::ALL),
        ("known answers of mx-curve25519", curve25519::ALL),
        ("known answers of mx-aes-sha2", aes_sha2::ALL),
        ("known answers of mx-olm", olm::ALL),
    ] {
        for (name, test) in tests {
            runner.run(group, name, || {
                test();
                Some(())
            });
        }
    }
}
