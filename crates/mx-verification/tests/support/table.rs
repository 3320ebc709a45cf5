//! A device brought into a state, and one thing that happens to it: what the tables of the requirements have a cell for.

use mx_verification::{ActError, FlowKey, Place};
use serde_json::{Value, json};

use super::{ALICE, BOB, Client, MINUTE, Message, ROOM, Way, alice, at, deliver};

/// Alice's device A1, to which everything happens, and Bob's B1, which is honest.
pub(crate) struct Stage {
    pub(crate) a: Client,
    pub(crate) b: Client,
    pub(crate) flow: FlowKey,
    pub(crate) at_b: FlowKey,
    in_room: bool,
    forged: usize,
}

impl Stage {
    /// `Sent`, `Requested`, and so on. In those after `Ready`, Alice has asked, in a request to B1 and B2; in `answered`, Bob has.
    pub(crate) fn new(state: &str, in_room: bool) -> Self {
        let (mut a, mut b) = (alice(), Client::new(BOB, "B1"));
        let bob_asks = ["Requested", "Passive", "answered"].contains(&state);
        let flow = match (bob_asks, in_room) {
            (true, true) => FlowKey { user_id: BOB.into(), ..b.request_in_room(ALICE) },
            (true, false) => FlowKey { user_id: BOB.into(), ..b.request_to_device(ALICE, &["A1", "A2"]) },
            (false, true) => a.request_in_room(BOB),
            (false, false) if state == "Idle" => {
                FlowKey { place: Place::ToDevice, user_id: BOB.into(), id: "transaction".into() }
            }
            (false, false) => a.request_to_device(BOB, &["B1", "B2"]),
        };
        let at_b = at(&a, &flow);
        let mut stage = Self { a, b, flow, at_b, in_room, forged: 0 };
        stage.go_to(state);
        stage.a.out.clear();
        stage.a.events.clear();
        stage
    }

    fn go_to(&mut self, state: &str) {
        if state == "Idle" {
            return;
        }
        self.deliver();
        match state {
            "Sent" | "Requested" => return,
            "Passive" => return self.happen("ready of A2"),
            "answered" => self.a.accept(&self.flow).unwrap(),
            _ => self.b.accept(&self.at_b).unwrap(),
        }
        self.deliver();
        if state == "Ready" || state == "answered" {
            return;
        }
        let (a, b, flow, at_b) = (&mut self.a, &mut self.b, &self.flow, &self.at_b);
        match state {
            "QrShown" => {
                a.show_qr(flow).unwrap();
            }
            "Scanned" | "Confirmed" => {
                let code = a.show_qr(flow).unwrap();
                b.scan(at_b, &code).unwrap();
                self.deliver();
                if state == "Confirmed" {
                    self.a.confirm(&self.flow).unwrap();
                }
            }
            "Reciprocated" | "Reciprocated, shown" => {
                let code = b.show_qr(at_b).unwrap();
                if state != "Reciprocated" {
                    a.show_qr(flow).unwrap();
                }
                a.scan(flow, &code).unwrap();
            }
            "StartSent" => a.start_sas(flow).unwrap(),
            "KeySent" => {
                a.start_sas(flow).unwrap();
                let start = a.out.remove(0);
                b.receive(&start);
                let accept = b.out.remove(0);
                a.receive(&accept);
            }
            "AcceptSent" => {
                b.start_sas(at_b).unwrap();
                let start = b.out.remove(0);
                a.receive(&start);
            }
            _ => {
                a.start_sas(flow).unwrap();
                self.deliver();
                match state {
                    "Compare" => {}
                    "PeerConfirmed" => {
                        self.b.confirm(&self.at_b).unwrap();
                        self.deliver();
                    }
                    "MacSent" => self.a.confirm(&self.flow).unwrap(),
                    "WaitDone" | "Done" => {
                        self.b.confirm(&self.at_b).unwrap();
                        self.deliver();
                        self.a.confirm(&self.flow).unwrap();
                        if state == "Done" {
                            self.deliver();
                        }
                    }
                    "Cancelled" => self.a.cancel(&self.flow).unwrap(),
                    _ => panic!("{state}"),
                }
            }
        }
    }

    fn deliver(&mut self) {
        deliver(&mut [&mut self.a, &mut self.b]);
    }

    /// A message of the flow from Bob's device.
    pub(crate) fn message(&mut self, name: &str, content: Value) -> Message {
        self.message_of(BOB, "B1", name, content)
    }

    pub(crate) fn message_of(
        &mut self,
        user_id: &str,
        device_id: &str,
        name: &str,
        mut content: Value,
    ) -> Message {
        self.forged += 1;
        let way = if self.in_room {
            if name != "request" {
                content["m.relates_to"] = json!({ "event_id": self.flow.id, "rel_type": "m.reference" });
            }
            Way::Room { event_id: format!("$forged{}", self.forged), sent: super::EPOCH + self.a.now }
        } else {
            if content["transaction_id"].is_null() {
                content["transaction_id"] = json!(self.flow.id);
            }
            Way::ToDevice { user_id: ALICE.into(), device_ids: vec!["A1".into()], olm: false }
        };
        let event_type = match (name, self.in_room) {
            ("request", true) => "m.room.message".to_owned(),
            (name, _) => format!("m.key.verification.{name}"),
        };
        Message {
            sender: user_id.into(),
            from_device: device_id.into(),
            event_type,
            content: content.to_string(),
            way,
        }
    }

    /// One event of a table.
    pub(crate) fn happen(&mut self, event: &str) {
        let (a, flow) = (&mut self.a, &self.flow.clone());
        // An act that has no place changes nothing: the test sees it by the state.
        let _: Result<(), ActError> = match event {
            "accept" => a.accept(flow),
            "show" => a.show_qr(flow).map(drop),
            "scan" => {
                let code = self.b.show_qr(&self.at_b).unwrap_or_default();
                a.scan(flow, &code)
            }
            "scan bad" => {
                let mut code = self.b.show_qr(&self.at_b).unwrap_or_default();
                code.get_mut(20 + flow.id.len()).into_iter().for_each(|byte| *byte ^= 1);
                a.scan(flow, &code)
            }
            "start SAS" => a.start_sas(flow),
            "confirm" => a.confirm(flow),
            "mismatch" => a.mismatch(flow),
            "cancel" => a.cancel(flow),
            "prompt over" => return a.pass(2 * MINUTE),
            "time over" => return a.pass(10 * MINUTE),
            _ => return self.come(event),
        };
    }

    /// A message of a table.
    fn come(&mut self, event: &str) {
        let (a, flow) = (&mut self.a, &self.flow.clone());
        let now = super::EPOCH + a.now;
        let methods = json!(["m.sas.v1", "m.qr_code.show.v1", "m.qr_code.scan.v1", "m.reciprocate.v1"]);
        let sas = |device_id: &str| {
            json!({
                "from_device": device_id, "method": "m.sas.v1", "hashes": ["sha256"],
                "key_agreement_protocols": ["curve25519-hkdf-sha256"],
                "message_authentication_codes": ["hkdf-hmac-sha256.v2"],
                "short_authentication_string": ["decimal", "emoji"], "x": 1,
            })
        };
        let reciprocate =
            |secret: &str| json!({ "from_device": "B1", "method": "m.reciprocate.v1", "secret": secret });
        let accept = |hash: &str| {
            json!({
                "commitment": TEXT, "hash": hash, "key_agreement_protocol": "curve25519-hkdf-sha256",
                "message_authentication_code": "hkdf-hmac-sha256.v2",
                "short_authentication_string": ["decimal"],
            })
        };
        let (name, content, user_id, device_id) = match event {
            "request again" => {
                let request =
                    json!({ "from_device": "B1", "methods": methods, "timestamp": now + 1, "x": 1 });
                ("request", request, BOB, "B1")
            }
            "another request" | "another request of B2" => {
                let device_id = if event.ends_with("B2") { "B2" } else { "B1" };
                let mut request = json!({
                    "from_device": device_id, "methods": methods, "timestamp": now,
                    "transaction_id": "another", "to": ALICE, "msgtype": "m.key.verification.request",
                });
                if self.in_room {
                    request["transaction_id"].take();
                }
                ("request", request, BOB, device_id)
            }
            "ready" => ("ready", json!({ "from_device": "B1", "methods": methods, "x": 1 }), BOB, "B1"),
            "ready of nothing" => {
                ("ready", json!({ "from_device": "B1", "methods": ["m.other"] }), BOB, "B1")
            }
            "ready of B2" => ("ready", json!({ "from_device": "B2", "methods": methods }), BOB, "B2"),
            "ready of B3" => ("ready", json!({ "from_device": "B3", "methods": methods }), BOB, "B3"),
            "ready of A2" => ("ready", json!({ "from_device": "A2", "methods": methods }), ALICE, "A2"),
            "start of A2" => ("start", sas("A2"), ALICE, "A2"),
            "done of A2" => ("done", json!({}), ALICE, "A2"),
            "cancel of A2" => ("cancel", json!({ "code": "m.user", "reason": "" }), ALICE, "A2"),
            "SAS" => ("start", sas("B1"), BOB, "B1"),
            "SAS of B2" => ("start", sas("B2"), BOB, "B2"),
            "SAS of B3" => ("start", sas("B3"), BOB, "B3"),
            "SAS without hash" => {
                let mut start = sas("B1");
                start["hashes"] = json!(["sha512"]);
                ("start", start, BOB, "B1")
            }
            "reciprocate" => {
                // What stands in our own code.
                let code = a.show_qr(flow).unwrap_or_else(|_| vec![0; 200]);
                let secret = mx_types::base64::encode_to_string(&code[code.len() - 16..]);
                ("start", reciprocate(&secret), BOB, "B1")
            }
            "reciprocate bad" => ("start", reciprocate("AAAAAAAAAAAAAAAAAAAAAA"), BOB, "B1"),
            "unknown start" => {
                ("start", json!({ "from_device": "B1", "method": "org.example.m" }), BOB, "B1")
            }
            "rx accept" => ("accept", accept("sha256"), BOB, "B1"),
            "rx accept bad" => ("accept", accept("sha512"), BOB, "B1"),
            "key" => ("key", json!({ "key": TEXT }), BOB, "B1"),
            "key of zeros" => ("key", json!({ "key": "A".repeat(43) }), BOB, "B1"),
            "mac" => ("mac", json!({ "mac": { "ed25519:B1": TEXT }, "keys": TEXT }), BOB, "B1"),
            "done" => ("done", json!({}), BOB, "B1"),
            "rx cancel" => ("cancel", json!({ "code": "m.user", "reason": "" }), BOB, "B1"),
            "rx m.accepted" => ("cancel", json!({ "code": "m.accepted", "reason": "" }), BOB, "B1"),
            "malformed" => ("key", json!({ "key": 1 }), BOB, "B1"),
            _ => panic!("{event}"),
        };
        let message = self.message_of(user_id, device_id, name, content);
        self.a.receive(&message);
    }

    /// The state and what was sent, as the tables have it: `Ready [ready B1]`.
    pub(crate) fn result(&mut self) -> String {
        let state = self.a.state(&self.flow);
        let state = state.map_or("Idle".to_owned(), |state| format!("{state:?}"));
        let state = state.trim_start_matches("Started(").trim_end_matches(')').to_owned();
        let sent = self.a.sent();
        if sent.is_empty() { state } else { format!("{state} [{}]", sent.join("; ")) }
    }
}

/// 32 bytes in Base64.
const TEXT: &str = "eWm7NyVeVmXgbVhnYlZobllsWm9ibGxzV205aWJHeHo";

/// Tries each cell, and says which are not as they should be.
pub(crate) fn check(in_room: bool, event: &str, cells: &[(&str, &str)]) {
    for (state, expected) in cells {
        let mut stage = Stage::new(state, in_room);
        let before = stage.result();
        stage.happen(event);
        let result = stage.result();
        let expected = if *expected == "-" { before } else { (*expected).to_owned() };
        assert_eq!(result, expected, "{event} in {state}, {}", if in_room { ROOM } else { "to-device" });
    }
}
