use core::{fmt, str};

use mx_types::BufferTooSmall;

use crate::{Keys, ReciprocateSecret, secret::InvalidSecret};

/// The longest ID of a flow that is displayed, in bytes. Codes with longer ones are read.
pub const MAX_FLOW_ID_LEN: usize = 255;

const MAGIC: &[u8; 6] = b"MATRIX";
const VERSION: u8 = 2;
/// Before the ID of the flow.
const HEADER_LEN: usize = MAGIC.len() + 1 + 1 + 2;
const KEYS_LEN: usize = 32 + 32;

/// `"MATRIX" ‖ version ‖ mode ‖ length of the flow's ID (2, big-endian) ‖ ID ‖ key 1 ‖ key 2 ‖ secret`.
pub(crate) struct Layout<'c> {
    pub(crate) flow_id: &'c str,
    pub(crate) keys: Keys,
    pub(crate) secret: &'c [u8],
}

impl<'c> Layout<'c> {
    pub(crate) fn parse(bytes: &'c [u8]) -> Result<Self, CodeError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(CodeError::NotMatrix)?;
        let (&version, rest) = rest.split_first().ok_or(CodeError::Truncated)?;
        if version != VERSION {
            return Err(CodeError::Version { found: version });
        }
        let (&mode, rest) = rest.split_first().ok_or(CodeError::Truncated)?;
        if mode > 2 {
            return Err(CodeError::Mode { found: mode });
        }
        let (len, rest) = rest.split_first_chunk().ok_or(CodeError::Truncated)?;
        let (flow_id, rest) =
            rest.split_at_checked(u16::from_be_bytes(*len).into()).ok_or(CodeError::Truncated)?;
        let (first, rest) = rest.split_first_chunk().ok_or(CodeError::Truncated)?;
        let (second, secret) = rest.split_first_chunk().ok_or(CodeError::Truncated)?;
        if flow_id.is_empty() {
            return Err(CodeError::NoFlowId);
        }
        let flow_id = str::from_utf8(flow_id).map_err(|_| CodeError::FlowIdNotText)?;
        let keys = Keys::from_parts(mode, *first, *second).ok_or(CodeError::Mode { found: mode })?;
        Ok(Self { flow_id, keys, secret })
    }

    pub(crate) const fn len(&self) -> usize {
        HEADER_LEN + self.flow_id.len() + KEYS_LEN + self.secret.len()
    }

    pub(crate) fn emit<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let needed = self.len();
        let out = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
        let (mode, first, second) = self.keys.parts();
        let flow_id_len = u16::try_from(self.flow_id.len()).unwrap_or(u16::MAX).to_be_bytes();
        let parts: [&[u8]; 7] =
            [MAGIC, &[VERSION, mode], &flow_id_len, self.flow_id.as_bytes(), first, second, self.secret];
        for (to, from) in out.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        Ok(out)
    }
}

/// Why bytes are no code. The scan has failed; nothing is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CodeError {
    /// They do not begin with `MATRIX`: a code of something else.
    NotMatrix,
    /// Of another version than 2.
    Version {
        /// The version.
        found: u8,
    },
    /// Of a mode that there is not.
    Mode {
        /// The mode.
        found: u8,
    },
    /// The code ends too early.
    Truncated,
    /// The ID of the flow is empty.
    NoFlowId,
    /// The ID of the flow is not UTF-8.
    FlowIdNotText,
    /// The secret has fewer than 8 bytes or more than 64.
    Secret(InvalidSecret),
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMatrix => f.write_str("not a code of Matrix"),
            Self::Version { found } => write!(f, "code of version {found}, where 2 is known"),
            Self::Mode { found } => write!(f, "code of mode {found}, where 0, 1 and 2 are known"),
            Self::Truncated => f.write_str("code ends too early"),
            Self::NoFlowId => f.write_str("code names no verification"),
            Self::FlowIdNotText => f.write_str("ID of the verification in the code is not text"),
            Self::Secret(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CodeError {}

/// The longest that is displayed.
pub(crate) const MAX_DISPLAYED_LEN: usize =
    HEADER_LEN + MAX_FLOW_ID_LEN + KEYS_LEN + ReciprocateSecret::MAX_LEN;
