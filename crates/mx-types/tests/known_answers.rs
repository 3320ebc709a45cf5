//! Known answers, and refusals.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

/// The tests of `known` as they are; xtask/firmware/vectors makes something else of them.
macro_rules! known_answers {
    ($($test:item)*) => { $($test)* };
}

mod known;
