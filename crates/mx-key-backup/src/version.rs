use alloc::{borrow::ToOwned as _, format, string::String};
use core::{fmt, str};

use mx_canonical_json::CanonicalObject;
use mx_json::{
    MalformedObject,
    required::{count, object, string},
};

use crate::{ALGORITHM, AuthData, AuthDataError};

/// A backup as the server describes it: the answer to `GET /room_keys/version`, with or without a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerBackup {
    algorithm: String,
    /// As it came: that of an unknown algorithm is nobody's to change.
    auth_data: String,
    version: String,
    etag: String,
    count: u64,
}

impl ServerBackup {
    /// Reads the answer. What `auth_data` must have, the algorithm says: see [`auth_data`](Self::auth_data).
    ///
    /// # Errors
    ///
    /// [`VersionError`].
    pub fn parse(answer: &str) -> Result<Self, VersionError> {
        let names = &["algorithm", "auth_data", "version", "etag", "count"];
        let [algorithm, auth_data, version, etag, keys] = mx_json::members(answer.as_bytes(), names)?;
        let auth_data = str::from_utf8(object(auth_data, "auth_data")?).unwrap_or_default();
        let version = string(version, "version")?.into_owned();
        if version.is_empty() {
            return Err(VersionError::EmptyVersion);
        }
        Ok(Self {
            algorithm: string(algorithm, "algorithm")?.into_owned(),
            auth_data: auth_data.to_owned(),
            version,
            etag: string(etag, "etag")?.into_owned(),
            count: count(keys, "count")?,
        })
    }

    /// The algorithm's name.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The version: any text.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A text that is another one after each change of the keys.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// How many keys there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The `auth_data`.
    ///
    /// # Errors
    ///
    /// [`AuthDataError`]; [`AuthDataError::UnknownAlgorithm`] for a backup that is to be left as it is.
    pub fn auth_data(&self) -> Result<AuthData, AuthDataError> {
        self.auth_data_of(ALGORITHM)
    }

    pub(crate) fn auth_data_of(&self, algorithm: &str) -> Result<AuthData, AuthDataError> {
        if self.algorithm != algorithm {
            return Err(AuthDataError::UnknownAlgorithm);
        }
        AuthData::parse(&self.auth_data)
    }

    /// The body of `PUT /room_keys/version/{version}`: with `auth_data` that was signed once more. The server changes
    /// nothing else.
    ///
    /// # Errors
    ///
    /// [`VersionError::OtherPublicKey`] for `auth_data` of another key: that would be another backup; and
    /// [`VersionError::AuthData`] for a backup that cannot be used.
    pub fn update(&self, auth_data: &AuthData) -> Result<String, VersionError> {
        let present = self.auth_data().map_err(VersionError::AuthData)?;
        if present.public_key() != auth_data.public_key() {
            return Err(VersionError::OtherPublicKey);
        }
        let version = quoted(&self.version);
        Ok(CanonicalObject::default().with_members(&[
            ("algorithm", &quoted(&self.algorithm)),
            ("auth_data", auth_data.as_str()),
            ("version", &version),
        ]))
    }
}

/// A backup that is to be made: the body of `POST /room_keys/version`.
#[derive(Clone, Debug)]
pub struct NewBackup {
    pub(crate) auth_data: AuthData,
}

impl NewBackup {
    /// With this `auth_data`: signed by the master signing key if it is at hand, and by this device.
    #[must_use]
    pub const fn new(auth_data: AuthData) -> Self {
        Self { auth_data }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> String {
        format!(r#"{{"algorithm":"{ALGORITHM}","auth_data":{}}}"#, self.auth_data.as_str())
    }

    /// The version that the server gave the backup, by its answer. Then ask for that version and
    /// [`trust`](ServerBackup::trust) it: another device may have been faster.
    ///
    /// # Errors
    ///
    /// [`VersionError`].
    pub fn version(answer: &str) -> Result<String, VersionError> {
        let [version] = mx_json::members(answer.as_bytes(), &["version"])?;
        let version = string(version, "version")?.into_owned();
        if version.is_empty() { Err(VersionError::EmptyVersion) } else { Ok(version) }
    }
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    // An object of one member has all that is needed: its name, with escapes.
    let object = CanonicalObject::default().with_members(&[(text, "")]);
    object.strip_prefix('{').and_then(|text| text.strip_suffix(":}")).unwrap_or_default().to_owned()
}

/// Why an answer does not describe a backup, or `auth_data` cannot be put in its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum VersionError {
    /// Not an object with the members that it must have.
    Object(MalformedObject),
    /// The version is an empty text.
    EmptyVersion,
    /// The backup has other `auth_data` than this crate can change.
    AuthData(AuthDataError),
    /// The public key is not that of the backup.
    OtherPublicKey,
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(error) => error.fmt(f),
            Self::EmptyVersion => f.write_str("version is empty"),
            Self::AuthData(error) => error.fmt(f),
            Self::OtherPublicKey => f.write_str("public key is not that of the backup"),
        }
    }
}

impl core::error::Error for VersionError {}

impl From<MalformedObject> for VersionError {
    fn from(error: MalformedObject) -> Self {
        Self::Object(error)
    }
}
