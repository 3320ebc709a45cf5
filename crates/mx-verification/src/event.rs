use alloc::string::String;

use mx_sas::Emoji;

use crate::flow_key::FlowKey;
use crate::methods::Methods;
use crate::reason::Reason;
use crate::verified::Verified;

/// Something to be shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Of which verification.
    pub flow: FlowKey,
    /// What it is.
    pub what: What,
}

/// What an event is about.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// The other user asks for a verification. [`accept`](crate::Verifications::accept) it or
    /// [`cancel`](crate::Verifications::cancel) it.
    Requested {
        /// The device that asks.
        device_id: String,
        /// What both can do. If that is nothing, it can only be cancelled: tell the user.
        methods: Methods,
    },
    /// The other user compares short strings at once, without a request. [`accept`](crate::Verifications::accept) it or
    /// [`cancel`](crate::Verifications::cancel) it.
    StartedWithoutRequest {
        /// The device that asks.
        device_id: String,
    },
    /// Both are ready: [`start_sas`](crate::Verifications::start_sas), [`show_qr`](crate::Verifications::show_qr) or
    /// [`scan`](crate::Verifications::scan).
    Ready {
        /// The other device.
        device_id: String,
        /// What both can do.
        methods: Methods,
        /// Whether this device can vouch for our own user. If it cannot, have it verified first: otherwise another user
        /// verifies this device only.
        vouches_for_own_user: bool,
    },
    /// One side has started to compare short strings: a QR code need not be displayed any more.
    SasStarted,
    /// The users compare this, by [`confirm`](crate::Verifications::confirm) or
    /// [`mismatch`](crate::Verifications::mismatch).
    ShortString {
        /// Three numbers.
        decimal: Option<[u16; 3]>,
        /// Seven emoji, to be shown with their descriptions.
        emoji: Option<[Emoji; 7]>,
    },
    /// Our code was scanned. Ask whether the other device reports success: [`confirm`](crate::Verifications::confirm) or
    /// [`cancel`](crate::Verifications::cancel).
    CodeScanned,
    /// The code that was scanned is right. Nothing is verified before the other side confirms.
    CodeAccepted,
    /// Verified: act on the consequences.
    Verified(Verified),
    /// Both sides are done.
    Done,
    /// The verification stays, but the other side has not said that it is done: it may not have verified us.
    PeerDidNotConfirm,
    /// The end, and nothing was verified.
    Cancelled(Cancelled),
    /// The request is not offered any more. Nothing was sent.
    Dismissed,
    /// Another device of ours, or of the user who was asked, goes on with it. Not an error.
    Elsewhere,
}

/// Why a verification has ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cancelled {
    /// This device has cancelled it.
    ByUs(Reason),
    /// The other side has.
    ByThem {
        /// The code that it gives; none if it gives none that can be read.
        code: Option<String>,
        /// What it says, if the code is none that is known. Only then show it.
        reason: Option<String>,
    },
}
