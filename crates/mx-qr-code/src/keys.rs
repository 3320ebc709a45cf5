use mx_types::Ed25519PublicKey;

/// Bytes of a public key as they stand in a code: compared with a key that is known, and not taken for one before.
macro_rules! key_bytes {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// Whether they are those of this key.
            #[must_use]
            pub fn is(&self, key: &Ed25519PublicKey) -> bool {
                self.0 == *key.as_bytes()
            }
        }

        impl From<Ed25519PublicKey> for $name {
            fn from(key: Ed25519PublicKey) -> Self {
                Self(*key.as_bytes())
            }
        }
    };
}

key_bytes!(
    /// 32 bytes that a code gives out for a user's master signing key.
    MasterSigningKeyBytes
);

key_bytes!(
    /// 32 bytes that a code gives out for the Ed25519 key of a device.
    DeviceKeyBytes
);

/// The two keys of a code, by its mode.
///
/// The first key is the displaying side's own, and what the scanning device verifies. The second is what the displaying
/// device holds for the scanning side's: the scanning device knows whether that is right.
/// Client-server API, "QR code format".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keys {
    /// Mode 0: two users verify each other.
    OtherUser {
        /// The master signing key of the user who displays the code.
        displaying_user: MasterSigningKeyBytes,
        /// What is displayed as the master signing key of the user who scans it.
        scanning_user: MasterSigningKeyBytes,
    },
    /// Mode 1: two devices of one user, and the displaying one trusts the master signing key.
    OwnUserTrusted {
        /// The user's master signing key.
        master: MasterSigningKeyBytes,
        /// What is displayed as the key of the scanning device.
        scanning_device: DeviceKeyBytes,
    },
    /// Mode 2: two devices of one user, and the displaying one does not trust the master signing key yet.
    OwnUserUntrusted {
        /// The key of the displaying device.
        displaying_device: DeviceKeyBytes,
        /// What is displayed as the user's master signing key.
        master: MasterSigningKeyBytes,
    },
}

impl Keys {
    pub(crate) const fn from_parts(mode: u8, first: [u8; 32], second: [u8; 32]) -> Option<Self> {
        Some(match mode {
            0 => Self::OtherUser {
                displaying_user: MasterSigningKeyBytes(first),
                scanning_user: MasterSigningKeyBytes(second),
            },
            1 => Self::OwnUserTrusted {
                master: MasterSigningKeyBytes(first),
                scanning_device: DeviceKeyBytes(second),
            },
            2 => Self::OwnUserUntrusted {
                displaying_device: DeviceKeyBytes(first),
                master: MasterSigningKeyBytes(second),
            },
            _ => return None,
        })
    }

    pub(crate) const fn parts(&self) -> (u8, &[u8; 32], &[u8; 32]) {
        match self {
            Self::OtherUser { displaying_user, scanning_user } => (0, &displaying_user.0, &scanning_user.0),
            Self::OwnUserTrusted { master, scanning_device } => (1, &master.0, &scanning_device.0),
            Self::OwnUserUntrusted { displaying_device, master } => (2, &displaying_device.0, &master.0),
        }
    }
}

/// What one side has verified of the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum VerifiedKey {
    /// The master signing key of the other user, or of both devices' user.
    MasterSigningKey(Ed25519PublicKey),
    /// The key of the user's other device.
    DeviceKey(Ed25519PublicKey),
}
