use std::hint::black_box;

use vodozemac::megolm::{ExportedSessionKey, InboundGroupSession, MegolmMessage, SessionConfig, SessionKey};

/// A session key in either format, and a message, all of Base64.
#[inline(never)]
pub fn megolm_decrypt() -> Option<()> {
    let text = black_box("AAAA");
    let mut session = if black_box(true) {
        InboundGroupSession::new(&SessionKey::from_base64(text).ok()?, SessionConfig::version_1())
    } else {
        InboundGroupSession::import(&ExportedSessionKey::from_base64(text).ok()?, SessionConfig::version_1())
    };
    let message = MegolmMessage::from_base64(black_box("AAAA")).ok()?;
    black_box(session.decrypt(&message).ok()?.plaintext);
    Some(())
}

#[cfg(feature = "vodozemac-both-ways")]
pub use self::both::both_ways;

#[cfg(feature = "vodozemac-both-ways")]
mod both {
    use std::hint::black_box;

    use vodozemac::{
        Curve25519PublicKey,
        megolm::{
            GroupSession, GroupSessionPickle, InboundGroupSession, InboundGroupSessionPickle, SessionConfig,
        },
        olm::{self, Account, AccountPickle, OlmMessage, Session, SessionPickle},
    };

    pub fn both_ways() -> Option<()> {
        let mut account = Account::new();
        let one_time_key = keys_out(&mut account)?;
        let mut session = olm(&mut account, black_box(one_time_key))?;
        let mut group = GroupSession::new(SessionConfig::version_1());
        let mut reader = megolm(&mut group)?;
        let key = black_box([7; 32]);
        account_pickle(&mut account, &key)?;
        session_pickle(&mut session, &key)?;
        group_pickle(&mut group, &key)?;
        reader_pickle(&mut reader, &key)
    }

    #[inline(never)]
    fn keys_out(account: &mut Account) -> Option<Curve25519PublicKey> {
        account.generate_one_time_keys(1);
        let one_time_key = *account.one_time_keys().values().next()?;
        black_box((account.curve25519_key(), account.ed25519_key(), account.sign(black_box("device keys"))));
        account.mark_keys_as_published();
        Some(one_time_key)
    }

    #[inline(never)]
    fn olm(account: &mut Account, one_time_key: Curve25519PublicKey) -> Option<Session> {
        let (config, their_key) = (olm::SessionConfig::version_1(), black_box(account.curve25519_key()));
        let mut session = account.create_outbound_session(config, their_key, one_time_key).ok()?;
        let (_, bytes) = session.encrypt(black_box("a room key")).ok()?.to_parts();
        let text = black_box(vodozemac::base64_encode(bytes));
        let OlmMessage::PreKey(message) =
            OlmMessage::from_parts(0, &vodozemac::base64_decode(text).ok()?).ok()?
        else {
            return None;
        };
        let created = account.create_inbound_session(config, their_key, &message).ok()?;
        black_box(created.plaintext);
        let mut inbound = created.session;
        let (message_type, bytes) = inbound.encrypt(black_box("thanks")).ok()?.to_parts();
        black_box(session.decrypt(&OlmMessage::from_parts(black_box(message_type), &bytes).ok()?).ok()?);
        Some(session)
    }

    #[inline(never)]
    fn megolm(group: &mut GroupSession) -> Option<InboundGroupSession> {
        black_box(group.session_key().to_base64());
        black_box(group.encrypt(black_box("22.5 C")).to_base64());
        let mut reader = InboundGroupSession::new(&group.session_key(), SessionConfig::version_1());
        black_box(reader.export_at(black_box(5))?.to_base64());
        Some(reader)
    }

    /// One function for each pickle, as where ours are measured.
    macro_rules! pickle {
        ($($name:ident: $state:ty, $pickle:ty),*) => {$(
            #[inline(never)]
            fn $name(state: &mut $state, key: &[u8; 32]) -> Option<()> {
                let pickle = black_box(state.pickle().encrypt(key));
                black_box(<$state>::from_pickle(<$pickle>::from_encrypted(&pickle, key).ok()?));
                Some(())
            }
        )*};
    }

    pickle!(
        account_pickle: Account, AccountPickle,
        session_pickle: Session, SessionPickle,
        group_pickle: GroupSession, GroupSessionPickle,
        reader_pickle: InboundGroupSession, InboundGroupSessionPickle
    );
}
