//! Megolm sessions shared, exported, imported, and read forwards and backwards.

use mx_demo::party::{Implementation, InboundGroupSession};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

use crate::report::{Outcome, at, expect, failure};

/// Messages of one session.
const MESSAGES: u32 = 600;

/// `sender` encrypts, `receiver` gets the session key at index 0 and one later.
pub fn shared(sender: &dyn Implementation, receiver: &dyn Implementation, rng: &mut ChaCha20Rng) -> Outcome {
    let mut outbound = sender.create_group_session(rng)?;
    let mut from_start = receiver.receive_session_key(&outbound.session_key())?;
    expect(from_start.session_id() == outbound.session_id(), "the session IDs differ")?;
    let mut messages = Vec::new();
    let mut late = None;
    for index in 0..MESSAGES {
        expect(outbound.message_index() == index, "the message index is not the number of messages sent")?;
        if index == 300 {
            late = Some(receiver.receive_session_key(&outbound.session_key())?);
        }
        let mut plaintext = vec![0; rng.next_u32() as usize % 200];
        rng.fill_bytes(&mut plaintext);
        let message = outbound.encrypt(&plaintext)?;
        let parsed = vodozemac::megolm::MegolmMessage::from_base64(&message)?;
        expect(parsed.to_base64() == message, "vodozemac writes the message otherwise")?;
        messages.push((message, plaintext));
    }
    let mut late = late.ok_or("never shared")?;
    expect(late.first_known_index() == 300, "the first known index is not the one shared at")?;
    read(from_start.as_mut(), &messages, 0..MESSAGES)?;
    read(late.as_mut(), &messages, (300..MESSAGES).rev())?;
    expect(
        late.decrypt(&messages[299].0).is_err(),
        "a message from before the session was shared decrypted",
    )?;
    read(from_start.as_mut(), &messages, (0..MESSAGES).rev())?;
    let shuffled: Vec<u32> = (0..500).map(|_| rng.next_u32() % MESSAGES).collect();
    read(from_start.as_mut(), &messages, shuffled)?;
    let forgeries = forgeries(receiver, from_start.as_mut(), &messages, rng)?;
    Ok(format!("{MESSAGES} messages read forwards, backwards and at random, {forgeries}"))
}

/// One bit of a message is flipped: every one of message 0, any of some later ones.
fn forgeries(
    receiver: &dyn Implementation,
    session: &mut dyn InboundGroupSession,
    messages: &[(String, Vec<u8>)],
    rng: &mut ChaCha20Rng,
) -> Outcome {
    let (mut refused, mut reworded) = (0, 0);
    for (index, (message, plaintext)) in messages.iter().enumerate().take(50) {
        let bytes = vodozemac::base64_decode(message)?;
        let bits = bytes.len() * 8;
        let any = rng.next_u32() as usize % bits;
        for bit in if index == 0 { 0..bits } else { any..any + 1 } {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let forged = vodozemac::base64_encode(bytes);
            // Index 0 under a field number that nobody knows is index 0 by default. To bytes that is a forgery; who
            // authenticates fields finds those of the message, and takes it.
            let same_fields = vodozemac::megolm::MegolmMessage::from_base64(&forged)
                .is_ok_and(|parsed| parsed.to_base64() == *message);
            let found = session.decrypt(&forged);
            let place = format!("message {index} with bit {bit} flipped");
            match (receiver.authenticates_fields() && same_fields, found) {
                (false, Err(_)) => refused += 1,
                (true, Ok(found))
                    if found.message_index as usize == index && found.plaintext == *plaintext =>
                {
                    reworded += 1;
                }
                (_, Ok(_)) => return failure(format!("{place} decrypted")),
                (true, Err(reason)) => return failure(format!("{place} has the same fields: {reason}")),
            }
        }
    }
    let reworded = if reworded > 0 { format!(", {reworded} reworded taken") } else { String::new() };
    Ok(format!("{refused} forgeries refused{reworded}"))
}

/// The session travels from `keeper` to `receiver` in the export format, at several indices, and back again.
pub fn exported(
    keeper: &dyn Implementation,
    receiver: &dyn Implementation,
    rng: &mut ChaCha20Rng,
) -> Outcome {
    let mut outbound = keeper.create_group_session(rng)?;
    let mut kept = keeper.receive_session_key(&outbound.session_key())?;
    let mut messages = Vec::new();
    for number in 0..MESSAGES {
        let plaintext = number.to_be_bytes().to_vec();
        messages.push((outbound.encrypt(&plaintext)?, plaintext));
    }
    for index in [0, 1, 255, 256, 257, 599] {
        let exported = kept.export_at(index)?;
        let mut imported = receiver.import_session_key(&exported)?;
        expect(imported.session_id() == outbound.session_id(), "the session IDs differ")?;
        expect(imported.first_known_index() == index, "the first known index is not the exported one")?;
        read(imported.as_mut(), &messages, (index..MESSAGES).rev())?;
        read(imported.as_mut(), &messages, index..MESSAGES)?;
        if index > 0 {
            expect(
                imported.export_at(index - 1).is_err(),
                "an index before the first known one was exported",
            )?;
        }
        expect(imported.export_at(index)? == exported, "exporting again gives another text")?;
    }
    for index in [256, 4_096, 65_536, 16_777_216, i32::MAX.unsigned_abs()] {
        let theirs = kept.export_at(index)?;
        let ours = receiver.import_session_key(&kept.export_at(7)?)?.export_at(index)?;
        if theirs != ours {
            return failure(format!("the ratchets differ at index {index}"));
        }
    }
    Ok("at 6 indices, and equal ratchets up to index 2,147,483,647".into())
}

fn read(
    session: &mut dyn InboundGroupSession,
    messages: &[(String, Vec<u8>)],
    order: impl IntoIterator<Item = u32>,
) -> Result<(), Box<dyn core::error::Error>> {
    for index in order {
        let (message, plaintext) = &messages[index as usize];
        let decrypted = at(format_args!("message {index}"), session.decrypt(message))?;
        if decrypted.message_index != index || decrypted.plaintext != *plaintext {
            return failure(format!("message {index} decrypted to something else"));
        }
    }
    Ok(())
}
