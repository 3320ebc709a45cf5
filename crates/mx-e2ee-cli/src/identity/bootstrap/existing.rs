//! What the account has already. Nothing of it is ever replaced.

use mx_cross_signing::Usage;
use mx_secret_storage::{DEFAULT_KEY_EVENT_TYPE, MEGOLM_BACKUP_V1, StoredSecret, parse_default_key};
use mx_signing::{KeysQueryResponse, QueryError};
use mx_types::UserId;
use serde::Deserialize;

use crate::{failure::Failure, identity::account_data::AccountData};

/// An account of which was checked, as far as there was anything to check, that it has nothing of what is to be made.
#[derive(Debug, Default)]
pub(super) struct Checked {
    keys_query: Option<String>,
    /// Account data of secrets without a secret, but perhaps with something else that is kept.
    secrets: Vec<StoredSecret>,
}

/// An error of the Matrix API.
#[derive(Deserialize)]
struct MatrixError {
    errcode: String,
}

impl Checked {
    /// Refuses an account that has cross-signing keys.
    pub(super) fn no_identity(&mut self, user_id: UserId<'_>, keys_query: String) -> Result<(), Failure> {
        let response = KeysQueryResponse::parse(&keys_query)
            .map_err(|error| Failure::refused(format!("the answer to /keys/query: {error}")))?;
        response.device_count(user_id).map_err(|error| {
            Failure::refused(format!("the answer to /keys/query says nothing of {user_id}: {error}"))
        })?;
        let keys = [
            ("a master signing key", response.master_key(user_id)),
            ("a self-signing key", response.self_signing_key(user_id)),
            ("a user-signing key", response.user_signing_key(user_id)),
        ];
        for (what, key) in keys {
            match key {
                Err(QueryError::NoAnswer) => {}
                Err(error) => return Err(Failure::refused(format!("the answer to /keys/query: {error}"))),
                Ok(_) => return Err(has_already(user_id, what)),
            }
        }
        self.keys_query = Some(keys_query);
        Ok(())
    }

    /// Refuses an account that has a default key or one of the secrets.
    pub(super) fn no_secret_storage(
        &mut self,
        user_id: UserId<'_>,
        account_data: &AccountData<'_>,
    ) -> Result<(), Failure> {
        let refused = |what: &str, why: &dyn core::fmt::Display| {
            Failure::refused(format!("{}: {what}: {why}", account_data.name()))
        };
        if let Some(content) = account_data.content(DEFAULT_KEY_EVENT_TYPE)? {
            let key_id = parse_default_key(&content);
            if key_id.map_err(|error| refused(DEFAULT_KEY_EVENT_TYPE, &error))?.is_some() {
                return Err(has_already(user_id, "secret storage with a default key"));
            }
        }
        for name in Usage::ALL.map(Usage::secret_name).into_iter().chain([MEGOLM_BACKUP_V1]) {
            let Some(content) = account_data.content(name)? else { continue };
            let secret = StoredSecret::parse(name, &content).map_err(|error| refused(name, &error))?;
            if secret.key_ids().next().is_some() {
                return Err(has_already(user_id, &format!("{name} in secret storage")));
            }
            self.secrets.push(secret);
        }
        Ok(())
    }

    /// Refuses an account that has a key backup, by the answer to `GET /room_keys/version`.
    pub(super) fn no_backup(user_id: UserId<'_>, answer: &str) -> Result<(), Failure> {
        match serde_json::from_str::<MatrixError>(answer) {
            Ok(error) if error.errcode == "M_NOT_FOUND" => Ok(()),
            Ok(error) => {
                Err(Failure::refused(format!("the answer to GET /room_keys/version is {}", error.errcode)))
            }
            Err(_) => Err(has_already(user_id, "a key backup")),
        }
    }

    /// The answer to `/keys/query`, if there was one.
    pub(super) fn response(&self) -> Option<KeysQueryResponse<'_>> {
        self.keys_query.as_deref().and_then(|text| KeysQueryResponse::parse(text).ok())
    }

    /// The account data of a secret to which the new one is added.
    pub(super) fn secret(&self, name: &str) -> StoredSecret {
        let found = self.secrets.iter().find(|secret| secret.name() == name);
        found.cloned().unwrap_or_else(|| StoredSecret::new(name))
    }
}

fn has_already(user_id: UserId<'_>, what: &str) -> Failure {
    Failure::refused(format!(
        "{user_id} has {what} already; nothing is ever replaced, and nothing was written"
    ))
}
