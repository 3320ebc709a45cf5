use mx_sas::ShortStrings;

use crate::content::MessageLimits;

/// What the client can do, and the bounds that it keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Config {
    /// The short strings that the user can compare.
    pub short_strings: ShortStrings,
    /// Whether the client can display QR codes.
    pub show_qr: bool,
    /// Whether the client can scan QR codes.
    pub scan_qr: bool,
    /// The bounds.
    pub limits: Limits,
}

impl Config {
    /// All short strings, and codes both ways.
    pub const DEFAULT: Self =
        Self { short_strings: ShortStrings::ALL, show_qr: true, scan_qr: true, limits: Limits::DEFAULT };
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Bounds. Times are in milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// What a message may have.
    pub messages: MessageLimits,
    /// Flows at a time. A request beyond is ignored; one of our own is an error.
    pub flows: usize,
    /// Devices that a request of ours goes to.
    pub devices: usize,
    /// From the request until a verification is cancelled.
    pub lifetime_ms: u64,
    /// From the last message, sent or received, until a verification is cancelled.
    pub idle_ms: u64,
    /// From the receipt of a request until it is not offered any more.
    pub prompt_ms: u64,
    /// How old a request may be.
    pub request_age_ms: u64,
    /// How far ahead of our clock a request's may be.
    pub request_ahead_ms: u64,
    /// How long a message waits for the keys of a device that is not known yet.
    pub hold_ms: u64,
    /// Messages that wait behind such a one.
    pub held: usize,
    /// How long the ID of a flow that is over is remembered.
    pub remember_ms: u64,
    /// IDs of flows that are over. Beyond, the oldest is forgotten.
    pub remembered: usize,
    /// IDs that nobody knows and that were cancelled or answered. Beyond, no more of them are remembered, or answered.
    pub remembered_unknown: usize,
}

impl Limits {
    /// 16 flows, 256 devices, 10 minutes, 2 minutes for a prompt, requests from 10 minutes old to 5 minutes ahead, 30
    /// seconds and 8 messages until keys are there, 256 and 16 IDs for 10 minutes.
    pub const DEFAULT: Self = Self {
        messages: MessageLimits::DEFAULT,
        flows: 16,
        devices: 256,
        lifetime_ms: 10 * MINUTE,
        idle_ms: 10 * MINUTE,
        prompt_ms: 2 * MINUTE,
        request_age_ms: 10 * MINUTE,
        request_ahead_ms: 5 * MINUTE,
        hold_ms: MINUTE / 2,
        held: 8,
        remember_ms: 10 * MINUTE,
        remembered: 256,
        remembered_unknown: 16,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

const MINUTE: u64 = 60_000;
