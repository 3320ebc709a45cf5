//! The key of a backup, and whether it is that.

use mx_key_backup::{AuthData, BackupDecryptionKey, MAX_ITERATIONS, PassphraseInfo, ServerBackup};

use crate::{
    failure::Failure,
    input::Input,
    passphrase::{Descriptor, Passphrase},
    place::Place,
    progress::Progress,
};

/// The `auth_data` in an answer to `GET /room_keys/version`.
pub(super) fn auth_data(place: &Place) -> Result<AuthData, Failure> {
    let mut input = Input::open(place)?;
    let bytes = input.read_to_limit(MAX_VERSION_LEN)?;
    let failure = |error: &dyn core::fmt::Display| Failure::refused(format!("{}: {error}", input.name()));
    let text = core::str::from_utf8(&bytes).map_err(|error| failure(&error))?;
    let backup = ServerBackup::parse(text).map_err(|error| failure(&error))?;
    backup.auth_data().map_err(|error| failure(&error))
}

/// Asks for the key unless it comes from a descriptor, and refuses one of another backup.
pub(super) fn read(
    descriptor: Option<Descriptor>,
    auth_data: Option<&AuthData>,
) -> Result<BackupDecryptionKey, Failure> {
    let passphrase = auth_data.and_then(|auth_data| auth_data.passphrase().transpose());
    let name =
        if passphrase.is_some() { "Backup decryption key, or passphrase" } else { "Backup decryption key" };
    let typed = Passphrase::secret(descriptor, name, "--key-fd")?;
    let key = match (parse(typed.as_str()), passphrase) {
        (Ok(key), _) => key,
        (Err(_), Some(info)) => derive(&info.map_err(Failure::refused)?, &typed)?,
        (Err(error), None) => return Err(Failure::refused(error)),
    };
    if let Some(auth_data) = auth_data
        && auth_data.public_key() != key.public_key()
    {
        return Err(Failure::refused(format!(
            "not the key of this backup: its public key is {}, that of the backup {}",
            key.public_key(),
            auth_data.public_key()
        )));
    }
    Ok(key)
}

/// Base64 has 43 characters, or 44 with the padding; what clients show has 48 and spaces.
fn parse(typed: &str) -> Result<BackupDecryptionKey, String> {
    let typed = typed.trim();
    let is_base64 = typed.len() == 43 || typed.len() == 44 && typed.ends_with('=') || typed.contains(',');
    if is_base64 && !typed.contains(char::is_whitespace) {
        BackupDecryptionKey::from_secret(typed).map(|(key, _)| key).map_err(|error| error.to_string())
    } else {
        BackupDecryptionKey::from_key_representation(typed)
            .map_err(|error| format!("backup decryption key: {error}"))
    }
}

fn derive(info: &PassphraseInfo, typed: &Passphrase) -> Result<BackupDecryptionKey, Failure> {
    let mut derivation = info.derive(typed.as_str(), MAX_ITERATIONS).map_err(Failure::refused)?;
    let progress = Progress::of_steps("deriving the key", u64::from(info.iterations()));
    loop {
        let remaining = derivation.step(ITERATIONS_AT_ONCE);
        if remaining == 0 {
            return Ok(derivation.finish());
        }
        progress.reach(u64::from(info.iterations() - remaining));
    }
}

/// As for the keys of key files.
const ITERATIONS_AT_ONCE: u32 = 20_000;

/// `auth_data` and a few members around it.
const MAX_VERSION_LEN: usize = 256 * 1024;
