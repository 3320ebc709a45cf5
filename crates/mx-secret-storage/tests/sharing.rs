//! Requests and answers between the devices of one user.

use mx_secret_storage::{
    Accepted, Action, AnswerRefused, Generation, KnownDevice, MASTER, MAX_ASKED_DEVICES, MAX_NAME_LEN,
    MAX_REQUESTS, MAX_SECRET_LEN, MEGOLM_BACKUP_V1, MalformedObject, OwnDeviceTrust, PickleKey, RequestError,
    RequestMessage, RequestRefused, Secret, SecretRefused, SecretRequest, SecretRequestError, SecretSend,
    SecretSendError, SecretSharing, SecretTooLong, ValidateError,
};
use mx_types::{DeviceId, UserId};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use zeroize::Zeroizing;

const ALICE: &str = "@alice:example.org";

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn user(id: &str) -> UserId<'_> {
    UserId::parse(id).expect("is a user ID")
}

fn device(id: &str) -> DeviceId<'_> {
    DeviceId::parse(id).expect("is a device ID")
}

fn known<'a>(user_id: &'a str, device_id: &'a str, trust: OwnDeviceTrust) -> KnownDevice<'a> {
    KnownDevice { user_id: user(user_id), device_id: device(device_id), trust }
}

fn verified(device_id: &str) -> KnownDevice<'_> {
    known(ALICE, device_id, OwnDeviceTrust::CrossSigned)
}

fn send(request_id: &str, secret: &str) -> SecretSend {
    let content = format!(r#"{{"request_id":"{request_id}","secret":"{secret}"}}"#);
    SecretSend::parse(&content).expect("is an answer")
}

fn secret(text: &str) -> Secret {
    Secret::new(Zeroizing::new(text.to_owned())).expect("is short")
}

/// A request of the device LAPTOP to PHONE and TABLET.
fn asked(name: &str) -> (SecretSharing, RequestMessage) {
    let mut sharing = SecretSharing::new(user(ALICE), device("LAPTOP"));
    let message = sharing
        .request(&mut rng(), name, &[device("PHONE"), device("TABLET"), device("PHONE"), device("LAPTOP")])
        .expect("is possible");
    (sharing, message)
}

fn is_right(secret: &Secret) -> Result<String, &'static str> {
    if secret.as_str() == "right" { Ok(secret.as_str().to_owned()) } else { Err("wrong") }
}

// SSS-30
#[test]
fn a_request_goes_to_each_other_device_once() {
    let (sharing, message) = asked(MASTER);
    assert_eq!(message.device_ids, ["PHONE", "TABLET"]);
    let id = &message.request_id;
    assert_eq!(
        message.content,
        format!(
            r#"{{"action":"request","name":"m.cross_signing.master","request_id":"{id}","requesting_device_id":"LAPTOP"}}"#
        )
    );
    let read = SecretRequest::parse(&message.content).expect("was written by us");
    assert_eq!(read.action, Action::Request { name: MASTER.to_owned() });
    assert_eq!(sharing.requests().collect::<Vec<_>>(), [(id.as_str(), MASTER)]);
}

// SSS-31 SSS-32 SSS-33
#[test]
fn a_right_answer_closes_the_request_and_cancels_it_elsewhere() {
    let (mut sharing, message) = asked(MASTER);
    let received =
        sharing.receive_secret(&verified("PHONE"), &send(&message.request_id, "right")).expect("was asked");
    assert_eq!((received.name(), received.device_id()), (MASTER, "PHONE"));
    assert_eq!(sharing.requests().count(), 1, "open until it is validated");
    let Accepted { value, cancellation } = received.validate(&mut sharing, is_right).expect("is right");
    assert_eq!(value, "right");
    let cancellation = cancellation.expect("another device was asked");
    assert_eq!(cancellation.device_ids, ["TABLET"]);
    let request = SecretRequest::parse(&cancellation.content).expect("was written by us");
    assert_eq!(request.action, Action::Cancellation);
    assert_eq!((request.requesting_device_id.as_str(), &request.request_id), ("LAPTOP", &message.request_id));
    assert_eq!(sharing.requests().count(), 0);
}

#[test]
fn a_wrong_answer_leaves_the_request_open_for_the_others() {
    let (mut sharing, message) = asked(MASTER);
    let id = &message.request_id;
    let wrong = sharing.receive_secret(&verified("PHONE"), &send(id, "wrong")).expect("was asked");
    assert_eq!(wrong.validate(&mut sharing, is_right).err(), Some(ValidateError::Wrong("wrong")));
    let again = sharing.receive_secret(&verified("PHONE"), &send(id, "right")).err();
    assert_eq!(again, Some(SecretRefused::AnsweredBefore));
    let right = sharing.receive_secret(&verified("TABLET"), &send(id, "right")).expect("was asked");
    assert!(right.validate(&mut sharing, is_right).is_ok());
}

#[test]
fn of_two_answers_at_once_the_first_that_is_validated_counts() {
    let (mut sharing, message) = asked(MASTER);
    let id = &message.request_id;
    let one = sharing.receive_secret(&verified("PHONE"), &send(id, "right")).expect("was asked");
    let other = sharing.receive_secret(&verified("TABLET"), &send(id, "right")).expect("was asked");
    assert!(one.validate(&mut sharing, is_right).is_ok());
    let late = other.validate(&mut sharing, |_| -> Result<(), &str> { panic!("must not be looked at") });
    assert_eq!(late.err(), Some(ValidateError::Closed));
}

// SSS-32
#[test]
fn a_request_is_cancelled_alone() {
    let (mut sharing, message) = asked(MASTER);
    let other = sharing.request(&mut ChaCha20Rng::from_seed([2; 32]), MEGOLM_BACKUP_V1, &[device("PHONE")]);
    let other = other.expect("is possible").request_id;
    let cancellation = sharing.cancel(&message.request_id).expect("is open");
    assert_eq!(cancellation.device_ids, ["PHONE", "TABLET"]);
    assert_eq!(sharing.cancel(&message.request_id), None);
    assert_eq!(sharing.requests().collect::<Vec<_>>(), [(other.as_str(), MEGOLM_BACKUP_V1)]);
}

#[test]
fn what_cannot_be_asked_is_refused_and_changes_nothing() {
    let mut sharing = SecretSharing::new(user(ALICE), device("LAPTOP"));
    let phone = [device("PHONE")];
    let mut ask = |name: &str, devices: &[DeviceId<'_>]| sharing.request(&mut rng(), name, devices).err();
    assert_eq!(ask("", &phone), Some(RequestError::NameLength { len: 0 }));
    let long = "a".repeat(MAX_NAME_LEN + 1);
    assert_eq!(ask(&long, &phone), Some(RequestError::NameLength { len: MAX_NAME_LEN + 1 }));
    assert_eq!(ask(MASTER, &[]), Some(RequestError::NoDevices));
    assert_eq!(ask(MASTER, &[device("LAPTOP")]), Some(RequestError::NoDevices));
    let ids: Vec<_> = (0..=MAX_ASKED_DEVICES).map(|id| id.to_string()).collect();
    let devices: Vec<_> = ids.iter().map(|id| device(id)).collect();
    assert_eq!(ask(MASTER, &devices), Some(RequestError::TooManyDevices));
    assert_eq!(sharing.requests().count(), 0);
    for _ in 0..MAX_REQUESTS {
        let _ = sharing.request(&mut rng(), MASTER, &phone).expect("is possible");
    }
    assert_eq!(sharing.request(&mut rng(), MASTER, &phone), Err(RequestError::TooManyRequests));
}

// SSS-32
#[test]
fn only_verified_and_cross_signed_own_devices_get_an_answer() {
    let (_, message) = asked(MASTER);
    let id = &message.request_id;
    let mut sharing = SecretSharing::new(user(ALICE), device("PHONE"));
    let request = SecretRequest::parse(&message.content).expect("was written by us");
    sharing.receive_request(user(ALICE), request).expect("is taken");

    let mut refused = |device: KnownDevice<'_>| sharing.permit(&device, id).err();
    let laptop = |trust| known(ALICE, "LAPTOP", trust);
    let mallory = known("@mallory:example.org", "LAPTOP", OwnDeviceTrust::CrossSigned);
    assert_eq!(refused(mallory), Some(AnswerRefused::NotOwnUser));
    assert_eq!(refused(verified("TABLET")), Some(AnswerRefused::NotRequested));
    assert_eq!(refused(laptop(OwnDeviceTrust::NotVerified)), Some(AnswerRefused::NotVerified));
    assert_eq!(refused(laptop(OwnDeviceTrust::VerifiedHere)), Some(AnswerRefused::NotCrossSigned));

    let permit = sharing.permit(&verified("LAPTOP"), id).expect("is still open");
    assert_eq!((permit.name(), permit.device_id()), (MASTER, "LAPTOP"));
    let answer = permit.answer(&secret("right"));
    assert_eq!(answer.content.as_str(), format!(r#"{{"request_id":"{id}","secret":"right"}}"#));
    assert_eq!(answer.device_id, "LAPTOP");
    assert_eq!(sharing.permit(&verified("LAPTOP"), id).err(), Some(AnswerRefused::NotRequested));
}

#[test]
fn received_requests_are_kept_and_cancelled_one_by_one() {
    let mut sharing = SecretSharing::new(user(ALICE), device("PHONE"));
    let request = |device_id: &str, id: &str, name: Option<&str>| SecretRequest {
        action: name.map_or(Action::Cancellation, |name| Action::Request { name: name.to_owned() }),
        requesting_device_id: device_id.to_owned(),
        request_id: id.to_owned(),
    };
    let mut receive = |sender: &str, request| sharing.receive_request(user(sender), request);
    assert_eq!(receive(ALICE, request("A", "1", Some(MASTER))), Ok(()));
    assert_eq!(receive(ALICE, request("B", "1", Some(MASTER))), Ok(()));
    assert_eq!(receive(ALICE, request("A", "1", Some("other"))), Err(RequestRefused::Repeated));
    assert_eq!(receive("@bob:example.org", request("A", "2", Some(MASTER))), Err(RequestRefused::NotOwnUser));
    assert_eq!(receive(ALICE, request("PHONE", "2", Some(MASTER))), Err(RequestRefused::ThisDevice));
    assert_eq!(receive("@bob:example.org", request("A", "1", None)), Err(RequestRefused::NotOwnUser));
    assert_eq!(receive(ALICE, request("A", "2", None)), Ok(()));
    let open = |sharing: &SecretSharing| -> Vec<_> {
        sharing.received_requests().iter().map(|open| (open.device_id.clone(), open.name.clone())).collect()
    };
    let (a, b) = (("A".to_owned(), MASTER.to_owned()), ("B".to_owned(), MASTER.to_owned()));
    assert_eq!(open(&sharing), [a, b.clone()]);
    assert_eq!(sharing.receive_request(user(ALICE), request("A", "1", None)), Ok(()));
    assert_eq!(open(&sharing), [b]);
    assert!(sharing.dismiss("B", "1") && !sharing.dismiss("B", "1"));

    for id in 0..MAX_REQUESTS {
        sharing.receive_request(user(ALICE), request("A", &id.to_string(), Some("x"))).expect("is taken");
    }
    let one_more = sharing.receive_request(user(ALICE), request("A", "x", Some("x")));
    assert_eq!(one_more, Err(RequestRefused::TooManyRequests));
}

// SSS-30
#[test]
fn a_malformed_request_says_what_is_wrong() {
    let good = r#"{"action":"request","name":"n","requesting_device_id":"D","request_id":"1"}"#;
    assert!(SecretRequest::parse(good).is_ok());
    for member in ["action", "name", "requesting_device_id", "request_id"] {
        let quoted = format!(r#""{member}""#);
        let error = |json: String| SecretRequest::parse(&json).err();
        let object = |error| Some(SecretRequestError::Object(error));
        assert_eq!(error(good.replacen(&quoted, r#""x""#, 1)), object(MalformedObject::Missing { member }));
        let null = good.replacen(&quoted, &format!(r#"{quoted}:null,"x""#), 1);
        assert_eq!(error(null), object(MalformedObject::WrongType { member }));
        let twice = good.replacen('{', &format!("{{{quoted}:\"1\","), 1);
        assert_eq!(error(twice), object(MalformedObject::Ambiguous));
    }
    let error = |from: &str, to: &str| SecretRequest::parse(&good.replacen(from, to, 1)).err();
    assert_eq!(error(r#":"request""#, r#":"gossip""#), Some(SecretRequestError::UnknownAction));
    assert!(matches!(error(r#""D""#, r#""""#), Some(SecretRequestError::DeviceId(_))));
    assert_eq!(error(r#""1""#, r#""""#), Some(SecretRequestError::Length { member: "request_id", len: 0 }));
    assert_eq!(error(r#""n""#, r#""""#), Some(SecretRequestError::Length { member: "name", len: 0 }));
    let cancellation = r#"{"action":"request_cancellation","requesting_device_id":"D","request_id":"1"}"#;
    assert_eq!(SecretRequest::parse(cancellation).expect("needs no name").action, Action::Cancellation);
    assert!(SecretRequest::parse(&good.replacen('{', r#"{"x":[1.5],"#, 1)).is_ok());
}

// SSS-31
#[test]
fn a_malformed_answer_says_what_is_wrong() {
    let error = |json: &str| SecretSend::parse(json).err();
    let object = |error| Some(SecretSendError::Object(error));
    assert_eq!(error(r#"{"secret":"a"}"#), object(MalformedObject::Missing { member: "request_id" }));
    assert_eq!(error(r#"{"request_id":"1"}"#), object(MalformedObject::Missing { member: "secret" }));
    let wrong = object(MalformedObject::WrongType { member: "secret" });
    for json in ["null", "1", "{}", "[\"a\"]", r#""\ud83d""#] {
        assert_eq!(error(&format!(r#"{{"request_id":"1","secret":{json}}}"#)), wrong, "{json}");
    }
    let twice = r#"{"request_id":"1","secret":"a","secret":"b"}"#;
    assert_eq!(error(twice), object(MalformedObject::Ambiguous));
    assert_eq!(error(r#""a secret""#), object(MalformedObject::NotAnObject));
    assert_eq!(error(r#"{"request_id":"","secret":"a"}"#), Some(SecretSendError::RequestId { len: 0 }));
    let long = "a".repeat(MAX_SECRET_LEN + 1);
    let too_long = SecretSendError::TooLong(SecretTooLong { len: MAX_SECRET_LEN + 1 });
    assert_eq!(error(&format!(r#"{{"request_id":"1","secret":"{long}"}}"#)), Some(too_long));
}

#[test]
fn nothing_that_was_cut_off_is_read() {
    let (_, message) = asked(MASTER);
    let answer = r#"{"request_id":"1","secret":"a\u00e9"}"#;
    assert!(SecretSend::parse(answer).is_ok());
    for end in 0..message.content.len() {
        assert!(SecretRequest::parse(&message.content[..end]).is_err(), "{}", &message.content[..end]);
    }
    for end in 0..answer.len() {
        assert!(SecretSend::parse(&answer[..end]).is_err(), "{}", &answer[..end]);
    }
}

#[test]
fn any_text_is_answered_and_read_again() {
    for text in ["", "a/b+c=", "\"\\\0\u{1f}\u{7f}日😀\n", &"\u{1}".repeat(MAX_SECRET_LEN)] {
        let (mut laptop, message) = asked(MASTER);
        let mut phone = SecretSharing::new(user(ALICE), device("PHONE"));
        let request = SecretRequest::parse(&message.content).expect("was written by us");
        phone.receive_request(user(ALICE), request).expect("is taken");
        let permit = phone.permit(&verified("LAPTOP"), &message.request_id).expect("may have it");
        let answer = permit.answer(&secret(text));
        let answer = SecretSend::parse(&answer.content).expect("was written by us");
        let received = laptop.receive_secret(&verified("PHONE"), &answer).expect("was asked");
        let same = |secret: &Secret| if secret.as_str() == text { Ok(()) } else { Err("differs") };
        assert!(received.validate(&mut laptop, same).is_ok());
    }
}

#[test]
fn open_requests_survive_a_restart() {
    let key = PickleKey::new(&[7; 32]);
    let (mut sharing, message) = asked(MASTER);
    let id = &message.request_id;
    let request = SecretRequest::parse(&message.content.replace("LAPTOP", "TABLET")).expect("is a request");
    sharing.receive_request(user(ALICE), request).expect("is taken");
    let _ = sharing.receive_secret(&verified("PHONE"), &send(id, "wrong")).expect("was asked");

    let pickle = sharing.pickle_to_vec(&mut rng(), &key).expect("is possible");
    let mut restored =
        SecretSharing::from_pickle(&key, Generation::NEVER_PICKLED, &pickle).expect("was written by us");
    assert_eq!(format!("{restored:?}"), format!("{sharing:?}"));
    let answered = restored.receive_secret(&verified("PHONE"), &send(id, "right")).err();
    assert_eq!(answered, Some(SecretRefused::AnsweredBefore));

    let newer = sharing.pickle_to_vec(&mut rng(), &key).expect("is possible");
    assert!(SecretSharing::from_pickle(&key, sharing.generation(), &pickle).is_err(), "is too old");
    assert!(SecretSharing::from_pickle(&key, sharing.generation(), &newer).is_ok());
    for len in 0..newer.len() {
        assert!(SecretSharing::from_pickle(&key, Generation::NEVER_PICKLED, &newer[..len]).is_err());
    }
    for at in 0..newer.len() {
        let mut changed = newer.clone();
        changed[at] ^= 1;
        assert!(SecretSharing::from_pickle(&key, Generation::NEVER_PICKLED, &changed).is_err(), "byte {at}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let (mut sharing, message) = asked(MASTER);
    let answer = send(&message.request_id, "s3cret");
    let received = sharing.receive_secret(&verified("PHONE"), &answer).expect("was asked");
    for shown in [format!("{answer:?}"), format!("{received:?}"), format!("{sharing:?}")] {
        assert!(!shown.contains("s3cret") && shown.contains(&message.request_id), "{shown}");
    }
    let request = SecretRequest::parse(&message.content).expect("was written by us");
    let mut phone = SecretSharing::new(user(ALICE), device("PHONE"));
    phone.receive_request(user(ALICE), request).expect("is taken");
    let permit = phone.permit(&verified("LAPTOP"), &message.request_id).expect("may have it");
    let shown = format!("{:?}", permit.answer(&secret("s3cret")));
    assert_eq!(shown, r#"SecretAnswer { device_id: "LAPTOP", .. }"#);
}
