//! Canonical JSON: ours, ruma's, and what simd-json needs only to parse.

use std::{fmt::Write as _, hint::black_box};

use mx_canonical_json::{Limits, canonicalize};
use ruma_common::canonical_json::CanonicalJsonValue;

use crate::{
    measure::{Case, on_each, on_each_kept},
    table::{Row, Table},
};

pub fn rows(table: &mut Table) {
    let object = device_keys(0);
    let answer = keys_query_answer(1_000_000);
    for (work, target, text) in [
        ("canonical JSON, 630 B device keys", 4.0, object),
        ("canonical JSON, 1 MB /keys/query", 6.0, answer),
    ] {
        let copies = |count: usize| (0..count).map(|_| text.clone().into_bytes()).collect::<Vec<_>>();
        let ours: Case<'_> =
            Box::new(|count| on_each(0..count, |_| canonicalize(&text, &Limits::DEFAULT).expect("JSON")));
        let ruma: Case<'_> = Box::new(|count| {
            on_each(0..count, |_| {
                let value: CanonicalJsonValue = serde_json::from_str(&text).expect("JSON");
                serde_json::to_string(&value).expect("can be written")
            })
        });
        let simd_json: Case<'_> = Box::new(|count| {
            on_each_kept(copies(count), |mut text| {
                black_box(simd_json::to_borrowed_value(&mut text).expect("JSON"));
                text
            })
        });
        let peers = vec![("ruma", ruma), ("simd-json", simd_json)];
        table.row(Row { work, target, ours, peers });
    }
}

/// A device keys object as servers send it: members in no particular order.
fn device_keys(number: usize) -> String {
    format!(
        r#"{{"user_id":"@someone:example.org","device_id":"DEVICE{number:04}","algorithms":["m.olm.v1.curve25519-aes-sha2","m.megolm.v1.aes-sha2"],"keys":{{"ed25519:DEVICE{number:04}":"lEuiRJBit0IG6nUf5pUzWTUEsRVVe/HJkoKuEww9ULI","curve25519:DEVICE{number:04}":"wjLpTLRqbqBzLs63aYaEv2Boi6cFEbbM/sSRQ2oAKk4"}},"unsigned":{{"device_display_name":"Someone's second phone"}},"signatures":{{"@someone:example.org":{{"ed25519:abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq":"dSO80A01XiigH3uBiDVx/EjzaoycHcjq9lfQX0uWsqxl2giMIiSPR8a4d291W1ihKJL/a+myXS367WT6NAIcBA","ed25519:DEVICE{number:04}":"Ap1xg1bm6hYFVQZmUgNLZLbwwVqlhAHbTYB8VHmQ8FNSyPMfDAp1xg1bm6hYFVQZmUgNLZLbwwVqlhAHbTYBAA"}}}}}}"#
    )
}

fn keys_query_answer(len: usize) -> String {
    let mut text = String::from(r#"{"failures":{},"device_keys":{"#);
    let mut number = 0;
    while text.len() < len {
        let separator = if number > 0 { "," } else { "" };
        let _ = write!(
            text,
            r#"{separator}"@user{}:example.org":{{"DEVICE{number:04}":{}}}"#,
            number * 7_919 % 10_007,
            device_keys(number)
        );
        number += 1;
    }
    text + "}}"
}
