//! What a device and its host say to each other. Both sides are made from this file.
//!
//! A frame is its length in two bytes, little-endian, and as many bytes. The host's frames to a device are requests or
//! answers to what the device asked for; which of them it is, the device knows. A request is an operation, its number in
//! four bytes, and fields: each a length in two bytes and as many bytes.

/// The first byte of a device's frame.
pub mod from_device {
    /// The device has started and read its flash.
    pub const READY: u8 = 0;
    /// The request was done; what comes of it follows.
    pub const DONE: u8 = 1;
    /// The request was refused; the reason follows. Nothing has changed.
    pub const REFUSED: u8 = 2;
    /// Asks for as many random bytes as the next two bytes say.
    pub const RANDOM: u8 = 3;
    /// Asks for flash: offset in four bytes, length in two.
    pub const FLASH_READ: u8 = 4;
    /// Erases the page of this number, one byte. The answer is an empty frame.
    pub const FLASH_ERASE: u8 = 5;
    /// Writes to flash: offset in four bytes, then the bytes. The answer is an empty frame.
    pub const FLASH_WRITE: u8 = 6;
}

/// The first byte of a request to the device. Those marked with * change its state, which is saved before the answer is
/// given: a request of the same number is answered from what was saved, and not done again.
pub mod request {
    /// -> device keys as canonical JSON, signature.
    pub const DEVICE_KEYS: u8 = 1;
    /// * -> how many one-time keys were generated, besides a fallback key.
    pub const GENERATE: u8 = 2;
    /// Position, or 255 for the fallback key -> key ID, key as canonical JSON, signature.
    pub const ONE_TIME_KEY: u8 = 3;
    /// * All keys are on the server.
    pub const PUBLISHED: u8 = 4;
    /// * Identity key, one-time key, plaintext -> message of a new session.
    pub const BEGIN: u8 = 5;
    /// * Which session (0: the device began it, 1: the other side did), plaintext -> message.
    pub const SEND: u8 = 6;
    /// * Sender's identity key, type, body -> plaintext.
    pub const RECEIVE: u8 = 7;
    /// * -> message of the session that the device began, with the session key of a new room session.
    pub const ROOM_BEGIN: u8 = 8;
    /// * Plaintext -> body.
    pub const ROOM_SEND: u8 = 9;
    /// * As [`RECEIVE`]: the message has a session key -> session ID.
    pub const ROOM_KEY: u8 = 10;
    /// * Body -> message index, plaintext.
    pub const ROOM_RECEIVE: u8 = 11;
    /// -> bytes of stack that were used since the start, and that there are: four bytes each.
    pub const STACK: u8 = 12;
}

/// Bytes of a page of flash; there are two.
pub const PAGE_LEN: usize = 4_096;

/// The longest request.
pub const MAX_REQUEST_LEN: usize = 696;

/// The longest answer.
pub const MAX_ANSWER_LEN: usize = 648;
