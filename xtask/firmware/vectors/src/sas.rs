//! SAS verifications of docs/vectors, both sides of each, in both spellings of MACs; and a commitment of another implementation.

use mx_sas::{
    Accepter, Choice, Commitment, Compare, Emoji, Flow, MacMethod, OwnKeys, Party, ShortStrings, Starter,
};
use mx_types::{Curve25519PublicKey, DeviceId, Ed25519PublicKey, UserId};

use crate::{
    runner::Runner,
    script::Script,
    value::{Value, check},
    vectors::SAS,
};

pub fn run(runner: &mut Runner) {
    for vector in SAS.list("vectors").unwrap_or_default() {
        let name = vector.text("name").unwrap_or_default();
        if vector.get("flow_id").is_some() {
            runner.run("SAS flows", name, || {
                flow(vector, MacMethod::HkdfHmacSha256V2)?;
                flow(vector, MacMethod::HkdfHmacSha256)
            });
        } else if vector.get("commitment").is_some() {
            runner.run("SAS commitments", name, || commitment(vector));
        }
        // Short strings from their bytes and the spelling of a MAC alone are nothing that the crate gives out.
    }
}

fn commitment(vector: &Value) -> Option<()> {
    let key = Curve25519PublicKey::from_base64(vector.text("accepter_public_key")?).ok()?;
    is_commitment(vector, mx_sas::hazmat::commitment(&key, vector.text("start_canonical")?.as_bytes()))
}

fn is_commitment(vector: &Value, found: Commitment) -> Option<()> {
    check(found.to_base64(&mut [0; Commitment::BASE64_LEN]) == vector.text("commitment")?)
}

fn flow(vector: &'static Value, method: MacMethod) -> Option<()> {
    let (starter, accepter) = (vector.get("starter")?, vector.get("accepter")?);
    let flow = Flow::new(vector.text("flow_id")?, party(starter)?, party(accepter)?).ok()?;
    let start = vector.text("start_canonical")?.as_bytes();
    let choice = Choice { mac: method, short_strings: ShortStrings::ALL };
    let rng = |side: &Value| Some(Script::new([side.hex("private_key")?]));

    let at_accepter = Accepter::new(&mut rng(accepter)?, flow, choice, start).ok()?;
    let commitment = at_accepter.commitment();
    is_commitment(vector, commitment)?;
    let at_starter = Starter::new(&mut rng(starter)?, flow).ok()?.receive_accept(choice, commitment);
    is_key(at_starter.public_key(), starter)?;
    let (key, at_accepter) = at_accepter.receive_key(starter.text("public_key")?).ok()?;
    is_key(key, accepter)?;
    let at_starter = at_starter.receive_key(accepter.text("public_key")?, start).ok()?;
    compare(vector, at_starter, "starter", method)?;
    compare(vector, at_accepter, "accepter", method)
}

fn party(side: &Value) -> Option<Party<'static>> {
    let user_id = UserId::parse(side.text("user_id")?).ok()?;
    Some(Party { user_id, device_id: DeviceId::parse(side.text("device_id")?).ok()? })
}

fn is_key(found: Curve25519PublicKey, side: &Value) -> Option<()> {
    check(found == Curve25519PublicKey::from_base64(side.text("public_key")?).ok()?)
}

fn compare(
    vector: &'static Value,
    compare: Compare<&'static str>,
    by: &str,
    method: MacMethod,
) -> Option<()> {
    check(vector.get("decimal")?.is_numbers(compare.decimal()?.into_iter().map(u32::from)))?;
    let emoji = compare.emoji()?.map(Emoji::index);
    check(vector.get("emoji")?.is_numbers(emoji.into_iter().map(u32::from)))?;

    let device_id = vector.get(by)?.text("device_id")?;
    let macs = vector.list("macs")?.iter().filter(|mac| mac.text("by") == Some(by));
    // A key is named by what follows "ed25519:": the device's by its ID, the master signing key's by itself.
    let key_name = |mac: &Value| mac.text("key_id")?.strip_prefix("ed25519:");
    let of_device = macs.clone().find(|mac| key_name(mac) == Some(device_id))?;
    let of_master = macs.clone().find(|mac| key_name(mac).is_some_and(|name| name != device_id))?;
    let of_list = macs.clone().find(|mac| key_name(mac).is_none())?;
    check(macs.count() == 3)?;
    let key = |mac: &Value| Ed25519PublicKey::from_base64(mac.text("text")?).ok();
    let own = OwnKeys { device: key(of_device)?, master_signing_key: Some(key(of_master)?) };
    let made = compare.confirm().macs(&own);
    let (name, master) = made.master_signing_key?;
    check(Some(name.as_str()) == key_name(of_master))?;
    for (made, expected) in [(made.device, of_device), (master, of_master), (made.keys, of_list)] {
        check(made.as_str() == expected.text(method.as_str())?)?;
    }
    Some(())
}
