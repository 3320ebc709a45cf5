//! Whose identity is looked at, and what somebody knows of identities.

use mx_types::{Ed25519PublicKey, UserId};

/// Whose eyes to look through: `USER`, or `USER=KEY` with the master signing key that this user has verified.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) user_id: String,
    pub(crate) verified: Option<Ed25519PublicKey>,
}

/// A master signing key that somebody knows to be a user's: `USER=KEY`.
#[derive(Clone, Debug)]
pub(crate) struct Pin {
    pub(crate) user_id: String,
    pub(crate) key: Ed25519PublicKey,
}

impl Own {
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        match user_id(word) {
            Ok(user_id) => Ok(Self { user_id, verified: None }),
            Err(_) => Pin::parse(word).map(|Pin { user_id, key }| Self { user_id, verified: Some(key) }),
        }
    }
}

impl Pin {
    /// At the last `=` that a key follows: user IDs may have one, and so may padded Base64.
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        let (user_id_text, key) = word
            .trim_end_matches('=')
            .rsplit_once('=')
            .ok_or_else(|| "as in: @user:example.org=KEY, with a master signing key in Base64".to_owned())?;
        let key = Ed25519PublicKey::from_base64(key).map_err(|error| format!("{key}: {error}"))?;
        Ok(Self { user_id: user_id(user_id_text)?, key })
    }
}

/// One that could end in a key is none: `=` is in no server name.
pub(crate) fn user_id(word: &str) -> Result<String, String> {
    let id = UserId::parse(word).map_err(|error| format!("{word}: {error}"))?;
    let server_name = id.as_str().split_once(':').map(|(_, name)| name).unwrap_or_default();
    if server_name.contains('=') {
        return Err(format!("{word}: there is `=` in the server name"));
    }
    Ok(id.as_str().to_owned())
}

/// As clients show it: perhaps in groups of four.
pub(crate) fn fingerprint(word: &str) -> Result<Ed25519PublicKey, String> {
    let word: String = word.chars().filter(|c| !c.is_whitespace()).collect();
    Ed25519PublicKey::from_base64(&word).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_behind_the_last_equals_sign() {
        let key = "rJ2TAGkEOP6dX41Ksll6cl8K3J48l8s/59zaXyvl2p0";
        for (word, user_id) in [
            (format!("@a:b.org={key}"), "@a:b.org"),
            (format!("@a:b.org={key}="), "@a:b.org"),
            (format!("@a=b:c.org:8448={key}"), "@a=b:c.org:8448"),
        ] {
            let pin = Pin::parse(&word).unwrap();
            assert_eq!((pin.user_id.as_str(), pin.key.to_string().as_str()), (user_id, key));
            assert_eq!(Own::parse(&word).unwrap().verified, Some(pin.key));
        }
        assert_eq!(Own::parse("@a=b:c.org").unwrap().verified, None);
        for word in ["@a:b.org", "@a:b.org=", "a:b.org", &format!("a={key}"), "@a:b.org=AAAA", ""] {
            assert!(Pin::parse(word).is_err(), "{word}");
        }
        for word in ["a", "@a:b.org=AAAA", "@a:b.org="] {
            assert!(Own::parse(word).is_err(), "{word}");
        }
    }
}
