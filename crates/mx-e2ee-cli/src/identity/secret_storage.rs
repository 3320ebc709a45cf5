//! Secret storage, opened with what its owner types.

use mx_secret_storage::{
    DEFAULT_KEY_EVENT_TYPE, KeyCheck, KeyDescription, MAX_ITERATIONS, SecretStorageKey, StoredSecret,
    UnvalidatedSecret, key_event_type, parse_default_key,
};

use super::account_data::AccountData;
use crate::{
    failure::Failure,
    passphrase::{Descriptor, Passphrase},
    progress::Progress,
};

/// A key of secret storage that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) key_id: String,
    /// Whether the description says that it is the key, or nothing.
    pub(crate) check: KeyCheck,
    key: SecretStorageKey,
}

/// What account data has of a secret; an error if there is none.
pub(crate) fn stored(account_data: &AccountData<'_>, name: &str) -> Result<Option<StoredSecret>, Failure> {
    let Some(content) = account_data.content(name)? else { return Ok(None) };
    let secret = StoredSecret::parse(name, &content)
        .map_err(|error| Failure::refused(format!("{}: {name}: {error}", account_data.name())))?;
    Ok(Some(secret).filter(|secret| secret.key_ids().next().is_some()))
}

impl Opened {
    /// Opens the key with which a secret is encrypted: the one that was chosen, else the default key, else the only one.
    pub(crate) fn of_secret(
        account_data: &AccountData<'_>,
        secret: &StoredSecret,
        chosen: Option<&str>,
        descriptor: Option<Descriptor>,
    ) -> Result<Self, Failure> {
        let place = account_data.name();
        let refused =
            |what: &str, why: &dyn core::fmt::Display| Failure::refused(format!("{place}: {what}: {why}"));
        let default_key = match account_data.content(DEFAULT_KEY_EVENT_TYPE)? {
            None => None,
            Some(content) => {
                parse_default_key(&content).map_err(|error| refused(DEFAULT_KEY_EVENT_TYPE, &error))?
            }
        };
        let key_id =
            choose(secret, chosen, default_key.as_deref()).map_err(|why| refused(secret.name(), &why))?;

        let event_type = key_event_type(&key_id);
        let description = account_data
            .content(&event_type)?
            .ok_or_else(|| refused(&event_type, &"there is none, so the key cannot be checked"))?;
        let description =
            KeyDescription::parse(&description).map_err(|error| refused(&event_type, &error))?;
        let name = description.name().map(|name| format!(" ({name:?})")).unwrap_or_default();
        let prompt = format!("Recovery key or passphrase of secret storage, key {key_id}{name}");
        let prompt = crate::record::printable(&prompt);
        let typed = Passphrase::secret(descriptor, &prompt, "--recovery-key-fd")?;
        let mut unlocking = description
            .unlock(typed.as_str(), MAX_ITERATIONS)
            .map_err(|error| Failure::refused(format!("secret storage, key {key_id}: {error}")))?;
        drop(typed);
        let total = unlocking.remaining();
        let progress = Progress::of_steps("deriving the key", u64::from(total));
        while unlocking.step(ROUNDS_AT_ONCE) > 0 {
            crate::interrupt::check().map_err(|error| Failure::input_output("cannot go on", &error))?;
            progress.reach(u64::from(total - unlocking.remaining()));
        }
        drop(progress);
        let unlocked = unlocking
            .finish()
            .map_err(|error| Failure::refused(format!("secret storage, key {key_id}: {error}")))?;
        Ok(Self { key_id, check: unlocked.check, key: unlocked.key })
    }

    /// Decrypts a secret. Whether it is what its name says is for the caller to check.
    pub(crate) fn decrypt(&self, secret: &StoredSecret) -> Result<UnvalidatedSecret, Failure> {
        secret.decrypt(&self.key_id, &self.key).map_err(|error| {
            Failure::refused(format!("secret storage: {}, with key {}: {error}", secret.name(), self.key_id))
        })
    }
}

/// Which key to open.
fn choose(secret: &StoredSecret, chosen: Option<&str>, default_key: Option<&str>) -> Result<String, String> {
    let has = |key_id: &str| secret.key_ids().any(|found| found == key_id);
    let all = || secret.key_ids().collect::<Vec<_>>().join(", ");
    match (chosen, default_key) {
        (Some(chosen), _) if has(chosen) => Ok(chosen.to_owned()),
        (Some(chosen), _) => Err(format!("it is not encrypted with key {chosen}, but with: {}", all())),
        (None, Some(default_key)) if has(default_key) => Ok(default_key.to_owned()),
        (None, _) => {
            let mut key_ids = secret.key_ids();
            match (key_ids.next(), key_ids.next()) {
                (Some(only), None) => Ok(only.to_owned()),
                _ => {
                    Err(format!("it is not encrypted with the default key; choose with --key-id: {}", all()))
                }
            }
        }
    }
}

/// Some hundredths of a second.
const ROUNDS_AT_ONCE: u32 = 10_000;
