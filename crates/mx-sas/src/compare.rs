use core::fmt;

use mx_curve25519::SharedSecret;

use crate::{
    Choice, Emoji, Flow, KeyDirectory, Macs, OwnKeys, ReceivedMac, SasError, VerifiedKeys, flow::Side,
    mac::MacKeys, short_string::ShortString,
};

/// Both keys are there and the commitment was right: the users compare.
pub struct Compare<T> {
    keys: MacKeys<T>,
    choice: Choice,
    short_string: ShortString,
}

impl<T: AsRef<str>> Compare<T> {
    pub(crate) const fn new(
        flow: Flow<T>,
        side: Side,
        choice: Choice,
        secret: SharedSecret,
        short_string: ShortString,
    ) -> Self {
        Self { keys: MacKeys { flow, side, method: choice.mac, secret }, choice, short_string }
    }

    /// Three numbers from 1000 to 9191, if both sides can display them. Separate them, or put each on a line of its own.
    #[must_use]
    pub fn decimal(&self) -> Option<[u16; 3]> {
        self.choice.short_strings.decimal.then(|| self.short_string.decimal())
    }

    /// Seven emoji, if both sides can display them.
    #[must_use]
    pub fn emoji(&self) -> Option<[Emoji; 7]> {
        self.choice.short_strings.emoji.then(|| self.short_string.emoji())
    }

    /// The user says that both sides display the same. If they say that it differs, drop this and cancel with
    /// `m.mismatched_sas`.
    pub fn confirm(self) -> Confirmed<T> {
        Confirmed { keys: self.keys }
    }

    /// Takes the other side's `mac` before our user has compared. What it verifies is given out when they have.
    ///
    /// # Errors
    ///
    /// [`SasError`].
    pub fn receive_mac(
        self,
        mac: &ReceivedMac<'_>,
        keys: &impl KeyDirectory,
    ) -> Result<PeerConfirmed<T>, SasError> {
        let verified = mac.verify(&self.keys, keys)?;
        Ok(PeerConfirmed { compare: self, verified })
    }
}

/// The other user has confirmed, ours has not yet.
pub struct PeerConfirmed<T> {
    compare: Compare<T>,
    verified: VerifiedKeys,
}

impl<T: AsRef<str>> PeerConfirmed<T> {
    /// As [`Compare::decimal`].
    #[must_use]
    pub fn decimal(&self) -> Option<[u16; 3]> {
        self.compare.decimal()
    }

    /// As [`Compare::emoji`].
    #[must_use]
    pub fn emoji(&self) -> Option<[Emoji; 7]> {
        self.compare.emoji()
    }

    /// The user says that both sides display the same: what our `mac` says, and what is verified. Send `mac` and `done`.
    /// If they say that it differs, drop this and cancel with `m.mismatched_sas`.
    pub fn confirm(self, own: &OwnKeys) -> (Macs, VerifiedKeys) {
        (self.compare.keys.macs(own), self.verified)
    }
}

/// Our user has confirmed, and the other side's `mac` has not come yet.
#[must_use]
pub struct Confirmed<T> {
    keys: MacKeys<T>,
}

impl<T: AsRef<str>> Confirmed<T> {
    /// What our `m.key.verification.mac` says of our keys.
    #[must_use]
    pub fn macs(&self, own: &OwnKeys) -> Macs {
        self.keys.macs(own)
    }

    /// Takes the other side's `mac`. Send `done`.
    ///
    /// # Errors
    ///
    /// [`SasError`].
    pub fn receive_mac(
        self,
        mac: &ReceivedMac<'_>,
        keys: &impl KeyDirectory,
    ) -> Result<VerifiedKeys, SasError> {
        mac.verify(&self.keys, keys)
    }
}

/// Nothing of a state but its flow: the string is for the users' eyes only.
macro_rules! debug {
    ($($name:ident: $($keys:ident).+;)*) => {$(
        impl<T: fmt::Debug> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("flow", &self.$($keys).+.flow).finish_non_exhaustive()
            }
        }
    )*};
}

debug! {
    Compare: keys;
    PeerConfirmed: compare.keys;
    Confirmed: keys;
}
