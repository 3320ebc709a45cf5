//! Olm, Megolm and their pickles: the rows, the peers, and what we want to reach.

#[cfg(feature = "libolm")]
use crate::libolm_cases as libolm;
use crate::{
    measure::Case,
    our_cases as ours,
    table::{Row, Table},
    vodozemac_cases as vodozemac,
};

const KIB: usize = 1024;

pub fn rows(table: &mut Table) {
    for (work, target, len) in [
        ("Olm encrypt, 64 B", 10.0, 64),
        ("Olm encrypt, 1 KiB", 5.0, KIB),
        ("Olm encrypt, 64 KiB", 1.6, 64 * KIB),
    ] {
        let plaintext = vec![0x5a; len];
        two(
            table,
            work,
            target,
            |n| ours::olm_encrypt(n, &plaintext),
            |n| vodozemac::olm_encrypt(n, &plaintext),
        );
    }
    for (work, target, len) in [
        ("Olm decrypt, 64 B", 1.7, 64),
        ("Olm decrypt, 1 KiB", 1.6, KIB),
        ("Olm decrypt, 64 KiB", 1.35, 64 * KIB),
    ] {
        let plaintext = vec![0x5a; len];
        two(
            table,
            work,
            target,
            |n| ours::olm_decrypt(n, &plaintext),
            |n| vodozemac::olm_decrypt(n, &plaintext),
        );
    }
    two(table, "Olm ping-pong, there and back (curve)", 1.2, ours::olm_ping_pong, vodozemac::olm_ping_pong);
    two(table, "Olm session out, first message (curve)", 1.2, ours::olm_outbound, vodozemac::olm_outbound);
    two(table, "Olm session in, first message (curve)", 1.2, ours::olm_inbound, vodozemac::olm_inbound);
    let skipped = 1_000;
    three(
        table,
        ("Olm decrypt after 1,000 skipped", 1.2),
        Box::new(move |n| ours::olm_skip(n, skipped)),
        Box::new(move |n| vodozemac::olm_skip(n, skipped)),
        #[cfg(feature = "libolm")]
        Box::new(move |n| libolm::olm_skip(n, skipped)),
    );
    two(table, "100 one-time keys (curve)", 1.3, ours::one_time_keys, vodozemac::one_time_keys);
    three(
        table,
        ("account unpickle, 50 one-time keys", 50.0),
        Box::new(ours::account_unpickle),
        Box::new(vodozemac::account_unpickle),
        #[cfg(feature = "libolm")]
        Box::new(libolm::account_unpickle),
    );
    two(table, "Olm session pickle", 2.5, ours::olm_pickle, vodozemac::olm_pickle);
    two(table, "Olm session unpickle", 4.0, ours::olm_unpickle, vodozemac::olm_unpickle);
    for (work, len) in [("Megolm encrypt, 64 B (curve)", 64), ("Megolm encrypt, 1 KiB (curve)", KIB)] {
        let text = vec![0x5a; len];
        two(table, work, 1.05, |n| ours::megolm_encrypt(n, &text), |n| vodozemac::megolm_encrypt(n, &text));
    }
    for (work, len) in
        [("Megolm decrypt, 64 B, first (curve)", 64), ("Megolm decrypt, 1 KiB, first (curve)", KIB)]
    {
        let text = vec![0x5a; len];
        let theirs = |n| vodozemac::megolm_decrypt_first(n, &text);
        two(table, work, 1.15, |n| ours::megolm_decrypt_first(n, &text), theirs);
    }
    for (work, len) in
        [("Megolm decrypt, 64 B, next (curve)", 64), ("Megolm decrypt, 1 KiB, next (curve)", KIB)]
    {
        let text = vec![0x5a; len];
        let theirs = |n| vodozemac::megolm_decrypt_next(n, &text);
        two(table, work, 1.25, |n| ours::megolm_decrypt_next(n, &text), theirs);
    }
    three(
        table,
        ("Megolm import of an export, Base64", 15.0),
        Box::new(ours::megolm_import),
        Box::new(vodozemac::megolm_import),
        #[cfg(feature = "libolm")]
        Box::new(libolm::megolm_import),
    );
    let bytes = (ours::megolm_import_bytes, vodozemac::megolm_import_bytes);
    two(table, "Megolm import of an export, bytes", 15.0, bytes.0, bytes.1);
    for (work, target, top) in [
        ("Megolm newest first, 700 from 1,000", 15.0, 1_000),
        ("Megolm newest first, 700 from 65,535", 40.0, 65_535),
    ] {
        let theirs = |n| vodozemac::megolm_newest_first(n, top);
        two(table, work, target, |n| ours::megolm_newest_first(n, top), theirs);
    }
    two(
        table,
        "Megolm fast-forward, worst case",
        1.1,
        ours::megolm_fast_forward,
        vodozemac::megolm_fast_forward,
    );
    two(table, "Megolm inbound session pickle", 2.5, ours::megolm_pickle, vodozemac::megolm_pickle);
    two(table, "Megolm inbound session unpickle", 5.0, ours::megolm_unpickle, vodozemac::megolm_unpickle);
}

fn two(
    table: &mut Table,
    work: &'static str,
    target: f64,
    ours: impl FnMut(usize) -> std::time::Duration,
    theirs: impl FnMut(usize) -> std::time::Duration,
) {
    table.row(Row { work, target, ours: Box::new(ours), peers: vec![("vodozemac", Box::new(theirs))] });
}

fn three<'c>(
    table: &mut Table,
    (work, target): (&'static str, f64),
    ours: Case<'c>,
    theirs: Case<'c>,
    #[cfg(feature = "libolm")] libolm: Case<'c>,
) {
    let peers = vec![
        ("vodozemac", theirs),
        #[cfg(feature = "libolm")]
        ("libolm", libolm),
    ];
    table.row(Row { work, target, ours, peers });
}
