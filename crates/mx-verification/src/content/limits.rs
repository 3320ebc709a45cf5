/// What a message may have (requirement VER-75). A request beyond that is ignored, any other message ends its flow with
/// `m.invalid_message`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MessageLimits {
    /// Names in `methods`.
    pub methods: usize,
    /// Names in each list of a `start` or an `accept`.
    pub options: usize,
    /// MACs in a `mac`. At most [`mx_sas::MAX_MACS`] are ever taken.
    pub macs: usize,
    /// Bytes of a text. IDs of flows and devices never have more than 255.
    pub text_len: usize,
    /// Bytes of a `reason`. A longer one is cut off there, never refused.
    pub reason_len: usize,
    /// Bytes of the content of a `start`, as JSON, as it came.
    pub start_len: usize,
}

impl MessageLimits {
    /// 16 methods, 16 options, 32 MACs, texts of 255 bytes, reasons of 1024, a `start` of 16 KiB.
    pub const DEFAULT: Self =
        Self { methods: 16, options: 16, macs: 32, text_len: 255, reason_len: 1024, start_len: 16 << 10 };
}

impl Default for MessageLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
