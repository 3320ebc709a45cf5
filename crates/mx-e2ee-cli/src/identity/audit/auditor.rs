//! One answer after the other, user by user: memory is that of an answer and one user in it.

use std::collections::{BTreeMap, BTreeSet};

use mx_canonical_json::Limits;
use mx_cross_signing::{
    Event, Identities, Identity, NoAnswer, OwnIdentity, OwnState, Update, Usage, UserIdentity, UserState,
    receive, trust,
};
use mx_signing::{
    DeviceKeysError, DeviceRefused, KeysQueryResponse, QueryError, SignatureMemory, SignedObject, VerifyError,
};
use mx_types::{Ed25519PublicKey, UserId};

use super::{
    finding::{self, Device, Finding, Key, Object, User},
    signature::{Judge, Judgement, Signer, Subject},
    signers::{self, Signers},
    trust::{Owner, Trust},
};
use crate::{
    failure::Failure,
    identity::{own::Own, viewer::viewer},
    interrupt,
    progress::Progress,
};

type Sink<'s> = &'s mut dyn FnMut(Finding) -> Result<(), Failure>;

/// What is known before an answer, and from those before it.
#[derive(Debug)]
pub(super) struct Auditor {
    own: OwnIdentity,
    has_own: bool,
    /// What users' master signing keys must be: as somebody said, or as an earlier answer had them.
    pins: BTreeMap<String, Ed25519PublicKey>,
    /// Keys of this answer, by which those of the next are judged.
    seen: BTreeMap<String, Ed25519PublicKey>,
    /// Those whom the command line names and no answer has had yet.
    missing: BTreeSet<String>,
    memory: SignatureMemory,
    max_devices: usize,
}

impl Auditor {
    pub(super) fn new(
        own: Option<&Own>,
        pins: BTreeMap<String, Ed25519PublicKey>,
        max_devices: usize,
    ) -> Result<Self, Failure> {
        let mut missing: BTreeSet<_> = pins.keys().cloned().collect();
        missing.extend(own.map(|own| own.user_id.clone()));
        let mut identity = viewer(own.map_or(NOBODY, |own| &own.user_id))?;
        if let Some(msk) = own.and_then(|own| own.verified) {
            identity = identity.with_verified(msk);
        }
        Ok(Self {
            own: identity,
            has_own: own.is_some(),
            pins,
            seen: BTreeMap::new(),
            missing,
            memory: SignatureMemory::with_capacity(REMEMBERED_SIGNATURES),
            max_devices,
        })
    }

    /// Audits one answer, our own user first: others are judged by the identity there.
    pub(super) fn answer(
        &mut self,
        response: &KeysQueryResponse<'_>,
        users: &BTreeSet<&str>,
        progress: &Progress,
        found: Sink<'_>,
    ) -> Result<(), Failure> {
        match response.failures() {
            Err(error) => found(Finding::Answer { problem: format!("`failures`: {error}") })?,
            Ok(servers) => {
                for server in servers {
                    let problem = format!("{server} was not reached: users of it may be missing here");
                    found(Finding::Answer { problem })?;
                }
            }
        }
        if !self.has_own && users.contains(self.own.user_id()) {
            // Nobody is looking, so nobody in the answer is looked at as one's own.
            let mut names = (0..).map(|number: u64| format!("@{number}:invalid"));
            self.own = viewer(&names.find(|name| !users.contains(name.as_str())).unwrap_or_default())?;
        }
        let mut signers = Signers::of(response, &self.own);
        let own = self.own.user_id().to_owned();
        let own = users.get(own.as_str()).copied().filter(|_| self.has_own);
        if let Some(own) = own {
            self.user(response, &signers, own, found)?;
            signers = Signers::of(response, &self.own);
            progress.advance(1);
        }
        for user_id in users.iter().copied().filter(|user_id| Some(*user_id) != own) {
            interrupt::check().map_err(|error| Failure::input_output("cannot go on", &error))?;
            self.user(response, &signers, user_id, found)?;
            progress.advance(1);
        }
        Ok(())
    }

    /// Between two answers: what this one had is pinned for the next.
    pub(super) fn remember(&mut self, another_follows: bool) {
        let seen = core::mem::take(&mut self.seen);
        if another_follows {
            for (user_id, key) in seen {
                self.pins.entry(user_id).or_insert(key);
            }
        }
    }

    /// Whom the command line names and no answer had.
    pub(super) fn missing(&self) -> impl Iterator<Item = Finding> {
        self.missing.iter().map(|user_id| Finding::Answer {
            problem: format!("{user_id} is in no answer, but was asked for"),
        })
    }

    fn user(
        &mut self,
        response: &KeysQueryResponse<'_>,
        signers: &Signers,
        user_id: &str,
        found: Sink<'_>,
    ) -> Result<(), Failure> {
        self.missing.remove(user_id);
        let Ok(id) = UserId::parse(user_id) else {
            let problems = vec!["this is no user ID: nothing under it is taken".to_owned()];
            let user = User { user_id: user_id.to_owned(), is_own: false, state: "unknown", problems };
            return found(Finding::User(user));
        };
        let is_own = self.has_own && user_id == self.own.user_id();
        let mut store = Identities::default();
        if let Some(pin) = self.pins.get(user_id)
            && !is_own
            && let Ok(identity) = Identity::verify(&mut self.memory, response, id)
        {
            store.insert_user(UserIdentity::with_pin(identity, *pin));
        }
        let Ok(update) = receive(&mut self.memory, &self.own, &store, response, &[id], self.max_devices);
        for user in &update.users {
            store.insert_user(user.clone());
        }
        self.own = update.own.clone();
        let identity = store.users().next();
        if let Some(user) = identity {
            self.seen.insert(user_id.to_owned(), user.identity().master_signing_key().public_key());
        }

        let problem = problem(&update);
        found(Finding::User(self.user_finding(user_id, is_own, identity, &update, problem.as_ref())))?;
        let all = update.devices.into_iter().next();
        let (taken, refused) = all.map(|all| (all.devices, all.refused)).unwrap_or_default();
        let taken = taken.into_iter().map(|received| received.device);
        let taken: BTreeMap<_, _> = taken.map(|device| (device.device_id().to_owned(), device)).collect();
        let refused: BTreeMap<_, _> = refused.into_iter().collect();
        let judge = Judge {
            user_id,
            signers,
            devices: taken.iter().map(|(id, device)| (id.clone(), device.ed25519())).collect(),
            refused: refused.keys().cloned().collect(),
        };
        let keys = Usage::ALL
            .into_iter()
            .filter_map(|usage| key(&mut self.memory, response, &judge, id, usage, is_own, problem.as_ref()));
        keys.map(Finding::Key).try_for_each(&mut *found)?;

        let current = if is_own { self.own.identity() } else { identity.map(UserIdentity::identity) };
        let is_pinned = self.pins.contains_key(user_id);
        let owner = Owner { has_viewer: self.has_own, is_viewer: is_own, is_pinned };
        let devices = response.devices_with(&mut self.memory, id).into_iter().flatten();
        // Their keys are not kept: there may be a hundred thousand.
        let devices: Vec<_> =
            devices.map(|queried| (queried.device_id, queried.text, queried.keys.err())).collect();
        for (device_id, text, error) in devices {
            let refused = refused.get(&device_id).copied().or(error.map(DeviceRefused::Keys));
            let taken = taken.get(&device_id);
            let dropped = match (refused, taken) {
                (Some(refused), _) => Some(why_refused(refused)),
                (None, Some(_)) => None,
                (None, None) => Some(NOTHING_TAKEN.to_owned()),
            };
            let is_named = current.is_some_and(|identity| identity.has_key_named(&device_id));
            let warning = is_named.then_some("its ID is a cross-signing key of the user: never verify it");
            let trust = taken.map(|device| Trust::of(&trust(&self.own, identity, device), owner));
            let mut device = device(&mut self.memory, &judge, device_id, text);
            device.object.lacks_signature |=
                matches!(refused, Some(DeviceRefused::Keys(DeviceKeysError::Signature(_))));
            found(Finding::Device(Device { dropped, warning, trust, ..device }))?;
        }
        Ok(())
    }

    fn user_finding(
        &self,
        user_id: &str,
        is_own: bool,
        identity: Option<&UserIdentity>,
        update: &Update,
        problem: Option<&Problem>,
    ) -> User {
        let mut problems: Vec<_> = problem.map(|problem| problem.why.clone()).into_iter().collect();
        let state = if is_own {
            if let Some(Event::OwnIdentityChanged { from, .. }) =
                update.events.iter().find(|event| matches!(event, Event::OwnIdentityChanged { .. }))
            {
                problems.push(format!("an earlier answer had another identity, {from}"));
            }
            let state = self.own.state();
            if let (OwnState::VerificationViolation, Some(verified)) =
                (state, self.own.verified_master_signing_key())
            {
                problems.push(format!("the master signing key is not the one that was verified, {verified}"));
            }
            own_state(state)
        } else {
            let state = identity.map(|user| user.state(&self.own));
            if let (Some(UserState::PinViolation | UserState::VerificationViolation), Some(user)) =
                (state, identity)
            {
                problems.push(format!("the master signing key is not the pinned one, {}", user.pinned()));
            }
            if identity.is_none()
                && problem.is_none()
                && let Some(pin) = self.pins.get(user_id)
            {
                problems.push(format!("there is no identity, but the master signing key {pin} is pinned"));
            }
            user_state(state, self.pins.contains_key(user_id))
        };
        User { user_id: user_id.to_owned(), is_own, state, problems }
    }
}

/// Why an answer has nothing, or no identity, of a user that is taken.
#[derive(Debug)]
struct Problem {
    why: String,
    /// What it means for a key that has nothing wrong itself.
    of_key: &'static str,
}

/// Who has no identity lacks none.
fn problem(update: &Update) -> Option<Problem> {
    let nothing = |why| Problem { why, of_key: NOTHING_TAKEN };
    update.events.iter().find_map(|event| match event {
        Event::NoAnswer { problem: NoAnswer::TooManyDevices { count }, .. } => Some(nothing(format!(
            "{count} devices: nothing of a user with so many is taken, unless --max-devices allows them"
        ))),
        Event::NoAnswer { problem: NoAnswer::Query(QueryError::NoAnswer), .. } => {
            Some(nothing("the user is not in `device_keys`".to_owned()))
        }
        Event::NoAnswer { problem: NoAnswer::Query(error), .. } => Some(nothing(error.to_string())),
        Event::NoAnswer { problem, .. } => Some(nothing(format!("{problem:?}"))),
        Event::IdentityKept { error, .. } => Some(Problem {
            why: format!("the identity is not taken: {error}"),
            of_key: "the identity is taken as a whole, or not at all",
        }),
        _ => None,
    })
}

fn key(
    memory: &mut SignatureMemory,
    response: &KeysQueryResponse<'_>,
    judge: &Judge<'_>,
    user_id: UserId<'_>,
    usage: Usage,
    is_own: bool,
    problem: Option<&Problem>,
) -> Option<Key> {
    let text = signers::text(response, user_id, usage)?;
    let parsed = signers::key(response, user_id, usage)?;
    let mut object = Object::of(judge, memory, Subject::Key(usage), None, text);
    let is_certified = object.signatures.iter().any(|signature| {
        signature.judgement == Judgement::Valid
            && matches!(signature.signer, Some(Signer::Key(Usage::Master, _)))
    });
    object.lacks_signature |= usage != Usage::Master && !is_certified;
    let dropped = match &parsed {
        Err(error) => Some(finding::why_no_key(*error, text)),
        Ok(_) if usage != Usage::Master && !is_certified => {
            Some("the user's master signing key has not signed it".to_owned())
        }
        Ok(_) if usage == Usage::UserSigning && !is_own => None,
        Ok(_) => problem.map(|problem| problem.of_key.to_owned()),
    };
    let note = (usage == Usage::UserSigning && !is_own && dropped.is_none())
        .then_some("only its owner uses it, and only its owner's answers have it");
    Some(Key { user_id: user_id.as_str().to_owned(), usage, key: parsed.ok(), object, dropped, note })
}

/// A device without what was made of it.
fn device(memory: &mut SignatureMemory, judge: &Judge<'_>, device_id: String, text: &str) -> Device {
    let object = SignedObject::parse(text, &Limits::DEFAULT).ok();
    let key = object.as_ref().and_then(|object| finding::claimed_key(object, &device_id));
    Device {
        user_id: judge.user_id.to_owned(),
        key,
        display_name: object.as_ref().and_then(finding::display_name),
        object: Object::of(judge, memory, Subject::Device(&device_id), key, text),
        device_id,
        dropped: None,
        warning: None,
        trust: None,
    }
}

fn why_refused(refused: DeviceRefused) -> String {
    match refused {
        DeviceRefused::Keys(DeviceKeysError::Signature(VerifyError::NoSignature)) => {
            "the device has not signed its own keys".to_owned()
        }
        DeviceRefused::Keys(DeviceKeysError::Signature(error)) => {
            format!("the device's signature on its own keys: {error}")
        }
        refused => refused.to_string(),
    }
}

const fn own_state(state: OwnState) -> &'static str {
    match state {
        OwnState::Verified => "verified",
        OwnState::NeverVerified => "not verified",
        OwnState::VerificationViolation => "not the verified identity",
        _ => "no identity",
    }
}

const fn user_state(state: Option<UserState>, is_pinned: bool) -> &'static str {
    match state {
        None => "no identity",
        Some(UserState::Verified) => "verified",
        Some(UserState::Pinned) if is_pinned => "the pinned identity",
        Some(UserState::Pinned) => "not verified",
        Some(_) => "not the pinned identity",
    }
}

/// Nobody looks.
const NOBODY: &str = "@:invalid";

const NOTHING_TAKEN: &str = "nothing of the user is taken";

/// For each device its own and the self-signing key's: of an answer about 10^5 devices nothing is verified twice. 15 MB when full.
const REMEMBERED_SIGNATURES: usize = 1 << 18;
