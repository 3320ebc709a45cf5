use std::hint::black_box;

use vodozemac::megolm::{ExportedSessionKey, InboundGroupSession, MegolmMessage, SessionConfig, SessionKey};

/// A session key in either format, and a message, all of Base64.
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
        megolm::{
            GroupSession, GroupSessionPickle, InboundGroupSession, InboundGroupSessionPickle, SessionConfig,
        },
        olm::{self, Account, AccountPickle, OlmMessage, Session, SessionPickle},
    };

    pub fn both_ways() -> Option<()> {
        let mut account = Account::new();
        account.generate_one_time_keys(1);
        let one_time_key = *account.one_time_keys().values().next()?;
        black_box((account.curve25519_key(), account.ed25519_key(), account.sign(black_box("device keys"))));
        account.mark_keys_as_published();

        let (config, their_key) = (olm::SessionConfig::version_1(), black_box(account.curve25519_key()));
        let mut session = account.create_outbound_session(config, their_key, black_box(one_time_key)).ok()?;
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

        let mut group = GroupSession::new(SessionConfig::version_1());
        black_box(group.session_key().to_base64());
        black_box(group.encrypt(black_box("22.5 C")).to_base64());
        let mut reader = InboundGroupSession::new(&group.session_key(), SessionConfig::version_1());
        black_box(reader.export_at(black_box(5))?.to_base64());

        let key = black_box([7; 32]);
        let pickle = black_box(account.pickle().encrypt(&key));
        black_box(Account::from_pickle(AccountPickle::from_encrypted(&pickle, &key).ok()?));
        let pickle = black_box(session.pickle().encrypt(&key));
        black_box(Session::from_pickle(SessionPickle::from_encrypted(&pickle, &key).ok()?));
        let pickle = black_box(group.pickle().encrypt(&key));
        black_box(GroupSession::from_pickle(GroupSessionPickle::from_encrypted(&pickle, &key).ok()?));
        let pickle = black_box(reader.pickle().encrypt(&key));
        black_box(InboundGroupSession::from_pickle(
            InboundGroupSessionPickle::from_encrypted(&pickle, &key).ok()?,
        ));
        Some(())
    }
}
