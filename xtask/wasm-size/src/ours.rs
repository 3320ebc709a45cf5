use core::hint::black_box;

use mx_megolm::{ExportedSessionKey, InboundGroupSession, SessionKey};
use mx_types::base64::{TrailingBits, decode};

/// A session key in either format, and a message, all of Base64.
#[inline(never)]
pub fn megolm_decrypt() -> Option<()> {
    let text = black_box("AAAA");
    let mut session = if black_box(true) {
        InboundGroupSession::new(&SessionKey::from_base64(text).ok()?)
    } else {
        InboundGroupSession::import(&ExportedSessionKey::from_base64(text).ok()?)
    };
    let (mut message, mut plaintext) = ([0; 512], [0; 512]);
    let message = decode(black_box("AAAA"), TrailingBits::Ignored, &mut message).ok()?;
    black_box(session.decrypt(message, &mut plaintext).ok()?.plaintext);
    Some(())
}

#[cfg(feature = "both-ways")]
pub use self::both::both_ways;

#[cfg(feature = "both-ways")]
mod both {
    use core::hint::black_box;

    use mx_megolm::{InboundGroupSession, OutboundGroupSession, SessionKey};
    use mx_olm::{Account, OlmMessage, PreKeyMessage, Session};
    use mx_pickle::{Generation, PickleKey};
    use mx_types::{
        Curve25519PublicKey,
        base64::{TrailingBits, decode, encode_to_bytes},
    };
    use rand_core::{TryCryptoRng, TryRng};

    pub fn both_ways() -> Option<()> {
        let mut account = Account::<50>::new(&mut Host).ok()?;
        let one_time_key = keys_out(&mut account)?;
        let mut session = olm(&mut account, &black_box(one_time_key))?;
        let mut group = OutboundGroupSession::new(&mut Host).ok()?;
        let mut reader = megolm(&mut group)?;
        let key = PickleKey::new(&black_box([7; 32]));
        account_pickle(&mut account, &key)?;
        session_pickle(&mut session, &key)?;
        group_pickle(&mut group, &key)?;
        reader_pickle(&mut reader, &key)
    }

    #[inline(never)]
    fn keys_out(account: &mut Account<50>) -> Option<Curve25519PublicKey> {
        let one_time_key = account.one_time_keys_mut().generate(&mut Host).ok()?.key;
        black_box((account.curve25519_key(), account.ed25519_key(), account.sign(black_box(b"device keys"))));
        account.one_time_keys_mut().mark_as_published();
        Some(one_time_key.key)
    }

    #[inline(never)]
    fn olm(account: &mut Account<50>, one_time_key: &Curve25519PublicKey) -> Option<Session<40>> {
        let their_key = black_box(account.curve25519_key());
        let mut session =
            Session::<40>::outbound(&mut Host, account.identity(), &their_key, one_time_key).ok()?;
        let mut out = [0; 512];
        let message = session.encrypt(&mut Host, &black_box(*b"a room key"), &mut out).ok()?;
        let (mut text, mut bytes, mut plaintext) = ([0; 700], [0; 512], [0; 512]);
        let text = black_box(encode_to_bytes(message.bytes, &mut text).ok()?);
        let bytes = decode(text, TrailingBits::Ignored, &mut bytes).ok()?;
        let received = PreKeyMessage::parse(bytes).ok()?;
        let mut inbound = account.inbound_session::<40>(&their_key, &received, &mut plaintext).ok()?.session;
        let answer = inbound.encrypt(&mut Host, &black_box(*b"thanks"), &mut out).ok()?;
        let answer = OlmMessage::parse(black_box(answer.message_type), answer.bytes).ok()?;
        black_box(session.decrypt(&answer, &mut plaintext).ok()?);
        Some(session)
    }

    #[inline(never)]
    fn megolm(group: &mut OutboundGroupSession) -> Option<InboundGroupSession> {
        let mut out = [0; 512];
        black_box(group.session_key().to_base64(&mut [0; SessionKey::BASE64_LEN]));
        black_box(group.encrypt(&black_box(*b"22.5 C"), &mut out).ok()?.message);
        let mut reader = InboundGroupSession::new(&group.session_key());
        black_box(reader.export_at(black_box(5)).ok()?.as_bytes());
        Some(reader)
    }

    /// One function for each pickle, as bindings have them: a frame that holds them all takes longer instructions.
    macro_rules! pickle {
        ($($name:ident: $state:ty),*) => {$(
            #[inline(never)]
            fn $name(state: &mut $state, key: &PickleKey) -> Option<()> {
                let mut store = [0; 8_192];
                let pickle = black_box(state.pickle(&mut Host, key, &mut store).ok()?);
                black_box(<$state>::from_pickle(key, Generation::NEVER_PICKLED, pickle).ok()?);
                Some(())
            }
        )*};
    }

    pickle!(
        account_pickle: Account<50>,
        session_pickle: Session<40>,
        group_pickle: OutboundGroupSession,
        reader_pickle: InboundGroupSession
    );

    /// Stands where the host has its generator.
    struct Host;

    impl TryRng for Host {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(black_box(4))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(black_box(4))
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
            out.fill(black_box(4));
            Ok(())
        }
    }

    impl TryCryptoRng for Host {}
}
