//! Trust against the rules, written down once more: every small graph, and many larger ones with a history.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail")]
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a test has std")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use mx_cross_signing::{
    LocalTrust, OwnState, Subject, TrustLevel, UserState, Verification, sign_pending, trust, verify_user,
};
use mx_signing::KeysQueryResponse;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use serde_json::{Value, json};
use support::*;

/// A signature in a graph.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Edge {
    Absent,
    Valid,
    /// Under the right ID, by somebody else.
    WrongSigner,
    /// By a key of the right user in another role.
    WrongUsage,
}

use Edge::{Absent, Valid, WrongSigner, WrongUsage};

const EDGES: [Edge; 4] = [Absent, Valid, WrongSigner, WrongUsage];

/// The four forms of an object: `signer` is the right one, `other` has another role.
fn forms(object: &Value, by: &str, signer: &str, other: &str) -> [Value; 4] {
    let id = public(signer).to_string();
    EDGES.map(|edge| match edge {
        Absent => object.clone(),
        Valid => sign_by(object.clone(), signer, by),
        WrongSigner => sign(object.clone(), &key("mallory"), by, &id),
        WrongUsage => sign_by(object.clone(), other, by),
    })
}

/// What is found: our own state, Bob's, and the levels of two devices of each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Verdict {
    own: OwnState,
    bob: Option<UserState>,
    levels: [TrustLevel; 4],
}

/// The rules. Edges: our master signing key on our two other keys, our self-signing key on two devices, what this device has
/// verified, our user-signing key on Bob, his master on his self-signing key, that on two devices.
fn rules(edges: [Edge; 9]) -> Verdict {
    let valid = edges.map(|edge| edge == Valid);
    // What this device has verified: nothing, our key, another one; a signature of this device that a server shows is nothing.
    let (identity, fact) = (valid[0] && valid[1], edges[4]);
    let own = match (identity, fact) {
        // The other identity was there before, and an unusable one does not take its place.
        (false, WrongSigner) => OwnState::Verified,
        (false, _) => OwnState::NoIdentity,
        (true, Valid) => OwnState::Verified,
        (true, WrongSigner) => OwnState::VerificationViolation,
        (true, _) => OwnState::NeverVerified,
    };
    let own_level = |signed: bool| match (identity && signed, own) {
        (false, _) => TrustLevel::Unsigned,
        (true, OwnState::Verified) => TrustLevel::Verified,
        (true, OwnState::VerificationViolation) => TrustLevel::CrossSignedViolation,
        (true, _) => TrustLevel::CrossSignedTofu,
    };
    let is_verified = identity && own == OwnState::Verified && valid[5];
    let bob = valid[6].then_some(if is_verified { UserState::Verified } else { UserState::Pinned });
    let level = |signed: bool| match (bob, signed) {
        (None, _) | (_, false) => TrustLevel::Unsigned,
        (Some(UserState::Verified), true) => TrustLevel::Verified,
        (Some(_), true) => TrustLevel::CrossSignedTofu,
    };
    Verdict { own, bob, levels: [own_level(valid[2]), own_level(valid[3]), level(valid[7]), level(valid[8])] }
}

fn edges_of(number: usize, count: u32) -> impl Iterator<Item = usize> {
    (0..count).map(move |place| number / 4_usize.pow(place) % 4)
}

/// Every graph, in order of its number to base 4.
fn all_small_graphs() -> Vec<Verdict> {
    let device = |user_id: &str, id: &str, ssk: &str, msk: &str| {
        forms(&device_keys(user_id, id, id), user_id, ssk, msk)
    };
    let own_msk = signing_key(ALICE, "master", "a-m");
    let own_msk_by_phone = sign(own_msk.clone(), &key("PHONE"), ALICE, "PHONE");
    let own_ssk = forms(&signing_key(ALICE, "self_signing", "a-s"), ALICE, "a-m", "a-u");
    let own_usk = forms(&signing_key(ALICE, "user_signing", "a-u"), ALICE, "a-m", "a-s");
    let own_devices = ["TABLET", "WATCH"].map(|id| device(ALICE, id, "a-s", "a-m"));
    let msk = forms(&signing_key(BOB, "master", "b-m"), ALICE, "a-u", "a-s");
    let ssk = forms(&signing_key(BOB, "self_signing", "b-s"), BOB, "b-m", "b-u");
    let devices = ["LAPTOP", "PAD"].map(|id| device(BOB, id, "b-s", "b-m"));

    let bodies_of_bob: Vec<String> = (0..256)
        .map(|number| {
            let mut edges = edges_of(number, 4);
            let mut next = || edges.next().unwrap();
            let mut answer = Answer::new();
            answer.msks.insert(BOB.to_owned(), msk[next()].clone());
            answer.ssks.insert(BOB.to_owned(), ssk[next()].clone());
            let answer = answer.raw_device(BOB, "LAPTOP", devices[0][next()].clone());
            answer.raw_device(BOB, "PAD", devices[1][next()].clone()).body()
        })
        .collect();
    let responses: Vec<_> =
        bodies_of_bob.iter().map(|body| KeysQueryResponse::parse(body).unwrap()).collect();

    let z = Answer::new().identity(ALICE, "z").device(ALICE, "PHONE", None);
    let mut phone = Phone::new();
    let mut verdicts = Vec::with_capacity(1 << 18);
    for number in 0..1024 {
        let mut edges = edges_of(number, 5);
        let mut next = || edges.next().unwrap();
        let mut answer = Answer::new();
        answer.ssks.insert(ALICE.to_owned(), own_ssk[next()].clone());
        answer.usks.insert(ALICE.to_owned(), own_usk[next()].clone());
        let answer = answer.raw_device(ALICE, "TABLET", own_devices[0][next()].clone());
        let mut answer = answer.raw_device(ALICE, "WATCH", own_devices[1][next()].clone());
        let fact = EDGES[next()];
        let msk = if fact == WrongUsage { &own_msk_by_phone } else { &own_msk };
        answer.msks.insert(ALICE.to_owned(), msk.clone());

        // The memory of signatures goes on from graph to graph.
        phone = Phone { memory: phone.memory, ..Phone::new() };
        if fact == WrongSigner {
            phone.receive(&z);
            phone.verify_own();
        }
        phone.receive(&answer);
        if fact == Valid && phone.own.identity().is_some() {
            phone.verify_own();
        }
        let own_devices = phone.store.clone();
        for response in &responses {
            phone.store = own_devices.clone();
            phone.store.receive(&mut phone.memory, &mut phone.own, response, &[user(BOB)]);
            let level = |user_id, id| phone.level(user_id, id).unwrap();
            verdicts.push(Verdict {
                own: phone.own.state(),
                bob: phone.state(BOB),
                levels: [
                    level(ALICE, "TABLET"),
                    level(ALICE, "WATCH"),
                    level(BOB, "LAPTOP"),
                    level(BOB, "PAD"),
                ],
            });
        }
    }
    // 34 objects with their signatures: each was verified once, wrong ones each time.
    assert!(phone.memory.len() < 40, "{}", phone.memory.len());
    verdicts
}

/// The edges of a graph in the order of [`all_small_graphs`].
fn edges(number: usize) -> [Edge; 9] {
    let mut edges = edges_of(number / 256, 5).chain(edges_of(number % 256, 4)).map(|edge| EDGES[edge]);
    core::array::from_fn(|_| edges.next().unwrap())
}

// TRU-2, TRU-3, TRU-4, TRU-6, TRU-11
#[test]
fn attack_119_every_graph_of_two_users_with_two_devices_each() {
    let verdicts = all_small_graphs();
    assert_eq!(verdicts.len(), 1 << 18);
    let number_of = |edges: [usize; 9]| {
        let digits = |edges: &[usize]| edges.iter().rev().fold(0, |number, edge| number * 4 + edge);
        digits(&edges[..5]) * 256 + digits(&edges[5..])
    };
    for (number, verdict) in verdicts.iter().enumerate() {
        let edges = edges(number);
        assert_eq!(*verdict, rules(edges), "{edges:?}");
        // Taking a signature away never adds trust.
        for place in (0..9).filter(|place| edges[*place] == Valid) {
            let mut fewer = edges.map(|edge| EDGES.iter().position(|other| *other == edge).unwrap());
            fewer[place] = 0;
            let without = verdicts[number_of(fewer)];
            for (less, more) in without.levels.iter().zip(verdict.levels) {
                assert!(*less <= more, "{edges:?} without {place}");
            }
            assert!(without.bob != Some(UserState::Verified) || verdict.bob == Some(UserState::Verified));
        }
    }
}

// The larger ones: several users, keys that change and come back, signatures that come and go, users who act.

const USERS: [&str; 4] = ["@b:example.org", "@c:example.org", "@d:example.org", "@e:example.org"];
const DEVICES: [&str; 3] = ["D0", "D1", "D2"];

/// Identities of one user by number: (master signing key, self-signing key, user-signing key).
#[derive(Clone, Debug, Default)]
struct Model {
    current: Option<(u32, u32, u32)>,
    // Of ourselves.
    verified: Option<u32>,
    // Of others.
    pinned: u32,
    accepted: u32,
    latch: bool,
    discarded: BTreeSet<u32>,
    /// (our user-signing key, their master signing key)
    signed: BTreeSet<(u32, u32)>,
    here: Option<u32>,
    /// What was seen under a master signing key, latest last: (role, key)
    seen: BTreeMap<u32, Vec<(u8, u32)>>,
    /// By device: the self-signing key whose signature was seen, and the user's word.
    devices: BTreeMap<usize, (Option<u32>, LocalTrust)>,
}

impl Model {
    fn is_own_verified(&self) -> bool {
        self.current.is_some_and(|(msk, ..)| self.verified == Some(msk))
    }

    fn is_verified(&self, own: &Self) -> bool {
        let (Some((msk, ..)), Some((.., usk))) = (self.current, own.current) else { return false };
        own.is_own_verified() && self.signed.contains(&(usk, msk)) && !self.discarded.contains(&msk)
    }

    fn state(&self, own: &Self) -> Option<UserState> {
        let (msk, ..) = self.current?;
        Some(match (self.is_verified(own), self.latch, self.pinned == msk) {
            (true, ..) => UserState::Verified,
            (_, true, _) => UserState::VerificationViolation,
            (.., false) => UserState::PinViolation,
            _ => UserState::Pinned,
        })
    }

    fn accept(&mut self) {
        let (msk, ..) = self.current.unwrap();
        if self.here != Some(msk) {
            self.here = None;
        }
        if self.accepted != msk {
            self.discarded.insert(self.accepted);
            self.accepted = msk;
        }
    }

    fn refresh(&mut self, own: &Self) {
        if self.is_verified(own) {
            self.latch = true;
            self.accept();
        }
    }

    /// Takes the identity unless it has a key that was replaced. Whether it did.
    fn replace(&mut self, new: (u32, u32, u32), roles: &[u8]) -> bool {
        let (msk, ssk, usk) = new;
        let is_own = roles.len() == 2;
        let keep = if is_own { [self.verified; 2] } else { [Some(self.pinned), Some(self.accepted)] };
        let key = |role: u8| (role, if role == 0 { ssk } else { usk });
        let latest = |seen: &[(u8, u32)], role| seen.iter().rfind(|(of, _)| *of == role).copied();
        let empty = Vec::new();
        let seen = self.seen.get(&msk).unwrap_or(&empty);
        if roles.iter().any(|role| seen.contains(&key(*role)) && latest(seen, *role) != Some(key(*role))) {
            return false;
        }
        let first = self.current.is_none();
        self.current = Some(new);
        if first {
            (self.pinned, self.accepted) = (msk, msk);
        }
        self.seen.retain(|seen, _| *seen == msk || (!first && keep.contains(&Some(*seen))));
        let seen = self.seen.entry(msk).or_default();
        for role in roles {
            if latest(seen, *role) != Some(key(*role)) {
                seen.push(key(*role));
            }
        }
        true
    }
}

/// What a server says of a user: the keys it shows, and whether they hold together.
struct Shown {
    keys: Option<((u32, u32, u32), bool)>,
    /// Our user-signing keys that have signed the master signing key.
    signed: Vec<u32>,
    /// Device and signatures of self-signing keys.
    devices: Vec<(usize, Vec<u32>)>,
}

struct World {
    rng: ChaCha20Rng,
    objects: BTreeMap<String, Value>,
}

impl World {
    fn below(&mut self, bound: u32) -> u32 {
        self.rng.next_u32() % bound
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    fn object(&mut self, name: String, make: impl FnOnce() -> Value) -> Value {
        self.objects.entry(name).or_insert_with(make).clone()
    }

    /// Puts some of a server's view of a user into an answer.
    fn show(&mut self, answer: &mut Answer, user_id: &str) -> Shown {
        let own = user_id == ALICE;
        let prefix = user_id[1..2].to_owned();
        let name = |role: &str, number: u32| format!("{prefix}-{role}{number}");
        let mut keys = None;
        if self.chance(85) {
            let (msk, ssk, usk) = (self.below(2), self.below(3), if own { self.below(2) } else { 0 });
            let mut valid = true;
            let mut certificate = |world: &mut Self, role: &str, usage: &str, number: u32| {
                let edge = if world.chance(90) { Valid } else { EDGES[world.below(4) as usize] };
                valid &= edge == Valid;
                world.object(format!("{user_id}{usage}{number}{msk}{edge:?}"), || {
                    let object = signing_key(user_id, usage, &name(role, number));
                    let forms = forms(&object, user_id, &name("m", msk), &name("x", 0));
                    forms[EDGES.iter().position(|other| *other == edge).unwrap()].clone()
                })
            };
            let ssk_object = certificate(self, "s", "self_signing", ssk);
            answer.ssks.insert(user_id.to_owned(), ssk_object);
            if own {
                let usk_object = certificate(self, "u", "user_signing", usk);
                answer.usks.insert(user_id.to_owned(), usk_object);
            }
            keys = Some(((msk, ssk, usk), valid));
        }
        let mut signed = Vec::new();
        if let Some(((msk, ..), _)) = keys {
            let edges = if own { [Absent; 2] } else { [(); 2].map(|()| EDGES[self.below(4) as usize]) };
            let object = self.object(format!("{user_id}{msk}{edges:?}"), || {
                let mut object = signing_key(user_id, "master", &name("m", msk));
                for (usk, edge) in edges.into_iter().enumerate() {
                    let all = forms(&object, ALICE, &format!("a-u{usk}"), &format!("a-s{usk}"));
                    object = all[EDGES.iter().position(|other| *other == edge).unwrap()].clone();
                }
                object
            });
            answer.msks.insert(user_id.to_owned(), object);
            signed = (0..2).filter(|usk| edges[*usk as usize] == Valid).collect();
        }
        let mut devices = Vec::new();
        answer.devices.insert(user_id.to_owned(), json!({}));
        for (number, id) in DEVICES.iter().enumerate() {
            if self.chance(80) {
                let edges =
                    [(); 3].map(|()| if self.chance(50) { Valid } else { EDGES[self.below(4) as usize] });
                let object = self.object(format!("{user_id}{id}{edges:?}"), || {
                    let mut object = device_keys(user_id, id, &format!("{prefix}{id}"));
                    for (ssk, edge) in (0..).zip(edges) {
                        let all = forms(&object, user_id, &name("s", ssk), &name("m", 0));
                        object = all[EDGES.iter().position(|other| *other == edge).unwrap()].clone();
                    }
                    object
                });
                answer.devices[user_id][*id] = object;
                devices.push((number, (0..3).filter(|ssk| edges[*ssk as usize] == Valid).collect()));
            }
        }
        Shown { keys, signed, devices }
    }
}

/// One response, in the model.
fn respond(models: &mut BTreeMap<&str, Model>, shown: BTreeMap<&str, Shown>) {
    let mut own = models[ALICE].clone();
    if let Some(Shown { keys: Some((keys, true)), .. }) = shown.get(ALICE) {
        own.replace(*keys, &[0, 1]);
        models.insert(ALICE, own.clone());
    }
    for (user_id, shown) in shown {
        let model = models.get_mut(user_id).unwrap();
        if user_id != ALICE
            && let Some((keys, true)) = shown.keys
        {
            if model.replace(keys, &[0])
                && let Some((.., usk)) = own.current
                && shown.signed.contains(&usk)
            {
                model.signed.insert((usk, keys.0));
            }
            model.refresh(&own);
        }
        let ssk = model.current.map(|(_, ssk, _)| ssk);
        let known = std::mem::take(&mut model.devices);
        for (device, signed) in shown.devices {
            let (mut by, local) = known.get(&device).copied().unwrap_or_default();
            if let Some(ssk) = ssk.filter(|ssk| signed.contains(ssk)) {
                by = Some(ssk);
            }
            model.devices.insert(device, (by, local));
        }
    }
    // Latches come last: what a user was before the response does not count any more.
    models.values_mut().for_each(|model| model.refresh(&own));
}

fn level(own: &Model, model: &Model, is_own: bool, device: usize) -> TrustLevel {
    let (by, local) = model.devices[&device];
    let is_signed = by.is_some() && by == model.current.map(|(_, ssk, _)| ssk);
    let state = model.state(own);
    match local {
        LocalTrust::Blacklisted => TrustLevel::Blacklisted,
        LocalTrust::Verified => TrustLevel::Verified,
        _ if !is_signed => TrustLevel::Unsigned,
        _ if is_own && own.is_own_verified() => TrustLevel::Verified,
        _ if is_own && own.verified.is_some() => TrustLevel::CrossSignedViolation,
        _ if is_own => TrustLevel::CrossSignedTofu,
        _ => match state.unwrap() {
            UserState::Verified => TrustLevel::Verified,
            UserState::VerificationViolation => TrustLevel::CrossSignedViolation,
            UserState::PinViolation => TrustLevel::CrossSignedPinViolation,
            _ => TrustLevel::CrossSignedTofu,
        },
    }
}

/// The user does something, on both sides.
fn act(world: &mut World, phone: &mut Phone, models: &mut BTreeMap<&str, Model>) {
    let mut own = models[ALICE].clone();
    let id = USERS[world.below(4) as usize];
    let what = world.below(9);
    if what < 2 {
        match what {
            0 if own.current.is_some() => {
                phone.verify_own();
                own.verified = own.current.map(|(msk, ..)| msk);
            }
            _ => {
                phone.own.withdraw();
                if own.current.is_some() && !own.is_own_verified() {
                    own.verified = None;
                }
            }
        }
        models.insert(ALICE, own.clone());
        models.values_mut().for_each(|model| model.refresh(&own));
        return;
    }
    let model = models.get_mut(id).unwrap();
    if what == 8 {
        let is_own = world.chance(30);
        let id = if is_own { ALICE } else { id };
        let model = models.get_mut(id).unwrap();
        let device_number = world.below(3) as usize;
        let all = [LocalTrust::Unset, LocalTrust::Verified, LocalTrust::Blacklisted, LocalTrust::Ignored];
        let word = all[world.below(4) as usize];
        if let Some(known) = model.devices.get_mut(&device_number) {
            known.1 = word;
            phone.store.device_mut(user(id), device(DEVICES[device_number])).unwrap().set_local_trust(word);
        }
        return;
    }
    let Some((msk, ..)) = model.current else { return };
    let (keys, own_now) = (phone.keys_of("a-m0", "a-s0", "a-u0"), phone.own.clone());
    let can_sign = own.is_own_verified() && own.current.is_some_and(|(.., usk)| usk == 0);
    let user = phone.user_mut(id);
    match what {
        2 | 3 => {
            user.pin();
            model.pinned = msk;
            model.accept();
        }
        4 => {
            let violated = model.state(&own) == Some(UserState::VerificationViolation);
            let acts = violated || model.state(&own) == Some(UserState::PinViolation);
            assert_eq!(user.withdraw(&own_now), acts);
            if violated {
                model.latch = false;
                model.here = None;
            }
            if acts {
                model.pinned = msk;
                model.accept();
            }
        }
        5 | 6 => {
            let object = user.identity().master_signing_key().clone();
            let verification = verify_user(&own_now, &keys, user, &object, []).unwrap();
            assert_eq!(matches!(verification, Verification::Signed(_)), can_sign);
            model.here = Some(msk);
            if can_sign {
                model.discarded.remove(&msk);
                model.signed.insert((0, msk));
                model.refresh(&own);
            }
        }
        _ => {
            let signs = can_sign && model.here == Some(msk) && !model.is_verified(&own);
            assert_eq!(sign_pending(&own_now, &keys, user).is_some(), signs);
            if signs {
                model.discarded.remove(&msk);
                model.signed.insert((0, msk));
                model.refresh(&own);
            }
        }
    }
}

/// Compares after each of so many responses and acts. Histories have up to eight rounds.
fn larger_graphs(count: usize, seed: u8) {
    let mut world = World { rng: ChaCha20Rng::from_seed([seed; 32]), objects: BTreeMap::new() };
    let mut memory = mx_signing::SignatureMemory::default();
    let mut compared = 0;
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    while compared < count {
        let mut phone = Phone { memory, ..Phone::new() };
        let mut models: BTreeMap<&str, Model> = BTreeMap::from([(ALICE, Model::default())]);
        models.extend(USERS.map(|user_id| (user_id, Model::default())));
        for _ in 0..=world.below(8) {
            let mut answer = Answer::new();
            let mut shown = BTreeMap::new();
            for user_id in USERS.into_iter().chain([ALICE]) {
                if world.chance(60) {
                    shown.insert(user_id, world.show(&mut answer, user_id));
                }
            }
            phone.receive(&answer);
            respond(&mut models, shown);
            if world.chance(70) {
                act(&mut world, &mut phone, &mut models);
            }

            let own = &models[ALICE];
            assert_eq!(phone.own.is_verified(), own.is_own_verified());
            for (user_id, model) in &models {
                let is_own = *user_id == ALICE;
                if !is_own {
                    assert_eq!(phone.state(user_id), model.state(own), "{user_id} {model:?} {own:?}");
                    *states.entry(format!("{:?}", model.state(own))).or_default() += 1;
                }
                assert_eq!(phone.store.devices(user(user_id)).count(), model.devices.len());
                for number in model.devices.keys() {
                    let found = phone.level(user_id, DEVICES[*number]).unwrap();
                    assert_eq!(
                        found,
                        level(own, model, is_own, *number),
                        "{user_id} {number} {model:?} {own:?}"
                    );
                    *states.entry(format!("{found:?}")).or_default() += 1;
                }
            }
            compared += 1;
        }
        memory = phone.memory;
    }
    println!("{compared} graphs compared; {} signatures verified; {states:?}", memory.verifications());
    assert_eq!(states.len(), 11, "each state and each level occurs: {states:?}");
}

// TRU-1, TRU-2, TRU-6, TRU-9, IDC-3, IDC-4, IDC-5, IDC-7, IDC-10, IDC-16, IDC-18
#[test]
fn larger_graphs_with_a_history() {
    larger_graphs(10_000, 1);
}

/// `cargo test --release -p mx-cross-signing --test oracle -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes"]
fn a_million_larger_graphs() {
    larger_graphs(1_000_000, 2);
}

// TRU-1, IDC-10: a server alone never raises trust, neither by what it makes up nor by what it leaves out.
#[test]
fn a_server_that_makes_keys_up_gains_nothing() {
    const CAROL: &str = "@carol:example.org";
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    for _ in 0..300 {
        let mut phone = Phone::verified();
        phone.receive(&bob("b").verified(BOB, ALICE, "a-u"));
        phone.receive(&Answer::new().identity(CAROL, "c").device(CAROL, "PAD", Some("c-s")));
        for _ in 0..6 {
            let mut answer = Answer::new();
            for (user_id, prefix, id) in [(ALICE, "a", "TABLET"), (BOB, "b", "LAPTOP"), (CAROL, "c", "PAD")] {
                match rng.next_u32() % 4 {
                    0 => answer = answer.device(user_id, id, None),
                    1 => {
                        answer =
                            answer.identity(user_id, prefix).device(user_id, id, Some(&format!("{prefix}-s")))
                    }
                    2 => answer = answer.identity(user_id, prefix).device(user_id, "EVIL", Some("evil-s")),
                    _ => answer = answer.identity(user_id, "evil").device(user_id, "EVIL", Some("evil-s")),
                }
                if user_id != ALICE && answer.msks.contains_key(user_id) && rng.next_u32() % 2 == 0 {
                    answer = answer.verified(user_id, ALICE, "evil-u");
                }
                if user_id == BOB && answer.msks.contains_key(BOB) && rng.next_u32() % 2 == 0 {
                    // What was said of Bob's real key, shown again, and put on another.
                    let mut real = bob("b").verified(BOB, ALICE, "a-u").msks[BOB].take();
                    answer.msks[BOB]["signatures"][ALICE] = real["signatures"][ALICE].take();
                }
            }
            phone.receive(&answer);
            assert_eq!(phone.own.verified_master_signing_key(), Some(public("a-m")));
            assert_eq!(phone.own.is_verified(), phone.own.identity().unwrap().has_key(public("a-m")));
            for user_id in [ALICE, BOB, CAROL] {
                assert!(phone.level(user_id, "EVIL") < Some(TrustLevel::Verified));
            }
            let (bobs, carols) = (phone.user(BOB).unwrap(), phone.user(CAROL).unwrap());
            assert!(bobs.previously_verified() && !carols.previously_verified());
            assert_eq!((bobs.pinned(), carols.pinned()), (public("b-m"), public("c-m")));
            assert!(!carols.is_verified(&phone.own));
            assert!(!bobs.is_verified(&phone.own) || bobs.identity().has_key(public("b-m")));
            let state =
                if phone.own.is_verified() { UserState::Verified } else { UserState::VerificationViolation };
            if bobs.identity().has_key(public("b-m")) {
                assert_eq!(bobs.state(&phone.own), state);
            }
        }
    }
}

// TRU-8: the same values give the same answer by either way of asking.
#[test]
fn a_subject_is_judged_as_its_parts_are() {
    let mut phone = Phone::verified();
    phone.receive(&bob("b").verified(BOB, ALICE, "a-u"));
    let subject = Subject::load(&phone.store, user(BOB), device("LAPTOP")).unwrap().unwrap();
    let (bobs, laptop) = (phone.user(BOB).unwrap(), phone.device(BOB, "LAPTOP").unwrap());
    assert_eq!(subject.trust(&phone.own), trust(&phone.own, Some(&bobs), &laptop));
    assert!(Subject::load(&phone.store, user(BOB), device("NONE")).unwrap().is_none());
}
