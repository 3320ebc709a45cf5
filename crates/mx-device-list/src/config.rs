//! What can be set.

/// Bounds and times. The defaults are right for a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Config {
    /// Users in one query: 250.
    pub users_per_query: usize,
    /// Devices of one user that are taken: 1,024. A user with more keeps the list that is stored.
    pub max_devices: usize,
    /// Users in one response: 1,024. A response with more counts as failed.
    pub max_users: usize,
    /// Milliseconds that our homeserver is asked to wait for other servers: 10,000.
    pub server_timeout: u64,
    /// Milliseconds after which a query without an answer counts as failed: 60,000.
    pub query_timeout: u64,
    /// Milliseconds of the first wait after a failure: 15,000. Each failure doubles it.
    pub first_back_off: u64,
    /// Milliseconds of the longest wait: 900,000.
    pub longest_back_off: u64,
    /// Milliseconds in which one user's list is marked outdated at most once because of something that nobody has
    /// authenticated: 60,000.
    pub hint_interval: u64,
    /// Milliseconds for which encrypting waits for the first list of a user: 5,000.
    pub first_list_wait: u64,
}

impl Config {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        users_per_query: 250,
        max_devices: 1024,
        max_users: 1024,
        server_timeout: 10_000,
        query_timeout: 60_000,
        first_back_off: 15_000,
        longest_back_off: 900_000,
        hint_interval: 60_000,
        first_list_wait: 5_000,
    };
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}
