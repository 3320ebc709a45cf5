//! A new identity, secret storage with its private keys in it, and a key backup whose key is there, too.

use mx_cross_signing::{
    Identities, KeyStorage, OwnIdentity, SignaturesUpload, SigningKeys, Usage, Verification,
    verify_own_device,
};
use mx_curve25519::Ed25519SecretKey;
use mx_key_backup::{AuthData, BackupDecryptionKey, NewBackup};
use mx_secret_storage::{
    DEFAULT_KEY_EVENT_TYPE, KeyDescription, MEGOLM_BACKUP_V1, PassphraseInfo, Secret, SecretStorageKey,
    default_key_content, generate_key_id, key_event_type,
};
use mx_signing::{KeysQueryResponse, SignatureMemory};
use mx_types::{DeviceId, Ed25519PublicKey, UserId};
use serde::Serialize;

use super::{existing::Checked, request::Request};
use crate::failure::Failure;

/// What is uploaded, and what it is called.
#[derive(Debug, Serialize)]
pub(super) struct Setup {
    pub(super) user_id: String,
    pub(super) master_signing_key: String,
    pub(super) key_id: String,
    /// The device that was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device_id: Option<String>,
    pub(super) requests: Vec<Request>,
}

/// The device that is to be signed by the new self-signing key.
pub(super) struct ToSign<'a> {
    pub(super) device_id: DeviceId<'a>,
    /// As the device shows it. Without it the server's word is taken.
    pub(super) fingerprint: Option<Ed25519PublicKey>,
}

/// What is to be made.
pub(super) struct Wanted<'a> {
    pub(super) user_id: UserId<'a>,
    pub(super) device: Option<ToSign<'a>>,
    /// The new key of secret storage, and how it was made from a passphrase.
    pub(super) key: &'a SecretStorageKey,
    pub(super) passphrase: Option<&'a PassphraseInfo>,
    pub(super) backup: bool,
}

impl Setup {
    /// Draws all keys. The order of the requests is that in which least is lost where one fails: what may be refused, new
    /// cross-signing keys, comes first, and the default key, which clients look for, last.
    pub(super) fn new(wanted: &Wanted<'_>, own: OwnIdentity, found: &Checked) -> Result<Self, Failure> {
        let rng = &mut getrandom::SysRng;
        let no_randomness = |_| Failure::refused("the system gave no randomness; nothing was written");
        let user_id = wanted.user_id;
        let signing = SigningKeys::generate(rng, user_id, KeyStorage::Insecure).map_err(no_randomness)?;
        let (own, signatures) = adopt(wanted, own, &signing, found.response())?;

        let upload = signing.device_signing_upload::<Ed25519SecretKey>(None);
        let upload = upload.map_err(|error| Failure::refused(format!("the new keys: {error}")))?;
        let body = upload.body(None).map_err(|error| Failure::refused(format!("the new keys: {error}")))?;
        let mut requests = vec![Request::post(&["keys", "device_signing", "upload"], body)?];
        if let Some(signatures) = signatures {
            requests.push(Request::post(&["keys", "signatures", "upload"], signatures.body())?);
        }

        let key_id = generate_key_id(rng).map_err(no_randomness)?;
        let mut description = KeyDescription::new(rng, wanted.key).map_err(no_randomness)?;
        if let Some(info) = wanted.passphrase {
            description = description.with_passphrase(info);
        }
        let account_data =
            |event_type: &str, content| Request::account_data(user_id.as_str(), event_type, content);
        requests.push(account_data(&key_event_type(&key_id), description.to_json())?);
        let mut store = |name: &str, secret: &Secret| {
            let mut stored = found.secret(name);
            stored
                .encrypt(rng, &key_id, wanted.key, secret)
                .map_err(|error| Failure::refused(format!("{name}: {error}")))?;
            account_data(name, stored.to_json())
        };
        for usage in Usage::ALL {
            requests.push(store(usage.secret_name(), &private_key(&signing, &own, usage)?)?);
        }
        if wanted.backup {
            let key = BackupDecryptionKey::generate(&mut getrandom::SysRng).map_err(no_randomness)?;
            let secret = Secret::from_key(key.as_bytes());
            // The private key before the backup: what is uploaded to it can always be read.
            requests.push(store(MEGOLM_BACKUP_V1, &secret)?);
            requests
                .push(Request::post(&["room_keys", "version"], new_backup(wanted, &signing, &own, &key)?)?);
        }
        requests.push(account_data(DEFAULT_KEY_EVENT_TYPE, default_key_content(&key_id))?);

        let msk = signing.public_key(Usage::Master).map(|key| key.to_string()).unwrap_or_default();
        Ok(Self {
            user_id: user_id.as_str().to_owned(),
            master_signing_key: msk,
            key_id,
            device_id: wanted.device.as_ref().map(|device| device.device_id.as_str().to_owned()),
            requests,
        })
    }
}

/// Takes the new identity for our own, and signs the device that is to be signed.
fn adopt(
    wanted: &Wanted<'_>,
    mut own: OwnIdentity,
    signing: &SigningKeys,
    response: Option<KeysQueryResponse<'_>>,
) -> Result<(OwnIdentity, Option<SignaturesUpload>), Failure> {
    let mut store = Identities::default();
    if let Some(response) = &response {
        let _ = store.receive(&mut SignatureMemory::default(), &mut own, response, &[wanted.user_id]);
    }
    let identity =
        signing.identity().ok_or_else(|| Failure::refused("the new keys do not make an identity"))?;
    own.adopt(identity).map_err(|_| Failure::refused("the new identity is another user's"))?;
    let Some(ToSign { device_id, fingerprint }) = &wanted.device else { return Ok((own, None)) };

    let refused = |why: &str| Failure::refused(format!("device {device_id}: {why}; nothing was written"));
    let device = store.device_mut(wanted.user_id, *device_id);
    let device = device
        .ok_or_else(|| refused("the answer to /keys/query has no such device that has signed itself"))?;
    if let Some(fingerprint) = fingerprint
        && device.ed25519() != *fingerprint
    {
        return Err(refused(&format!("the server says that its key is {}", device.ed25519())));
    }
    let verified = device.clone();
    match verify_own_device(&own, signing, device, &verified) {
        Ok(Verification::Signed(upload)) => Ok((own, Some(upload))),
        Ok(Verification::Pending(_)) => Err(refused("it could not be signed")),
        Err(error) => Err(refused(&error.to_string())),
    }
}

fn private_key(signing: &SigningKeys, own: &OwnIdentity, usage: Usage) -> Result<Secret, Failure> {
    let text = signing.export(own, usage);
    let text = text.map_err(|error| Failure::refused(format!("{}: {error}", usage.secret_name())))?;
    Secret::new(text).map_err(Failure::refused)
}

/// The body that makes the backup, signed by the master signing key.
fn new_backup(
    wanted: &Wanted<'_>,
    signing: &SigningKeys,
    own: &OwnIdentity,
    key: &BackupDecryptionKey,
) -> Result<String, Failure> {
    let refused = |error: &dyn core::fmt::Display| Failure::refused(format!("the key backup: {error}"));
    let seed = private_key(signing, own, Usage::Master)?.key().map_err(|error| refused(&error))?;
    let msk = Ed25519SecretKey::from_seed(&seed);
    let auth_data = AuthData::new(key.public_key());
    let auth_data = auth_data.sign_by_master_signing_key(&msk, msk.public_key(), wanted.user_id);
    Ok(NewBackup::new(auth_data.map_err(|error| refused(&error))?).body())
}
