//! What follows from a verification, signed with the private keys in secret storage, and sent.

use clap::Args;
use mx_cross_signing::Usage;
use mx_verification::Verified;

use super::{book::Book, said::Said};
use crate::{
    failure::Failure,
    homeserver::Client,
    identity::{
        account_data::AccountData,
        asking::{query, upload_signatures},
        own::Own,
        secret_storage::{self, Opened},
    },
    passphrase::Descriptor,
    place::Place,
    record::Record,
};

/// Where the private keys are, and what opens them.
#[derive(Args, Debug)]
pub(crate) struct Secrets {
    /// A folder or a document with account data, for --sign without a homeserver
    #[arg(long, value_name = "PATH", requires = "sign", conflicts_with = "homeserver")]
    account_data: Option<Place>,
    /// The key of secret storage to use instead of the default one
    #[arg(long, value_name = "ID", requires = "sign")]
    key_id: Option<String>,
    /// Read the recovery key or passphrase from this file descriptor instead of asking
    #[arg(long, value_name = "FD", value_parser = Descriptor::parse, requires = "sign")]
    recovery_key_fd: Option<Descriptor>,
}

/// What became of the signatures.
#[derive(Debug)]
pub(super) enum Signed {
    /// There was nothing to sign, or nobody asked for it.
    Nothing,
    /// They were sent, and the server shows them.
    Sent,
    /// They were sent, and the server does not show them.
    NotShown,
    /// The body to be sent.
    Body(String),
}

impl Secrets {
    pub(super) fn check(&self, sign: bool, has_server: bool) -> Result<(), Failure> {
        if sign && !has_server && self.account_data.is_none() {
            return Err(Failure::misused("--sign needs --account-data, or --homeserver"));
        }
        Ok(())
    }

    /// Takes out of secret storage what signs: then our own master signing key is known to be ours, and this side vouches for it.
    pub(super) fn open(
        &self,
        client: Option<&Client>,
        book: &mut Book,
        own: &Own,
        peer: &str,
        said: Said,
    ) -> Result<(), Failure> {
        if !book.has_own_identity() {
            return Err(Failure::refused(format!(
                "{} has no cross-signing identity: create one first, with a client or `identity bootstrap`",
                own.user_id
            )));
        }
        let account_data = match (client, &self.account_data) {
            (Some(client), _) => AccountData::of_server(client, &own.user_id),
            (None, Some(place)) => AccountData::open(place)?,
            (None, None) => return Err(Failure::misused("--account-data is needed, or --homeserver")),
        };
        let signing = if peer == own.user_id { Usage::SelfSigning } else { Usage::UserSigning };
        // The private master signing key stays encrypted where somebody knows the public one.
        let names = [Some(signing), (!book.is_own_verified()).then_some(Usage::Master)];
        let mut secrets = Vec::new();
        for name in names.into_iter().flatten().map(Usage::secret_name) {
            let stored = secret_storage::stored(&account_data, name)?;
            secrets.push(
                stored.ok_or_else(|| {
                    Failure::refused(format!("{}: {name} is not stored", account_data.name()))
                })?,
            );
        }
        let Some(first) = secrets.first() else { return Ok(()) };
        let opened = Opened::of_secret(&account_data, first, self.key_id.as_deref(), self.recovery_key_fd)?;
        for secret in &secrets {
            book.import(opened.decrypt(secret)?)?;
        }
        said.tell("opened", &format!("key {} of secret storage is open", opened.key_id), Record::new())
    }
}

impl Signed {
    pub(super) fn make(
        book: &mut Book,
        verified: &Verified,
        client: Option<&Client>,
    ) -> Result<Self, Failure> {
        // Of all that follows only one thing is signed by this side: a user, or a device of ours.
        for consequence in &verified.consequences {
            let Some(upload) = book.sign(consequence)? else { continue };
            let Some(client) = client else { return Ok(Self::Body(upload.body())) };
            upload_signatures(client, upload)?;
            let answer = query(client, &[book.own_user_id(), &verified.user_id])?;
            return Ok(if book.shows(&answer, consequence)? { Self::Sent } else { Self::NotShown });
        }
        Ok(Self::Nothing)
    }
}
