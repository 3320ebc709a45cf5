//! What a cross-signing key is for.

use core::fmt;

/// The role of a cross-signing key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Usage {
    /// The identity of a user; signs the other two.
    Master,
    /// Signs the user's own devices.
    SelfSigning,
    /// Signs the master signing keys of other users. Only its owner gets to see it.
    UserSigning,
}

impl Usage {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Master, Self::SelfSigning, Self::UserSigning];

    /// The text of the role in a key object.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::SelfSigning => "self_signing",
            Self::UserSigning => "user_signing",
        }
    }

    /// The name of the private key in secret storage and secret sharing.
    #[must_use]
    pub const fn secret_name(self) -> &'static str {
        match self {
            Self::Master => "m.cross_signing.master",
            Self::SelfSigning => "m.cross_signing.self_signing",
            Self::UserSigning => "m.cross_signing.user_signing",
        }
    }

    /// The role of the secret with this name.
    #[must_use]
    pub fn of_secret(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|usage| usage.secret_name() == name)
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "master signing key",
            Self::SelfSigning => "self-signing key",
            Self::UserSigning => "user-signing key",
        })
    }
}

/// A role as a type: [`Master`], [`SelfSigning`] or [`UserSigning`].
pub trait Role: sealed::Sealed + Copy + Eq + fmt::Debug {
    /// The role.
    const USAGE: Usage;
}

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Eq, PartialEq)]
            pub enum $name {}
            impl sealed::Sealed for $name {}
            impl Role for $name {
                const USAGE: Usage = Usage::$name;
            }
        )*
    };
}

roles! {
    /// The role of a master signing key.
    Master;
    /// The role of a self-signing key.
    SelfSigning;
    /// The role of a user-signing key.
    UserSigning;
}

mod sealed {
    #[expect(unnameable_types, reason = "nobody else can make a role")]
    pub trait Sealed {}
}
