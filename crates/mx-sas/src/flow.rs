use core::fmt;

use mx_types::{DeviceId, UserId};

/// The longest ID of a flow, in bytes.
pub const MAX_FLOW_ID_LEN: usize = 255;

/// A device of a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Party<'f> {
    /// The user.
    pub user_id: UserId<'f>,
    /// The device.
    pub device_id: DeviceId<'f>,
}

/// Who verifies whom, and under which ID. All of it goes into what both sides derive.
///
/// `T` holds the names: `&str` borrows them; `String`, or what else is made from a `&str`, keeps them with the state of a
/// flow that is stored ([`keep`](Self::keep)).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flow<T> {
    pub(crate) id: T,
    pub(crate) starter: Names<T>,
    pub(crate) accepter: Names<T>,
}

/// The names of a [`Party`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Names<T> {
    pub(crate) user_id: T,
    pub(crate) device_id: T,
}

impl<'f> Flow<&'f str> {
    /// `id` is the transaction ID, or the ID of the request's event in a room; `starter` has sent the
    /// `m.key.verification.start` that counts.
    ///
    /// # Errors
    ///
    /// [`InvalidFlow`].
    pub fn new(id: &'f str, starter: Party<'f>, accepter: Party<'f>) -> Result<Self, InvalidFlow> {
        if !(1..=MAX_FLOW_ID_LEN).contains(&id.len()) {
            return Err(InvalidFlow::IdLength { len: id.len() });
        }
        if starter == accepter {
            return Err(InvalidFlow::OneDevice);
        }
        let names =
            |party: Party<'f>| Names { user_id: party.user_id.as_str(), device_id: party.device_id.as_str() };
        Ok(Self { id, starter: names(starter), accepter: names(accepter) })
    }

    /// The same flow with names of its own.
    #[must_use]
    pub fn keep<T: From<&'f str>>(self) -> Flow<T> {
        let keep = |names: Names<&'f str>| Names {
            user_id: names.user_id.into(),
            device_id: names.device_id.into(),
        };
        Flow { id: self.id.into(), starter: keep(self.starter), accepter: keep(self.accepter) }
    }
}

impl<T> Flow<T> {
    pub(crate) const fn party(&self, side: Side) -> &Names<T> {
        match side {
            Side::Starter => &self.starter,
            Side::Accepter => &self.accepter,
        }
    }
}

/// Which of the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(not(feature = "hazmat"), expect(unreachable_pub, reason = "public in `hazmat`"))]
pub enum Side {
    /// Has sent the `start`.
    Starter,
    /// Has accepted it.
    Accepter,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Starter => Self::Accepter,
            Self::Accepter => Self::Starter,
        }
    }
}

/// Why there can be no such flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum InvalidFlow {
    /// Its ID is empty or longer than [`MAX_FLOW_ID_LEN`].
    IdLength {
        /// Its length in bytes.
        len: usize,
    },
    /// A device cannot verify itself.
    OneDevice,
}

impl fmt::Display for InvalidFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdLength { len } => write!(f, "ID of the verification has {len} bytes, not 1 to 255"),
            Self::OneDevice => f.write_str("both sides are the same device"),
        }
    }
}

impl core::error::Error for InvalidFlow {}
