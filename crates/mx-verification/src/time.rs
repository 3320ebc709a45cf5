/// What the clocks say. Nothing here reads one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Time {
    /// Milliseconds on a clock that never goes back, from any beginning. All waits are measured by it.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970. Only what a request says of its own age is compared with it.
    pub unix_ms: u64,
}
