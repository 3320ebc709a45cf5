//! Sessions with their origin: merging, and what survives storage.
#![expect(clippy::unwrap_used, reason = "tests")]

mod keys;

use keys::{
    ROOM, curve25519, data_at, data_of, device, ed25519, first_hand_at, first_hand_of, forwarded_content_at,
    from_bundle_at, from_file_at, outbound, rng, room, shared_at, two_faced,
};
use mx_megolm::{Generation, PickleKey, UnpickleError, decrypt_buffer_len};
use mx_room_key::{
    BackedUpSessionData, ExportedSessionData, MAX_FORWARDING_CHAIN_LEN, Provenance, RoomKey, RoomKeyContent,
    RoomKeyMerge, RoomKeyMergeError,
};
use mx_types::RoomId;

fn from_backup_at(index: u32) -> RoomKey {
    RoomKey::from_backup(room(), data_at(index))
}

fn forwarded_at(index: u32) -> RoomKey {
    RoomKey::forwarded(forwarded_content_at(index), device("@me:x"), curve25519(7)).unwrap()
}

fn key() -> PickleKey {
    PickleKey::new(&[7; 32])
}

/// A room key through its pickle.
fn stored(mut room_key: RoomKey) -> RoomKey {
    let pickle = room_key.pickle_to_vec(&mut rng(), &key()).unwrap();
    assert_eq!(pickle.len(), room_key.pickle_len());
    RoomKey::from_pickle(&key(), Generation::NEVER_PICKLED, &pickle).unwrap()
}

/// All that can be seen of a room key.
fn seen(room_key: &RoomKey) -> String {
    let origins = [0, 5, 10, 15, 99].map(|index| room_key.origin_at(index));
    let flags = (room_key.shared_history(), room_key.is_backed_up(), room_key.trusted_from_index());
    let exported = room_key.to_exported().emit_to_vec().to_vec();
    format!("{room_key:?} {origins:?} {flags:?} {}", String::from_utf8(exported).unwrap())
}

// EXP-27, SHR-43, KR-12, KR-13, MEG-43
#[test]
fn only_first_hand_sessions_are_trusted() {
    let first_hand = first_hand_at(3);
    assert_eq!((first_hand.first_known_index(), first_hand.trusted_from_index()), (3, Some(3)));
    assert_eq!(first_hand.room_id(), ROOM);
    for imported in [forwarded_at(3), from_backup_at(3), from_file_at(3), from_bundle_at(3, "@a:b")] {
        assert_eq!((imported.first_known_index(), imported.trusted_from_index()), (3, None));
        assert!(!imported.origin().provenance.is_first_hand());
        assert_eq!(imported.origin().sender_key, curve25519(9));
        assert_eq!(imported.session_id(), first_hand.session_id());
    }
}

// KR-10
#[test]
fn forwarder_is_added_to_the_chain() {
    let mut content = forwarded_content_at(0);
    content.forwarding_chain = vec![curve25519(4)];
    let room_key = RoomKey::forwarded(content, device("@me:x"), curve25519(7)).unwrap();
    assert_eq!(room_key.origin().forwarding_chain, [curve25519(4), curve25519(7)]);
    let mut content = forwarded_content_at(0);
    content.forwarding_chain = vec![curve25519(4); MAX_FORWARDING_CHAIN_LEN];
    RoomKey::forwarded(content, device("@me:x"), curve25519(7)).unwrap_err();
}

// MEG-57, SHR-22, SHR-24
#[test]
fn shareable_sessions() {
    for shared in [false, true] {
        let room_key =
            RoomKey::first_hand(RoomKeyContent::new(room(), shared_at(0), shared), curve25519(9), ed25519(8));
        assert_eq!(room_key.shared_history(), shared);
        assert_eq!(room_key.to_bundled().is_some(), shared);
        let data = || BackedUpSessionData { shared_history: shared, ..data_at(0) };
        assert_eq!(RoomKey::from_backup(room(), data()).shared_history(), shared);
        assert_eq!(RoomKey::from_file(ExportedSessionData::new(room(), data())).shared_history(), shared);
        assert!(RoomKey::from_bundle(room(), data(), device("@a:b")).shared_history());
    }
    assert!(!forwarded_at(0).shared_history());
}

// MEG-47, MEG-55, ENV-62, ENV-64, ENV-65, EXP-26: the table, both ways round
#[test]
fn merging_keeps_the_earlier_ratchet_and_the_better_origin() {
    use RoomKeyMerge::{Extended, ExtendedAndProven, Proven, Unchanged};
    let imported = |index| RoomKey::from_backup(room(), data_at(index));
    // held, new, what happens, first known index, first-hand from
    let cases: [(RoomKey, RoomKey, RoomKeyMerge, u32, Option<u32>); 15] = [
        (imported(10), imported(5), Extended, 5, None),
        (imported(10), imported(10), Unchanged, 10, None),
        (imported(10), imported(15), Unchanged, 10, None),
        (first_hand_at(10), imported(5), Extended, 5, Some(10)),
        (first_hand_at(10), imported(10), Unchanged, 10, Some(10)),
        (first_hand_at(10), imported(15), Unchanged, 10, Some(10)),
        (imported(10), first_hand_at(5), ExtendedAndProven, 5, Some(5)),
        (imported(10), first_hand_at(10), Proven, 10, Some(10)),
        (imported(10), first_hand_at(15), Proven, 10, Some(15)),
        (first_hand_at(10), first_hand_at(5), ExtendedAndProven, 5, Some(5)),
        (first_hand_at(10), first_hand_at(10), Unchanged, 10, Some(10)),
        (first_hand_at(10), first_hand_at(15), Unchanged, 10, Some(10)),
        (extended(15, 5), first_hand_at(10), Proven, 5, Some(10)),
        (extended(15, 10), first_hand_at(5), ExtendedAndProven, 5, Some(5)),
        (imported(10), extended(15, 5), ExtendedAndProven, 5, Some(15)),
    ];
    for (number, (mut held, new, merged, first, trusted)) in cases.into_iter().enumerate() {
        assert_eq!(held.merge(new), Ok(merged), "{number}");
        assert_eq!((held.first_known_index(), held.trusted_from_index()), (first, trusted), "{number}");
        assert_eq!(held.origin().provenance.is_first_hand(), trusted.is_some());
        let before = held.origin_at(first).provenance.is_first_hand();
        assert_eq!(before, trusted == Some(first), "{number}");
        let before = seen(&held);
        assert_eq!(seen(&stored(held)), before);
    }
}

/// First-hand from `trusted` on, from a backup from `first` on.
fn extended(trusted: u32, first: u32) -> RoomKey {
    let mut room_key = first_hand_at(trusted);
    assert_eq!(room_key.merge(from_backup_at(first)), Ok(RoomKeyMerge::Extended));
    room_key
}

// ENV-65
#[test]
fn origin_at_tells_the_parts_apart() {
    let mut held = from_file_at(10);
    held.merge(from_bundle_at(5, "@mallory:x")).unwrap();
    // Between equals the copy that has more is the one that is kept.
    assert_eq!(held.origin().provenance.forwarder().unwrap().user_id(), "@mallory:x");
    held.merge(first_hand_at(7)).unwrap();
    assert_eq!(held.origin_at(7).provenance, Provenance::FirstHand);
    let forwarder = held.origin_at(6).provenance.forwarder().unwrap();
    assert_eq!((forwarder.user_id(), forwarder.device_id()), ("@mallory:x", "DEVICE"));
    held.merge(from_file_at(2)).unwrap();
    assert_eq!(held.origin_at(6).provenance, Provenance::File);
    held.advance_to(7).unwrap();
    assert_eq!(held.origin_at(0).provenance, Provenance::FirstHand);
    assert!(held.advance_to(6).is_err());
}

// ENV-63, MEG-47: what is not connected
#[test]
fn unconnected_copies_do_not_touch_each_other() {
    let forged = || RoomKey::from_file(ExportedSessionData::new(room(), data_of(&two_faced(1), 0)));
    for mut held in [first_hand_at(10), from_file_at(10), forwarded_at(10), from_bundle_at(10, "@a:b")] {
        let before = seen(&held);
        assert_eq!(held.merge(forged()), Err(RoomKeyMergeError::Unconnected));
        assert_eq!(seen(&held), before);
    }
    let mut held = first_hand_at(10);
    let before = seen(&held);
    assert_eq!(held.merge(first_hand_of(two_faced(1).session_key())), Err(RoomKeyMergeError::Unconnected));
    assert_eq!(held.merge(first_hand_of(outbound(2).session_key())), Err(RoomKeyMergeError::OtherSession));
    let elsewhere = RoomKey::from_backup(RoomId::parse("!other:example.org").unwrap(), data_at(0));
    assert_eq!(held.merge(elsewhere), Err(RoomKeyMergeError::OtherRoom));
    assert_eq!(seen(&held), before);
}

// ENV-63: the one exception
#[test]
fn a_first_hand_session_displaces_one_that_was_made_up() {
    for new in [first_hand_at(10), extended(10, 5)] {
        let mut held = RoomKey::from_bundle(room(), data_of(&two_faced(1), 0), device("@mallory:x"));
        held.pickle_to_vec(&mut rng(), &key()).unwrap();
        held.set_backed_up(true);
        let expected = seen(&new);
        assert_eq!(held.merge(new), Ok(RoomKeyMerge::Replaced));
        assert_eq!(seen(&held), expected);
        assert_eq!(held.generation(), Generation::from(1));
    }
}

// ENV-63: proven keys disconnect, claims do not
#[test]
fn two_devices_with_one_session() {
    let from = |sender_key, ed25519| {
        RoomKey::first_hand(RoomKeyContent::new(room(), shared_at(0), true), sender_key, ed25519)
    };
    for other in [from(curve25519(3), ed25519(8)), from(curve25519(9), ed25519(3))] {
        let mut held = first_hand_at(10);
        let before = seen(&held);
        assert_eq!(held.merge(other), Err(RoomKeyMergeError::OtherDevice));
        assert_eq!(seen(&held), before);
    }
    let claimed = BackedUpSessionData { sender_key: curve25519(3), ..data_at(0) };
    let mut held = RoomKey::from_bundle(room(), claimed, device("@mallory:x"));
    assert_eq!(held.merge(first_hand_at(10)), Ok(RoomKeyMerge::Proven));
    assert_eq!(held.origin().sender_key, curve25519(9));
    assert_eq!(held.to_backed_up().sender_key, curve25519(9));
}

// ENV-66
#[test]
fn shared_history_follows_the_better_origin() {
    let first_hand = |index, shared| {
        RoomKey::first_hand(RoomKeyContent::new(room(), shared_at(index), shared), curve25519(9), ed25519(8))
    };
    let file = |index, shared| {
        let data = BackedUpSessionData { shared_history: shared, ..data_at(index) };
        RoomKey::from_file(ExportedSessionData::new(room(), data))
    };
    for (held_at, new_at) in [(10, 5), (5, 10), (5, 5)] {
        for held_is in [false, true] {
            for new_is in [false, true] {
                let merged = |mut held: RoomKey, new| {
                    held.merge(new).unwrap();
                    held.shared_history()
                };
                assert_eq!(merged(first_hand(held_at, held_is), file(new_at, new_is)), held_is);
                assert_eq!(merged(file(held_at, held_is), first_hand(new_at, new_is)), new_is);
                assert_eq!(merged(file(held_at, held_is), file(new_at, new_is)), held_is && new_is);
                let both = merged(first_hand(held_at, held_is), first_hand(new_at, new_is));
                assert_eq!(both, held_is && new_is);
            }
            let mut held = first_hand(held_at, held_is);
            held.merge(from_bundle_at(new_at, "@a:b")).unwrap();
            assert_eq!(held.shared_history(), held_is);
        }
    }
}

// ENV-64: changing the ratchet resets the flag
#[test]
fn an_earlier_ratchet_is_not_backed_up() {
    for (new, backed_up) in [
        (from_file_at(5), false),
        (first_hand_at(5), false),
        (first_hand_at(10), true),
        (from_file_at(10), true),
        (from_file_at(15), true),
    ] {
        let mut held = from_backup_at(10);
        assert!(!held.is_backed_up());
        held.set_backed_up(true);
        held.merge(new).unwrap();
        assert_eq!(held.is_backed_up(), backed_up);
    }
}

// EXP-28
#[test]
fn sessions_are_exported_from_their_first_known_index() {
    let mut held = first_hand_at(10);
    let mut sender = outbound(1);
    let messages: Vec<_> = (0..12).map(|_| sender.encrypt_to_vec(b"text").unwrap().0).collect();
    let mut out = vec![0; decrypt_buffer_len(messages[11].len())];
    assert_eq!(held.decrypt(&messages[11], &mut out).unwrap().message_index, 11);
    assert!(held.decrypt(&messages[9], &mut out).is_err());
    assert_eq!(held.to_exported().session.session_key.first_known_index(), 10);
    assert_eq!(held.session().first_known_index(), 10);

    let mut forwarded = forwarded_at(3);
    assert_eq!(forwarded.to_backed_up().forwarding_chain, [curve25519(7)]);
    forwarded.advance_to(4).unwrap();
    assert_eq!(forwarded.to_exported().session.session_key.first_known_index(), 4);
    assert_eq!(forwarded.to_exported().room_id(), ROOM);
}

#[test]
fn everything_survives_a_pickle() {
    let mut both = first_hand_at(10);
    both.merge(from_bundle_at(5, "@a:b")).unwrap();
    both.set_backed_up(true);
    let no_claim = BackedUpSessionData { sender_claimed_ed25519: None, ..data_at(3) };
    let no_claim = RoomKey::from_backup(room(), no_claim);
    for room_key in
        [first_hand_at(3), forwarded_at(3), from_bundle_at(3, "@a:b"), from_file_at(3), no_claim, both]
    {
        let before = seen(&room_key);
        let restored = stored(room_key);
        assert_eq!(seen(&restored), before);
        assert_eq!(restored.generation(), Generation::from(1));
    }
}

#[test]
fn attack_069_pickles_that_are_cut_or_changed_are_refused() {
    let mut room_key = from_bundle_at(3, "@a:b");
    let pickle = room_key.pickle_to_vec(&mut rng(), &key()).unwrap();
    let open = |pickle: &[u8]| RoomKey::from_pickle(&key(), Generation::NEVER_PICKLED, pickle).map(drop);
    for len in 0..pickle.len() {
        open(&pickle[..len]).unwrap_err();
    }
    for place in 0..pickle.len() {
        let mut changed = pickle.clone();
        changed[place] ^= 1;
        open(&changed).unwrap_err();
    }
    let newer = Generation::from(2);
    let stale = RoomKey::from_pickle(&key(), newer, &pickle).unwrap_err();
    assert!(matches!(stale, UnpickleError::Stale { .. }));
}

// Sealed with the right key, and impossible.
#[test]
fn attack_067_pickles_that_contradict_themselves_are_refused() {
    use mx_pickle::{Kind, sealed_len};
    const KIND: Kind = Kind { type_tag: 5, layout: 1 };
    let first_hand: Vec<u8> = origin(0, b"");
    let file = origin(4, b"");
    let bundle = origin(2, b"\x04@a:b\x01D");
    let state = |room: &[u8], key: &RoomKey, origins: &[&[u8]], end: &[u8]| {
        let mut out = vec![0; 2000];
        let fields = mx_megolm::InboundGroupSession::FIELDS_LEN;
        let len = room.len() + fields + origins.concat().len() + end.len();
        let sealing = self::key();
        let mut writer = sealing.seal(&mut rng(), KIND, Generation::NEVER_PICKLED, len, &mut out).unwrap();
        writer.bytes(room);
        key.session().write_fields(&mut writer);
        writer.bytes(&origins.concat());
        writer.bytes(end);
        let pickle = writer.finish().unwrap();
        assert_eq!(pickle.len(), sealed_len(len));
        RoomKey::from_pickle(&self::key(), Generation::NEVER_PICKLED, pickle).map(drop)
    };
    let invalid = |field| Err(UnpickleError::Invalid { field });
    let (room, flags) = (&b"\x04!a:b"[..], &[0, 0][..]);
    let (proven, imported, partly) = (first_hand_at(3), from_file_at(3), extended(10, 3));
    assert_eq!(state(room, &proven, &[&first_hand, &[0]], flags), Ok(()));
    assert_eq!(state(room, &imported, &[&bundle, &[0]], flags), Ok(()));
    assert_eq!(state(room, &partly, &[&first_hand, &[1], &file], flags), Ok(()));
    // A session that nobody signed and that calls itself first-hand, and the reverse.
    assert_eq!(state(room, &imported, &[&first_hand, &[0]], flags), invalid("origin"));
    assert_eq!(state(room, &proven, &[&file, &[0]], flags), invalid("origin"));
    assert_eq!(state(room, &partly, &[&first_hand, &[0]], flags), invalid("earlier origin"));
    assert_eq!(state(room, &partly, &[&first_hand, &[1], &first_hand], flags), invalid("earlier origin"));
    assert_eq!(state(room, &proven, &[&first_hand, &[1], &file], flags), invalid("earlier origin"));
    assert_eq!(state(room, &imported, &[&file, &[1], &file], flags), invalid("earlier origin"));
    assert_eq!(state(b"\x04#a:b", &proven, &[&first_hand, &[0]], flags), invalid("room ID"));
    assert_eq!(state(b"\x00", &proven, &[&first_hand, &[0]], flags), invalid("room ID"));
    assert_eq!(state(b"\x02!\xff", &proven, &[&first_hand, &[0]], flags), invalid("room ID"));
    assert_eq!(state(room, &imported, &[&origin(2, b"\x01a\x01D"), &[0]], flags), invalid("user ID"));
    assert_eq!(state(room, &imported, &[&origin(1, b"\x04@a:b\x00"), &[0]], flags), invalid("device ID"));
    assert_eq!(state(room, &imported, &[&origin(5, b""), &[0]], flags), invalid("provenance"));
    assert_eq!(state(room, &imported, &[&file, &[2]], flags), invalid("has an earlier origin"));
    assert_eq!(state(room, &imported, &[&file, &[0]], &[2, 0]), invalid("shareable"));
    assert_eq!(state(room, &imported, &[&file, &[0]], &[0, 2]), invalid("backed up"));
    let trailing = Err(UnpickleError::TrailingBytes { count: 1 });
    assert_eq!(state(room, &imported, &[&file, &[0]], &[0, 0, 0]), trailing);
    let mut weak = file.clone();
    weak[1..33].fill(0);
    assert_eq!(state(room, &imported, &[&weak, &[0]], flags), invalid("sender key"));
    let mut chain = file.clone();
    chain[34..].copy_from_slice(&101_u32.to_be_bytes());
    let too_many = Err(UnpickleError::TooMany { count: 101, limit: MAX_FORWARDING_CHAIN_LEN });
    assert_eq!(state(room, &imported, &[&chain, &[0]], flags), too_many);
}

fn origin(form: u8, forwarder: &[u8]) -> Vec<u8> {
    [&[form], forwarder, &[9; 32], &[0], &[0; 4]].concat()
}

// Rows 142 and 143 of the catalogue
#[test]
fn attack_142_imported_keys_never_look_first_hand() {
    // Not by their chain, not by better indices, not by what they claim, not through storage or another export.
    for chain in [vec![], vec![curve25519(9)]] {
        let data = BackedUpSessionData { forwarding_chain: chain, ..data_at(0) };
        let imported = stored(RoomKey::from_file(ExportedSessionData::new(room(), data)));
        assert_eq!(imported.trusted_from_index(), None);
        assert_eq!(imported.session().verified_from(), None);
        let mut held = first_hand_at(10);
        held.merge(imported).unwrap();
        let held = stored(held);
        assert_eq!(held.trusted_from_index(), Some(10));
        assert_eq!(held.origin_at(9).provenance, Provenance::File);
        let again = RoomKey::from_file(held.to_exported().into_owned());
        assert_eq!((again.trusted_from_index(), again.first_known_index()), (None, 0));
    }
}

#[test]
fn attack_143_forwarder_survives_merging_and_storage() {
    let bundled = || stored(from_bundle_at(5, "@mallory:x"));
    let is_mallorys = |room_key: &RoomKey, index| {
        let forwarder = room_key.origin_at(index).provenance.forwarder();
        forwarder.map(|by| (by.user_id(), by.device_id())) == Some(("@mallory:x", "DEVICE"))
    };
    assert!(is_mallorys(&bundled(), 5));
    // A copy that knows no more does not make the forwarder forgotten.
    for other in [from_file_at(5), from_backup_at(10), forwarded_at(10), from_bundle_at(10, "@a:b")] {
        let mut held = bundled();
        held.merge(other).unwrap();
        assert!(is_mallorys(&stored(held), 5));
    }
    // What came first-hand is no longer theirs, what is before is.
    for (mut held, new) in [(bundled(), first_hand_at(10)), (first_hand_at(10), bundled())] {
        held.merge(new).unwrap();
        let held = stored(held);
        assert!(is_mallorys(&held, 9));
        assert_eq!(held.origin_at(10).provenance, Provenance::FirstHand);
    }
}

#[test]
fn attack_029_room_keys_are_wiped() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    wiped::<RoomKey>();
    let printed = format!("{:?}", first_hand_at(3));
    assert!(printed.starts_with("RoomKey { room_id: \"!room:example.org\", session: InboundGroupSession {"));
    let secret = &first_hand_at(3).to_backed_up().session_key.as_bytes()[5..9].to_vec();
    assert!(!printed.contains(&format!("{secret:?}")));
}

#[test]
fn attack_008_no_pickle_without_randomness() {
    use rand_core::{TryCryptoRng, TryRng};
    struct Broken;
    impl TryRng for Broken {
        type Error = core::fmt::Error;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Err(core::fmt::Error)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Err(core::fmt::Error)
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            Err(core::fmt::Error)
        }
    }
    impl TryCryptoRng for Broken {}
    let mut room_key = from_file_at(3);
    assert!(room_key.pickle_to_vec(&mut Broken, &key()).is_err());
    let mut small = vec![0x55; room_key.pickle_len() - 1];
    assert!(room_key.pickle(&mut rng(), &key(), &mut small).is_err());
    assert!(small.iter().all(|byte| *byte == 0x55));
    assert_eq!(room_key.generation(), Generation::NEVER_PICKLED);
}
