//! `EncryptedFile` from and to JSON.
#![cfg(all(feature = "alloc", feature = "serde"))]
#![expect(clippy::unwrap_used, reason = "tests")]

mod files;

use files::{encrypted, rng};
use mx_attachment::{AttachmentInfo, AttachmentKey, EncryptedFile, InvalidFile, Leniency, UncheckedFile};
use mx_types::base64::DecodeError;
use serde_json::{Value, json};

/// `file` of the specification's example of an image, [Sending encrypted attachments]. There is no such file.
const OF_THE_SPECIFICATION: &str = r#"{
    "url": "mxc://example.org/FHyPlCeYUSFFxlgbQYZmoEoe",
    "v": "v2",
    "key": {
        "alg": "A256CTR",
        "ext": true,
        "k": "aWF6-32KGYaC3A_FEUCk1Bt0JA37zP0wrStgmdCaW-0",
        "key_ops": ["encrypt", "decrypt"],
        "kty": "oct"
    },
    "iv": "w+sE15fzSc0AAAAAAAAAAA",
    "hashes": { "sha256": "fdSLu/YkRx3Wyh3KQabP3rd6+SFiKg5lsJZQHtkSAYA" }
}"#;

fn example() -> Value {
    serde_json::from_str(OF_THE_SPECIFICATION).unwrap()
}

/// The example with one member set, or taken away with `None`: `/key/alg`.
fn with(pointer: &str, value: Option<Value>) -> String {
    let mut file = example();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = file.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    file.to_string()
}

/// Reads it with serde and without: both take it or both do not, and find the same in it.
fn read(json: &str) -> serde_json::Result<UncheckedFile<String>> {
    let read = || serde_json::from_str::<UncheckedFile<String>>(json);
    let (with, without) = (read(), UncheckedFile::parse(json.as_bytes()));
    assert_eq!(with.is_ok(), without.is_ok(), "{with:?} {without:?}");
    if let (Ok(with), Ok(without)) = (with, without) {
        let lenient = Leniency { ext_and_key_ops: true, legacy_versions: true };
        match (with.check(lenient), without.check(lenient)) {
            (Ok(with), Ok(without)) => {
                assert_eq!(with.url, without.url);
                assert!(same(&with.info, &without.info));
            }
            (with, without) => assert_eq!(with.err(), without.err()),
        }
        let without = UncheckedFile::parse(json.as_bytes()).unwrap().check(Leniency::NONE);
        assert_eq!(read().unwrap().check(Leniency::NONE).err(), without.err());
    }
    read()
}

fn check(json: &str, leniency: Leniency) -> Result<EncryptedFile<String>, InvalidFile> {
    read(json).unwrap().check(leniency)
}

fn refused(json: &str) -> InvalidFile {
    let error = check(json, Leniency::NONE).unwrap_err();
    // The direct way refuses for the same reason.
    let text = serde_json::from_str::<EncryptedFile<String>>(json).unwrap_err().to_string();
    assert!(text.starts_with(&error.to_string()), "{text}");
    error
}

fn accepted(json: &str) -> EncryptedFile<String> {
    check(json, Leniency::NONE).unwrap();
    serde_json::from_str(json).unwrap()
}

fn same(one: &AttachmentInfo, other: &AttachmentInfo) -> bool {
    (one.secret_key(), one.iv(), one.sha256()) == (other.secret_key(), other.iv(), other.sha256())
}

// ATT-5, ATT-6, ATT-7: the specification's example, read borrowed and owned, and written again.
#[test]
fn the_example_of_the_specification() {
    let borrowed: EncryptedFile<&str> = serde_json::from_str(OF_THE_SPECIFICATION).unwrap();
    assert_eq!(borrowed.url, "mxc://example.org/FHyPlCeYUSFFxlgbQYZmoEoe");
    assert_eq!(borrowed.info.iv(), b"\xc3\xeb\x04\xd7\x97\xf3\x49\xcd\0\0\0\0\0\0\0\0");
    assert!(borrowed.info.counter_starts_at_zero());
    assert!(same(&borrowed.info, &accepted(OF_THE_SPECIFICATION).info));
    assert_eq!(serde_json::to_value(&borrowed).unwrap(), example());
}

// ATT-4, ATT-5, ATT-6, ATT-7
#[test]
fn what_is_written_is_read() {
    let mut rng = rng();
    for _ in 0..100 {
        let info = AttachmentKey::generate(&mut rng).unwrap().encrypt_in_place(&mut [1; 9]);
        let file = EncryptedFile { url: "mxc://example.org/\"\\\u{e9}", info };
        let text = serde_json::to_string(&file).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        for (pointer, len) in [("/key/k", 43), ("/iv", 22), ("/hashes/sha256", 43)] {
            let text = value.pointer(pointer).unwrap().as_str().unwrap();
            assert_eq!(text.len(), len);
            assert!(!text.contains('='));
        }
        assert!(value["iv"].as_str().unwrap().ends_with("AAAAAAAAAAA"));
        assert!(!value["key"]["k"].as_str().unwrap().contains(['+', '/']));
        let rest = json!({
            "v": "v2", "url": file.url, "iv": value["iv"], "hashes": { "sha256": value["hashes"]["sha256"] },
            "key": { "kty": "oct", "alg": "A256CTR", "ext": true, "k": value["key"]["k"],
                "key_ops": ["encrypt", "decrypt"] },
        });
        assert_eq!(value, rest);
        let read = accepted(&text);
        assert!(same(&read.info, &file.info) && read.url == file.url);
    }
}

// ATT-7, ATT-9, ATT-21, ATT-23, ATT-25
#[test]
fn what_honest_writers_differ_in() {
    let expected = accepted(OF_THE_SPECIFICATION);
    for (pointer, value) in [
        ("/mimetype", json!("image/png")),
        ("/org.example.new", json!({ "nested": [[[1.5, null]]] })),
        ("/key/use", json!("enc")),
        ("/key/key_ops", json!(["decrypt", "encrypt"])),
        ("/key/key_ops", json!(["sign", "encrypt", 5, ["x"], {}, null, "decrypt", "encrypt"])),
        ("/key/k", json!("aWF6-32KGYaC3A_FEUCk1Bt0JA37zP0wrStgmdCaW-0=")),
        ("/iv", json!("w+sE15fzSc0AAAAAAAAAAA==")),
        ("/hashes/sha256", json!("fdSLu/YkRx3Wyh3KQabP3rd6+SFiKg5lsJZQHtkSAYA=")),
        ("/hashes/sha512", json!("of nothing")),
        ("/hashes/blake3", json!([1, 2])),
    ] {
        assert!(same(&accepted(&with(pointer, Some(value))).info, &expected.info), "{pointer}");
    }
    // Escapes that no serializer here writes: a borrowed URL cannot have them, all else can.
    let escaped = OF_THE_SPECIFICATION
        .replace("fdSLu/Yk", "fdSLu\\/Yk")
        .replace("w+sE", "w\\u002bsE")
        .replace("\"v2\"", "\"\\u0076\\u0032\"")
        .replace("aWF6-", "\\u0061WF6\\u002d")
        .replace("\"key\"", "\"\\u006bey\"");
    let read: EncryptedFile<&str> = serde_json::from_str(&escaped).unwrap();
    assert!(same(&read.info, &expected.info));
    assert!(serde_json::from_str::<EncryptedFile<&str>>(&escaped.replace("mxc:/", "mxc:\\/")).is_err());
    assert_eq!(accepted(&escaped.replace("mxc:/", "mxc:\\/")).url, expected.url);
}

// ATT-22, ATT-23, ATT-24, ATT-27, ATT-41
#[test]
fn attack_024_every_member_of_the_key_is_looked_at() {
    use InvalidFile::{
        MissingIv, MissingKey, MissingKeyOperation, NotExtractable, UnsupportedAlgorithm, UnsupportedKeyType,
        UnsupportedVersion,
    };
    let wrong_texts = |right: &str| {
        let upper = right.to_uppercase();
        let changed = [format!("{right} "), format!("{right}\0"), String::new(), right[1..].to_owned()];
        let mut texts: Vec<_> = changed.into_iter().map(Value::from).collect();
        texts.push(Value::from(if upper == right { right.to_lowercase() } else { upper }));
        texts.extend([Value::Null, json!(2), json!(-2), json!(2.5), json!(true), json!([right]), json!({})]);
        texts.into_iter().map(Some).chain([None])
    };
    for (pointer, right, error) in [
        ("/v", "v2", UnsupportedVersion),
        ("/key/kty", "oct", UnsupportedKeyType),
        ("/key/alg", "A256CTR", UnsupportedAlgorithm),
    ] {
        for value in wrong_texts(right) {
            assert_eq!(refused(&with(pointer, value.clone())), error, "{pointer} {value:?}");
        }
    }
    for version in ["foo", "v0", "v1", "v3", "v22"] {
        assert_eq!(refused(&with("/v", Some(json!(version)))), UnsupportedVersion);
    }
    for algorithm in ["bar", "A256GCM", "A128CTR", "encrypt", "oct"] {
        assert_eq!(refused(&with("/key/alg", Some(json!(algorithm)))), UnsupportedAlgorithm);
    }
    for ext in [Some(json!(false)), Some(json!("true")), Some(json!(1)), Some(json!([true])), None] {
        assert_eq!(refused(&with("/key/ext", ext)), NotExtractable);
    }
    for key_ops in [
        json!([]),
        json!(["encrypt"]),
        json!(["decrypt"]),
        json!(["decrypt", "decrypt"]),
        json!(["encrypt", "Decrypt"]),
        json!(["encrypt", ["decrypt"]]),
        json!([["encrypt", "decrypt"]]),
        json!("encrypt decrypt"),
        json!("decrypt"),
        json!({ "encrypt": true, "decrypt": true }),
        json!(null),
        json!(true),
    ] {
        assert_eq!(refused(&with("/key/key_ops", Some(key_ops.clone()))), MissingKeyOperation, "{key_ops}");
    }
    assert_eq!(refused(&with("/key/key_ops", None)), MissingKeyOperation);
    for (pointer, error) in [("/key", MissingKey), ("/key/k", MissingKey), ("/iv", MissingIv)] {
        assert_eq!(refused(&with(pointer, None)), error);
    }
}

// ATT-24, ATT-25, B64-5, B64-7
#[test]
fn attack_024_keys_ivs_and_hashes_of_wrong_lengths() {
    for (pointer, right, error) in [
        ("/key/k", 32, InvalidFile::Key as fn(DecodeError) -> InvalidFile),
        ("/iv", 16, InvalidFile::Iv),
        ("/hashes/sha256", 32, InvalidFile::Hash),
    ] {
        for len in [0, 1, 8, 15, 16, 17, 24, 31, 32, 33, 48, 64, 1000] {
            if len == right {
                continue;
            }
            let text = mx_types::base64::encode_to_string(&vec![0; len]);
            let unexpected = DecodeError::UnexpectedLength { expected: right, found: len };
            assert_eq!(refused(&with(pointer, Some(json!(text)))), error(unexpected));
        }
        for (text, reason) in [
            ("A", DecodeError::InvalidLength),
            ("A===", DecodeError::InvalidPadding),
            (
                &"\u{e9}".repeat(right),
                DecodeError::UnexpectedLength { expected: right, found: 3 * right / 2 },
            ),
        ] {
            let found = refused(&with(pointer, Some(json!(text))));
            assert!(matches!(found, InvalidFile::Key(_) | InvalidFile::Iv(_) | InvalidFile::Hash(_)));
            if !text.contains('\u{e9}') {
                assert_eq!(found, error(reason));
            }
        }
    }
    // The negative case of mautrix-go.
    let short = DecodeError::UnexpectedLength { expected: 32, found: 8 };
    assert_eq!(refused(&with("/hashes/sha256", Some(json!("5/Gy1JftyyQ")))), InvalidFile::Hash(short));
}

// ATT-21, ATT-28
#[test]
fn attack_023_a_file_without_its_hash_is_not_read() {
    for hashes in [
        json!({}),
        json!({ "sha512": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" }),
        json!({ "SHA256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU" }),
        json!({ "sha-256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "": 5 }),
    ] {
        assert_eq!(refused(&with("/hashes", Some(hashes))), InvalidFile::MissingHash);
    }
    assert_eq!(refused(&with("/hashes", None)), InvalidFile::MissingHash);
    for leniency in all_leniency() {
        let error = check(&with("/hashes", Some(json!({}))), leniency).unwrap_err();
        assert_eq!(error, InvalidFile::MissingHash);
    }
}

fn all_leniency() -> [Leniency; 4] {
    [(false, false), (false, true), (true, false), (true, true)]
        .map(|(ext_and_key_ops, legacy_versions)| Leniency { ext_and_key_ops, legacy_versions })
}

/// What another parser would read otherwise: the last of two members, or an array for an object.
#[test]
fn attack_038_two_readings_of_one_text_are_refused() {
    read(OF_THE_SPECIFICATION).unwrap();
    for (member, twice) in [
        ("\"v\": \"v2\"", "\"v\": \"v2\", \"v\": \"v2\""),
        ("\"iv\":", "\"iv\": \"AAAAAAAAAAAAAAAAAAAAAA\", \"iv\":"),
        ("\"iv\":", "\"\\u0069v\": \"AAAAAAAAAAAAAAAAAAAAAA\", \"iv\":"),
        ("\"k\":", "\"k\": \"\", \"k\":"),
        ("\"alg\":", "\"alg\": \"none\", \"alg\":"),
        ("\"ext\":", "\"ext\": false, \"ext\":"),
        ("\"kty\":", "\"kty\": \"oct\", \"kty\":"),
        ("\"key_ops\":", "\"key_ops\": [], \"key_ops\":"),
        ("\"sha256\":", "\"sha256\": \"\", \"sha256\":"),
        ("\"hashes\":", "\"hashes\": {}, \"hashes\":"),
        ("\"key\":", "\"key\": {}, \"key\":"),
        ("\"url\":", "\"url\": \"mxc://example.org/other\", \"url\":"),
    ] {
        let text = OF_THE_SPECIFICATION.replacen(member, twice, 1);
        assert_ne!(text, OF_THE_SPECIFICATION);
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains("duplicate field"), "{error}");
    }
    for (pointer, value) in [
        (
            "/key",
            json!([
                "oct",
                "A256CTR",
                true,
                ["encrypt", "decrypt"],
                "aWF6-32KGYaC3A_FEUCk1Bt0JA37zP0wrStgmdCaW-0"
            ]),
        ),
        ("/hashes", json!(["fdSLu/YkRx3Wyh3KQabP3rd6+SFiKg5lsJZQHtkSAYA"])),
        ("/hashes", json!("fdSLu/YkRx3Wyh3KQabP3rd6+SFiKg5lsJZQHtkSAYA")),
        ("/iv", json!([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("/key/k", json!(5)),
        ("/url", json!(5)),
    ] {
        read(&with(pointer, Some(value))).unwrap_err();
    }
    read("[]").unwrap_err();
    let values: Vec<Value> = example().as_object().unwrap().values().cloned().collect();
    read(&Value::from(values).to_string()).unwrap_err();
    read(&with("/url", None)).unwrap_err();
    for len in 0..OF_THE_SPECIFICATION.len() {
        read(&OF_THE_SPECIFICATION[..len]).unwrap_err();
    }
}

#[test]
fn attack_036_nesting_is_not_followed() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for member in ["mimetype", "hashes\": {}, \"x"] {
            let text = OF_THE_SPECIFICATION.replacen("\"url\"", &format!("\"{member}\": {deep}, \"url\""), 1);
            let _ = serde_json::from_str::<UncheckedFile<String>>(&text);
            UncheckedFile::parse(text.as_bytes()).unwrap_err();
        }
        for pointer in ["\"v\": \"v2\"", "\"ext\": true", "\"key_ops\": [\"encrypt\", \"decrypt\"]"] {
            let (name, _) = pointer.split_once(':').unwrap();
            let text = OF_THE_SPECIFICATION.replacen(pointer, &format!("{name}: {deep}"), 1);
            let _ = serde_json::from_str::<UncheckedFile<String>>(&text);
            UncheckedFile::parse(text.as_bytes()).unwrap_err();
        }
    }
}

// ATT-23
#[test]
fn leniency_about_ext_and_key_ops_is_only_that() {
    let lenient = Leniency { ext_and_key_ops: true, ..Leniency::NONE };
    assert_eq!((Leniency::default(), Leniency::NONE), (Leniency::NONE, Leniency::default()));
    for value in
        [None, Some(json!(false)), Some(json!("x")), Some(json!(["decrypt"])), Some(json!({ "a": [1] }))]
    {
        check(&with("/key/ext", value.clone()), lenient).unwrap();
        check(&with("/key/key_ops", value), lenient).unwrap();
    }
    for (pointer, error) in [
        ("/v", InvalidFile::UnsupportedVersion),
        ("/key/kty", InvalidFile::UnsupportedKeyType),
        ("/key/alg", InvalidFile::UnsupportedAlgorithm),
    ] {
        assert_eq!(check(&with(pointer, None), lenient).unwrap_err(), error);
        assert_eq!(check(&with(pointer, Some(json!("x"))), lenient).unwrap_err(), error);
    }
}

// ATT-3, ATT-22: the counter of a file without `v` carries. Blocks as in vectors.rs, these from openssl's aes-256-ctr.
#[test]
fn legacy_versions_are_read_where_that_is_asked_for() {
    let lenient = Leniency { legacy_versions: true, ..Leniency::NONE };
    let file = |v: Option<Value>| {
        let mut file = example();
        file["key"]["k"] = json!("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        file["iv"] = json!("8PHy8/T19vf//////////w");
        file["hashes"]["sha256"] = json!("N6EhiEOHA/dpJBTvFhomjDOEdwUBaR9hNG432eLC9WI");
        match v {
            Some(v) => file["v"] = v,
            None => drop(file.as_object_mut().unwrap().remove("v")),
        }
        file
    };
    let zeros_encrypted: Vec<u8> = [
        0xb101_c436_bcdd_5e33_f889_42a6_cfda_aa34_u128,
        0x4e80_9d1d_d307_5f4f_3aab_c452_763b_58bf,
        0xb438_35c1_4c63_bd68_39f2_4364_2883_a84c,
    ]
    .iter()
    .flat_map(|block| block.to_be_bytes())
    .collect();
    for (v, carries) in [(None, true), (Some(json!("v1")), false), (Some(json!("v2")), false)] {
        let json = file(v.clone());
        let read = check(&json.to_string(), lenient).unwrap();
        let plaintext = read.info.decrypt_in_place(&mut zeros_encrypted.clone()).unwrap().to_vec();
        assert_eq!(plaintext == [0; 48], carries, "{v:?}");
        assert_eq!(plaintext[..16], [0; 16]);
        // Written again, it is what it was.
        assert_eq!(serde_json::to_value(&read).unwrap(), json);
        assert_eq!(check(&json.to_string(), Leniency::NONE).is_ok(), v == Some(json!("v2")));
    }
    for v in [json!("v0"), json!("v3"), json!("V1"), json!(1), json!("")] {
        let error = check(&file(Some(v)).to_string(), lenient).unwrap_err();
        assert_eq!(error, InvalidFile::UnsupportedVersion);
    }
}

// A description and the file that it was made for.
#[test]
fn a_file_goes_through_json() {
    let plaintext = files::file(5000);
    let (mut ciphertext, info) = encrypted(&plaintext);
    let sent = serde_json::to_string(&EncryptedFile { url: "mxc://example.org/a", info }).unwrap();
    assert_eq!(accepted(&sent).info.decrypt_in_place(&mut ciphertext).unwrap(), plaintext);
}

#[test]
fn attack_068_nothing_read_shows_its_key() {
    let k = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    let mut shown = Vec::new();
    for pointer in ["/iv", "/v", "/hashes", "/key/alg", "/key/ext"] {
        let mut file: Value = serde_json::from_str(&with(pointer, None)).unwrap();
        file["key"]["k"] = json!(k);
        let unchecked: UncheckedFile<String> = serde_json::from_str(&file.to_string()).unwrap();
        shown.push(format!("{unchecked:?} {unchecked:#?}"));
        let error = unchecked.check(Leniency::NONE).unwrap_err();
        shown.push(format!("{error:?} {error}"));
        shown.push(serde_json::from_str::<EncryptedFile<String>>(&file.to_string()).unwrap_err().to_string());
    }
    for wrong in [json!(format!("{k}A")), json!(format!("{k}==")), json!([k]), json!({ "k": k })] {
        let text = with("/key/k", Some(wrong));
        shown.push(serde_json::from_str::<EncryptedFile<String>>(&text).unwrap_err().to_string());
    }
    for text in shown {
        for run in ["\x01\x01", "0101", "1, 1, 1", "AQEB", "EBAQ", "BAQE"] {
            assert!(!text.contains(run), "{text}");
        }
    }
}
