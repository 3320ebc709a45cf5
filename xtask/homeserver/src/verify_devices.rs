//! Alice's new devices, verified from her phone: by short strings, and by QR codes in both directions. And what else happens to
//! verifications: one device of three answers, one declines, a program ends in the middle.

use mx_cross_signing::{KeyStorage, SigningKeys, TrustLevel};
use mx_types::UserId;
use mx_verification::{Emoji, What};
use rand_core::CryptoRng;

use crate::{
    Failure,
    client::Client,
    ensure,
    identities::sees,
    stage::Stage,
    verifier::{Envelope, Verifier},
};

pub(crate) const PHONE: &str = "ALICEPHONE";
const TABLET: &str = "ALICETABLET";
const WATCH: &str = "ALICEWATCH";
const TV: &str = "ALICETV";

/// All devices that Alice has in the end.
pub(crate) const ALICES: [&str; 6] = [PHONE, "ALICELAPTOP", "ALICEBOT", TABLET, WATCH, TV];

pub(crate) fn play(stage: &mut Stage<'_>, keys: &SigningKeys) -> Result<(), Failure> {
    stage.narrator.chapter("Alice verifies her new devices")?;
    let none = SigningKeys::none(UserId::parse(&stage.alice.session.user_id)?, KeyStorage::Secure);
    let [mut tablet, mut watch, mut tv] = log_in(stage)?;

    one_of_three(stage, keys, (&mut tablet, &mut watch, &mut tv), &none)?;
    bob_sees(stage, &[WATCH, TV])?;
    decline_and_restart(stage, keys, &mut watch, &none)?;
    bob_sees(stage, &[WATCH, TV])?;
    phone_shows(stage, keys, &mut watch, &none)?;
    bob_sees(stage, &[TV])?;
    tv_shows(stage, keys, &mut tv, &none)?;
    bob_sees(stage, &[])?;
    stage
        .narrator
        .step("Bob", "who has verified Alice, sees each device as verified once her phone has signed it")
        .map_err(Failure::from)
}

/// Three devices that nobody has verified, and that trust nobody.
fn log_in(stage: &mut Stage<'_>) -> Result<[Client; 3], Failure> {
    let Stage { rng, narrator, alice, .. } = stage;
    let mut devices =
        [alice.log_in_on(*rng, TABLET)?, alice.log_in_on(*rng, WATCH)?, alice.log_in_on(*rng, TV)?];
    for device in &mut devices {
        device.follow("its own identity", |lists, _| lists.own.identity().is_some())?;
        ensure(!device.lists.own.is_verified(), "a new device trusts an identity that nobody has verified")?;
    }
    let [tablet, ..] = &devices;
    sees(alice, tablet, &levels(&[TABLET, WATCH, TV]))?;
    narrator.step("Alice", "logs in on three devices: her phone sees them as unsigned")?;
    Ok(devices)
}

/// The phone asks all three at once, the tablet answers, and both show emoji.
fn one_of_three(
    stage: &mut Stage<'_>,
    keys: &SigningKeys,
    (tablet, watch, tv): (&mut Client, &mut Client, &mut Client),
    none: &SigningKeys,
) -> Result<(), Failure> {
    let Stage { rng, narrator, alice, .. } = stage;
    let rng = &mut **rng;
    let verifier = |rng: &mut dyn CryptoRng, client, keys| Verifier::new(rng, client, keys, Envelope::Plain);
    let mut phone = verifier(rng, alice, keys)?;
    let (mut tablet, mut watch, mut tv) =
        (verifier(rng, tablet, none)?, verifier(rng, watch, none)?, verifier(rng, tv, none)?);

    phone.ask_devices(rng, &[TABLET, WATCH, TV])?;
    for device in [&mut tablet, &mut watch, &mut tv] {
        device.hears_request(rng, PHONE)?;
    }
    tablet.accept(rng)?;
    ensure(
        !tablet.hears_ready(rng, PHONE)?,
        "the tablet would vouch for an identity that it does not trust",
    )?;
    ensure(phone.hears_ready(rng, TABLET)?, "the phone does not vouch for the identity")?;
    for device in [&mut watch, &mut tv] {
        device.hears(rng, "m.accepted", |what| matches!(what, What::Elsewhere).then_some(()))?;
        device.hears_nothing(rng)?;
    }
    narrator.step("Alice", "asks all three at once; the tablet answers, watch and TV hear m.accepted")?;

    phone.start_sas(rng)?;
    let emoji = compare(rng, &mut phone, &mut tablet)?;
    narrator.step("Both", &format!("show {}", drawn(&emoji)))?;
    tablet.hears_verified(rng)?;
    phone.hears_verified(rng)?;
    phone.hears_done(rng)?;
    tablet.hears_done(rng)?;
    narrator
        .step("Alice", "says that they are the same: the phone signs the tablet, which trusts her identity")
        .map_err(Failure::from)
}

/// Lets both sides start to compare, and both users say that they see the same.
pub(crate) fn compare(
    rng: &mut dyn CryptoRng,
    starter: &mut Verifier<'_>,
    accepter: &mut Verifier<'_>,
) -> Result<[Emoji; 7], Failure> {
    let started = |what: What| matches!(what, What::SasStarted).then_some(());
    accepter.hears(rng, "that short strings are to be compared", started)?;
    starter.hears(rng, "that short strings are to be compared", started)?;
    starter.answers_until(rng, accepter)?;
    let theirs = accepter.hears_emoji(rng)?;
    let ours = starter.hears_emoji(rng)?;
    ensure(ours == theirs, "the two sides show other emoji")?;
    starter.confirm(rng)?;
    accepter.confirm(rng)?;
    Ok(ours)
}

/// As people see them.
pub(crate) fn drawn(emoji: &[Emoji]) -> String {
    emoji.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The watch declines; asked again, it is left alone by a phone that was restarted.
fn decline_and_restart(
    stage: &mut Stage<'_>,
    keys: &SigningKeys,
    watch: &mut Client,
    none: &SigningKeys,
) -> Result<(), Failure> {
    let Stage { rng, narrator, alice, .. } = stage;
    let rng = &mut **rng;
    let mut phone = Verifier::new(rng, alice, keys, Envelope::Encrypted)?;
    let mut watch = Verifier::new(rng, watch, none, Envelope::Encrypted)?;
    phone.ask_devices(rng, &[WATCH])?;
    watch.hears_request(rng, PHONE)?;
    watch.cancel(rng)?;
    watch.hears_own_cancel(rng, "m.user")?;
    phone.hears_cancel(rng, "m.user")?;
    narrator.step("Alice", "asks the watch and declines there: the phone hears m.user")?;

    phone.ask_devices(rng, &[WATCH])?;
    watch.hears_request(rng, PHONE)?;
    watch.accept(rng)?;
    watch.hears_ready(rng, PHONE)?;
    phone.hears_ready(rng, WATCH)?;
    phone.start_sas(rng)?;
    let started = |what: What| matches!(what, What::SasStarted).then_some(());
    watch.hears(rng, "that short strings are to be compared", started)?;
    phone.restart(rng)?;
    phone.hears_own_cancel(rng, "m.timeout")?;
    watch.hears_cancel(rng, "m.timeout")?;
    watch.hears_nothing(rng)?;
    phone.hears_nothing(rng)?;
    narrator
        .step("Alice", "asks again, and the phone is restarted meanwhile: the watch hears m.timeout")
        .map_err(Failure::from)
}

/// The phone, which trusts the identity, displays a code, and the watch scans it.
fn phone_shows(
    stage: &mut Stage<'_>,
    keys: &SigningKeys,
    watch: &mut Client,
    none: &SigningKeys,
) -> Result<(), Failure> {
    let Stage { rng, narrator, alice, .. } = stage;
    let rng = &mut **rng;
    let mut phone = Verifier::new(rng, alice, keys, Envelope::Encrypted)?;
    let mut watch = Verifier::new(rng, watch, none, Envelope::Encrypted)?;
    phone.ask_devices(rng, &[WATCH])?;
    watch.hears_request(rng, PHONE)?;
    watch.accept(rng)?;
    watch.hears_ready(rng, PHONE)?;
    phone.hears_ready(rng, WATCH)?;
    let len = scan(rng, &mut phone, &mut watch, 0x01)?;
    let what = format!("scans the code of the phone with the watch, {len} bytes, mode 0x01: both verify");
    narrator.step("Alice", &what).map_err(Failure::from)
}

/// The TV, which trusts nothing yet, asks and displays a code, and the phone scans it.
fn tv_shows(
    stage: &mut Stage<'_>,
    keys: &SigningKeys,
    tv: &mut Client,
    none: &SigningKeys,
) -> Result<(), Failure> {
    let Stage { rng, narrator, alice, .. } = stage;
    let rng = &mut **rng;
    let mut phone = Verifier::new(rng, alice, keys, Envelope::Plain)?;
    let mut tv = Verifier::new(rng, tv, none, Envelope::Plain)?;
    tv.ask_devices(rng, &[PHONE])?;
    phone.hears_request(rng, TV)?;
    phone.accept(rng)?;
    phone.hears_ready(rng, TV)?;
    tv.hears_ready(rng, PHONE)?;
    let len = scan(rng, &mut tv, &mut phone, 0x02)?;
    let what = format!("scans the code of the TV with the phone, {len} bytes, mode 0x02: both verify");
    narrator.step("Alice", &what).map_err(Failure::from)
}

/// One side displays a code of this mode, which the other scans, and the user says so on the first. Gives the code's length.
pub(crate) fn scan(
    rng: &mut dyn CryptoRng,
    displaying: &mut Verifier<'_>,
    scanning: &mut Verifier<'_>,
    mode: u8,
) -> Result<usize, Failure> {
    const MODE: usize = 7;
    let code = displaying.show_qr(rng)?;
    ensure(code.get(MODE) == Some(&mode), &format!("the mode of the code is {:?}", code.get(MODE)))?;
    scanning.scan(rng, &code)?;
    let accepted = |what| matches!(what, What::CodeAccepted).then_some(());
    scanning.hears(rng, "that the code is right", accepted)?;
    let scanned = |what| matches!(what, What::CodeScanned).then_some(());
    displaying.hears(rng, "that the code was scanned", scanned)?;
    displaying.confirm(rng)?;
    displaying.hears_verified(rng)?;
    scanning.hears_verified(rng)?;
    scanning.hears_done(rng)?;
    displaying.hears_done(rng)?;
    Ok(code.len())
}

/// All devices of Alice are verified to Bob, but these.
fn bob_sees(stage: &mut Stage<'_>, unsigned: &[&str]) -> Result<(), Failure> {
    sees(&mut stage.bob, &stage.alice, &levels(unsigned))
}

fn levels(unsigned: &[&str]) -> [(&'static str, TrustLevel); 6] {
    let level = |device_id| match unsigned.contains(&device_id) {
        true => TrustLevel::Unsigned,
        false => TrustLevel::Verified,
    };
    ALICES.map(|device_id| (device_id, level(device_id)))
}
