//! Secret storage, read back from the server with the key that was shown when it was made.

use mx_cross_signing::{KeyStorage, SecretSource, SigningKeys, Usage};
use mx_key_backup::BackupDecryptionKey;
use mx_secret_storage::{
    DEFAULT_KEY_EVENT_TYPE, KeyCheck, KeyDescription, MAX_ITERATIONS, MEGOLM_BACKUP_V1, StoredSecret,
    key_event_type, parse_default_key,
};
use mx_types::UserId;

use crate::{Failure, client::Client, ensure};

/// Opens secret storage and takes the private keys out, each of which must be that of the identity which `/keys/query` shows. With them
/// the identity is verified.
pub(crate) fn open(client: &mut Client, shown: &str) -> Result<(SigningKeys, BackupDecryptionKey), Failure> {
    let Client { session, lists, .. } = client;
    let content = |event_type: &str| {
        let user_id = &session.user_id;
        session.get(&format!("/_matrix/client/v3/user/{user_id}/account_data/{event_type}"))
    };
    let key_id = parse_default_key(&content(DEFAULT_KEY_EVENT_TYPE)?)?.ok_or("there is no default key")?;
    let description = KeyDescription::parse(&content(&key_event_type(&key_id))?)?;
    let unlocked = description.unlock(shown, MAX_ITERATIONS)?.finish()?;
    ensure(unlocked.check == KeyCheck::Valid, "the description does not say that the key is the right one")?;

    let mut keys = SigningKeys::none(UserId::parse(&session.user_id)?, KeyStorage::Insecure);
    for name in Usage::ALL.map(Usage::secret_name) {
        let secret = StoredSecret::parse(name, &content(name)?)?.decrypt(&key_id, &unlocked.key)?;
        let source = SecretSource::SecretStorage;
        secret.validate(|secret| keys.import(&mut lists.own, source, name, secret.as_str()))?;
    }
    let stored = StoredSecret::parse(MEGOLM_BACKUP_V1, &content(MEGOLM_BACKUP_V1)?)?;
    // That it is the key of the backup is what the trust in the backup will say.
    let secret = stored.decrypt(&key_id, &unlocked.key)?;
    let (backup, _) = secret.validate(|secret| BackupDecryptionKey::from_secret(secret.as_str()))?;
    Ok((keys, backup))
}
