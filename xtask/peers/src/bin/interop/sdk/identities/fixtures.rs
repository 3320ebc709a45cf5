//! The signed key sets of their own tests: nothing in them is refused here, and both sides come to the same trust.

use std::collections::BTreeSet;

use matrix_sdk_test::{
    ruma_response_to_json,
    test_json::keys_query_sets::{
        IdentityChangeDataSet, KeyDistributionTestData, MaloIdentityChangeDataSet,
        VerificationViolationTestData,
    },
};
use mx_cross_signing::Device;
use mx_types::{DeviceId, UserId};
use ruma::api::client::keys::get_keys::v3::Response;
use serde_json::{Value, json};

use super::{ours::Ours, theirs::Theirs};
use crate::report::{Failure, Outcome, at, expect};

const WATCHER: &str = "WATCHER";

/// Answers in their order, and who gets them.
struct Set {
    name: &'static str,
    own: &'static str,
    answers: Vec<Response>,
}

fn sets() -> [Set; 4] {
    type Distribution = KeyDistributionTestData;
    type Change = IdentityChangeDataSet;
    type Violation = VerificationViolationTestData;
    type Malo = MaloIdentityChangeDataSet;
    [
        Set {
            name: "distribution",
            own: Distribution::me_id().as_str(),
            answers: vec![
                Distribution::me_keys_query_response(),
                Distribution::dan_keys_query_response(),
                Distribution::dan_keys_query_response_device_loggedout(),
                Distribution::dave_keys_query_response(),
                Distribution::good_keys_query_response(),
            ],
        },
        Set {
            name: "identity change",
            own: "@watcher:example.org",
            answers: vec![
                Change::key_query_with_identity_a(),
                Change::key_query_with_identity_b(),
                Change::key_query_with_identity_no_identity(),
            ],
        },
        Set {
            name: "verification violation",
            own: Violation::own_id().as_str(),
            answers: vec![
                Violation::own_keys_query_response_1(),
                Violation::bob_keys_query_response_signed(),
                Violation::bob_keys_query_response_rotated(),
                Violation::carol_keys_query_response_unsigned(),
                Violation::carol_keys_query_response_signed(),
                Violation::own_keys_query_response_2(),
            ],
        },
        Set {
            name: "identity replaced",
            own: "@watcher:example.org",
            answers: vec![Malo::initial_key_query(), Malo::updated_key_query()],
        },
    ]
}

/// All of them, for a device that has verified its own user's first identity.
pub fn fixtures() -> Outcome {
    let mut compared = 0;
    for set in sets() {
        let theirs = Theirs::new(set.own, WATCHER)?;
        let mut ours = Ours::watching(set.own, WATCHER, theirs.ed25519()?)?;
        let this = Device::own(&theirs.device_keys()?, UserId::parse(set.own)?, DeviceId::parse(WATCHER)?)?;
        ours.store.insert_device(this);
        for (number, response) in set.answers.into_iter().enumerate() {
            let place = format!("{}, answer {number}", set.name);
            let answer = with_all_users(ruma_response_to_json(response));
            compared += at(&place, judge(&mut ours, &theirs, &answer))?;
            if number == 0 && ours.own.identity().is_some() {
                ours.verify_own()?;
                theirs.verify_own()?;
            }
        }
    }
    Ok(format!("{compared} judgements"))
}

/// The answer as servers give it: a user without devices has an empty object. ruma leaves out what is empty, and without an
/// entry nothing is known of a user (DL-23).
fn with_all_users(mut answer: Value) -> Value {
    let users: Vec<_> =
        answer["master_keys"].as_object().into_iter().flatten().map(|(user, _)| user.clone()).collect();
    for user in users {
        let devices = &mut answer["device_keys"][user];
        if devices.is_null() {
            *devices = json!({});
        }
    }
    answer
}

/// How many devices and users were compared.
fn judge(ours: &mut Ours, theirs: &Theirs, answer: &Value) -> Result<usize, Failure> {
    let names = |member: &str| answer[member].as_object().into_iter().flat_map(|users| users.keys());
    let users: BTreeSet<_> = names("device_keys").chain(names("master_keys")).map(String::as_str).collect();
    let users: Vec<_> = users.into_iter().collect();
    let body = answer.to_string();
    theirs.receive(&body, &users)?;
    let update = ours.receive(&body, &users)?;
    for devices in &update.devices {
        if let Some((device, why)) = devices.refused.first() {
            return Err(format!("{device} is refused: {why}").into());
        }
    }
    let mut compared = 0;
    for user in users {
        if user == ours.own.user_id() {
            let (ours, theirs) = (ours.own_state(), theirs.own_state()?);
            expect(ours == theirs, &format!("own identity: {ours:?} with us, {theirs:?} with them"))?;
        } else {
            let (ours, theirs) = (ours.user_state(user)?, theirs.user_state(user)?);
            expect(ours == theirs, &format!("{user}: {ours:?} with us, {theirs:?} with them"))?;
        }
        compared += 1;
        for device in answer["device_keys"][user].as_object().into_iter().flat_map(|devices| devices.keys()) {
            let (ours, theirs) = (ours.level(user, device)?, theirs.level(user, device)?);
            expect(ours == theirs, &format!("{device} of {user}: {ours:?} with us, {theirs:?} with them"))?;
            compared += 1;
        }
    }
    Ok(compared)
}
