use core::hint::black_box;

use mx_megolm::{ExportedSessionKey, InboundGroupSession, SessionKey};
use mx_types::base64::{TrailingBits, decode};

/// A session key in either format, and a message, all of Base64.
pub fn megolm_decrypt() -> Option<()> {
    let text = black_box([b'A'; SessionKey::BASE64_LEN]);
    let text = str::from_utf8(&text).ok()?;
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
    use mx_types::base64::{TrailingBits, decode, encode};
    use rand_core::{TryCryptoRng, TryRng};

    pub fn both_ways() -> Option<()> {
        let rng = &mut Host;
        let mut account = Account::<50>::new(rng).ok()?;
        let one_time_key = account.one_time_keys_mut().generate(rng).ok()?.key;
        black_box((account.curve25519_key(), account.ed25519_key(), account.sign(black_box(b"device keys"))));
        account.one_time_keys_mut().mark_as_published();

        let their_key = black_box(account.curve25519_key());
        let mut session =
            Session::<40>::outbound(rng, account.identity(), &their_key, &black_box(one_time_key.key))
                .ok()?;
        let mut out = [0; 512];
        let message = session.encrypt(rng, &black_box(*b"a room key"), &mut out).ok()?;
        let (mut text, mut bytes, mut plaintext) = ([0; 700], [0; 512], [0; 512]);
        let text = black_box(encode(message.bytes, &mut text).ok()?);
        let bytes = decode(text, TrailingBits::Ignored, &mut bytes).ok()?;
        let received = PreKeyMessage::parse(bytes).ok()?;
        let mut inbound = account.inbound_session::<40>(&their_key, &received, &mut plaintext).ok()?.session;
        let answer = inbound.encrypt(rng, &black_box(*b"thanks"), &mut out).ok()?;
        let answer = OlmMessage::parse(black_box(answer.message_type), answer.bytes).ok()?;
        black_box(session.decrypt(&answer, &mut plaintext).ok()?);

        let mut group = OutboundGroupSession::new(rng).ok()?;
        black_box(group.session_key().to_base64(&mut [0; SessionKey::BASE64_LEN]));
        black_box(group.encrypt(&black_box(*b"22.5 C"), &mut out).ok()?.message);
        let mut reader = InboundGroupSession::new(&group.session_key());
        black_box(reader.export_at(black_box(5)).ok()?.as_bytes());

        let key = PickleKey::new(&black_box([7; 32]));
        let mut store = [0; 8_192];
        let pickle = account.pickle(rng, &key, &mut store).ok()?;
        black_box(Account::<50>::from_pickle(&key, Generation::NEVER_PICKLED, black_box(pickle)).ok()?);
        let pickle = session.pickle(rng, &key, &mut store).ok()?;
        black_box(Session::<40>::from_pickle(&key, Generation::NEVER_PICKLED, black_box(pickle)).ok()?);
        let pickle = group.pickle(rng, &key, &mut store).ok()?;
        black_box(
            OutboundGroupSession::from_pickle(&key, Generation::NEVER_PICKLED, black_box(pickle)).ok()?,
        );
        let pickle = reader.pickle(rng, &key, &mut store).ok()?;
        black_box(InboundGroupSession::from_pickle(&key, Generation::NEVER_PICKLED, black_box(pickle)).ok()?);
        Some(())
    }

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
