//! Identities: exchanged over a homeserver, and judged by both sides from the same answers.

mod cases;
mod differences;
mod exchange;
#[cfg(feature = "matrix-sdk-test")]
mod fixtures;
mod graphs;
mod histories;
mod homeserver;
mod objects;
mod ours;
mod pair;
mod past;
mod theirs;

#[cfg(feature = "matrix-sdk-test")]
pub use self::fixtures::fixtures;
pub use self::{
    differences::differences,
    exchange::{changes, own_devices, to_them, to_us, verified},
    graphs::graphs,
    histories::histories,
    homeserver::Homeserver,
    ours::Ours,
    theirs::Theirs,
};
