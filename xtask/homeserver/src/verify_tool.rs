//! `mx-e2ee verify` on both sides: two processes that meet on the homeserver and nowhere else.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout},
};

use serde_json::{Value, json};

use crate::{Failure, client::Client, ensure, fail, sign_device::fingerprint, stage::Stage};

/// Alice's phone and a new device of hers compare numbers, and the phone signs the new one.
pub(crate) fn play(stage: &mut Stage<'_>, recovery_key: &str) -> Result<(), Failure> {
    stage.narrator.chapter("A new device of Alice, verified by mx-e2ee verify on both")?;
    // A name that no device had before: Synapse goes on showing the signature on an earlier device of the same ID.
    let clock = stage.alice.log_in_on(stage.rng, "ALICECLOCK")?;
    let Stage { tool, alice, bob, narrator, .. } = stage;
    let user_id = alice.session.user_id.clone();
    let side = |client: &Client, arguments: &[&str]| {
        let token = tool.write(&client.session.device_id, &client.session.access_token)?;
        let fingerprint = fingerprint(client)?;
        let server = ["verify", "--json", "--answer-fd", "0", "--homeserver", client.session.address()];
        let keys = ["--token-file", &token, "--fingerprint", &fingerprint];
        Side::new(tool.spawn(&[&server[..], &keys, arguments, &[&user_id]].concat())?)
    };
    let mut new = side(&clock, &["--wait"])?;
    new.event("waiting")?;
    let sign = ["--sign", "--recovery-key-fd", "0", "--with", "ALICECLOCK"];
    let mut phone = side(alice, &sign)?;
    phone.say(recovery_key)?;
    let [shown, also_shown] = [phone.event("short_string")?, new.event("short_string")?];
    ensure(shown["decimal"] == also_shown["decimal"], "the two show different numbers")?;
    let numbers = shown["decimal"].as_array().ok_or("there are no numbers")?;
    let numbers = numbers.iter().map(Value::to_string).collect::<Vec<_>>().join(" ");
    for side in [&mut phone, &mut new] {
        side.event("compare")?;
        side.say(&numbers)?;
    }
    let (signed, verified) = (phone.end()?, new.end()?);
    ensure(signed["signed"] == "and sent; the server shows it", &format!("the phone says {signed}"))?;
    ensure(verified["master_signing_key"].is_string(), &format!("the clock says {verified}"))?;
    let body = json!({ "device_keys": { &user_id: [] } }).to_string();
    let answer: Value = serde_json::from_str(&bob.session.post("/_matrix/client/v3/keys/query", &body)?)?;
    let signatures = answer["device_keys"][&user_id]["ALICECLOCK"]["signatures"][&user_id].as_object();
    ensure(
        signatures.is_some_and(|signatures| signatures.len() == 2),
        "Bob sees no signature on ALICECLOCK",
    )?;
    narrator
        .step(
            "Alice",
            &format!("compares {numbers} on ALICEPHONE and ALICECLOCK: Bob sees that it is signed"),
        )
        .map_err(Failure::from)
}

/// A process that tells its events as lines of JSON.
struct Side {
    process: Child,
    input: ChildStdin,
    events: BufReader<ChildStdout>,
}

impl Side {
    fn new(mut process: Child) -> Result<Self, Failure> {
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let (Some(input), Some(output)) = (input, output) else { return fail("a process without pipes") };
        Ok(Self { process, input, events: BufReader::new(output) })
    }

    /// The next event of this name.
    fn event(&mut self, name: &str) -> Result<Value, Failure> {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            if self.events.read_line(&mut line)? == 0 {
                return fail(format!("mx-e2ee verify does not come to {name}:\n{seen}"));
            }
            let event: Value = serde_json::from_str(&line)?;
            if event["event"] == name {
                return Ok(event);
            }
            seen += &line;
        }
    }

    fn say(&mut self, line: &str) -> Result<(), Failure> {
        Ok(writeln!(self.input, "{line}")?)
    }

    /// The last event, of a process that has succeeded.
    fn end(&mut self) -> Result<Value, Failure> {
        let event = self.event("end")?;
        let status = self.process.wait()?;
        ensure(status.success(), &format!("mx-e2ee verify ended with {status}: {event}"))?;
        Ok(event)
    }
}

/// Nothing is left running where something has failed.
impl Drop for Side {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
