//! Known answers, of other implementations and of an independent program.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use mx_curve25519::{Curve25519SecretKey, KeyAgreement as _};
use mx_key_backup::{BackupDecryptionKey, EncryptedSessionData, SecretForm};
use mx_room_key::BackedUpSessionData;
use mx_types::{RoomId, SessionId};
use serde_json::Value;
use support::ROOM;

fn parse(session_data: &Value) -> EncryptedSessionData {
    EncryptedSessionData::parse(session_data.to_string().as_bytes()).unwrap()
}

fn hex(digits: &str) -> [u8; 32] {
    core::array::from_fn(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
}

fn check(private_key: &str, public_key: &str, session_data: &Value, plaintext: &str) {
    let (key, form) = BackupDecryptionKey::from_secret(private_key).unwrap();
    assert_eq!(form, SecretForm::Base64);
    assert_eq!(key.public_key().to_string(), public_key);
    let data = parse(session_data);
    assert_eq!(*key.decrypt_bytes(&data).unwrap(), plaintext.as_bytes());
    let session_id = BackedUpSessionData::parse(plaintext.as_bytes()).unwrap().session_id();
    let session_id = SessionId::parse(session_id.as_str()).unwrap();
    let restored = key.decrypt(RoomId::parse(ROOM).unwrap(), session_id, &data).unwrap();
    assert_eq!(restored.data().forwarding_chain, []);
    assert!(restored.data().sender_claimed_ed25519.is_some());
}

// BAK-50: libolm's test, with the bytes of its API (BAK-40).
#[test]
fn libolm_pk_encryption() {
    let key = hex("77076D0A7318A57D3C16C17251B26645DF4C2F87EBC0992AB177FBA51DB92C2A");
    let key = BackupDecryptionKey::from_bytes(&key);
    assert_eq!(key.public_key().to_string(), "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo");
    let data = EncryptedSessionData::parse(
        br#"{"ephemeral":"3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08",
            "ciphertext":"ntk49j/KozVFtSqJXhCejg","mac":"zpzU6BkZcNI"}"#,
    );
    assert_eq!(*key.decrypt_bytes(&data.unwrap()).unwrap(), b"This is a test");
    assert_eq!(*key.to_key_representation(), "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d");
}

// BAK-51: of matrix-rust-sdk.
#[test]
fn matrix_rust_sdk_session() {
    let session_data = serde_json::json!({
        "ephemeral": "HlLi76oV6wxHz3PCqE/bxJi6yF1HnYz5Dq3T+d/KpRw",
        "ciphertext": "MuM8E3Yc6TSAvhVGb77rQ++jE6p9dRepx63/3YPD2wACKAppkZHeFrnTH6wJ/HSyrmzo7HfwqVl6tKNpfooSTHqUf6x1LHz+h4B/Id5ITO1WYt16AaI40LOnZqTkJZCfSPuE2oxalwEHnCS3biWybutcnrBFPR3LMtaeHvvkb+k3ny9l5ZpsU9G7vCm3XoeYkWfLekWXvDhbqWrylXD0+CNUuaQJ/S527TzLd4XKctqVjjO/cCH7q+9utt9WJAfK8LGaWT/mZ3AeWjf5kiqOpKKf5Cn4n5SSil5p/pvGYmjnURvZSEeQIzHgvunIBEPtzK/MYEPOXe/P5achNGlCx+5N19Ftyp9TFaTFlTWCTi0mpD7ePfCNISrwpozAz9HZc0OhA8+1aSc7rhYFIeAYXFU326NuFIFHI5pvpSxjzPQlOA+mavIKmiRAtjlLw11IVKTxgrdT4N8lXeMr4ndCSmvIkAzFMo1uZA4fzjiAdQJE4/2WeXFNNpvdfoYmX8Zl9CAYjpSO5HvpwkAbk4/iLEH3hDfCVUwDfMh05PdGLnxeRpiEFWSMSsJNp+OWAA+5JsF41BoRGrxoXXT+VKqlUDONd+O296Psu8Q+d8/S618",
        "mac": "GtMrurhDTwo"
    });
    let plaintext = "{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"sender_key\":\"wREG/hBdSspoqM9xPCEXd/4YwjpBFXlsobRkyDTo/Q8\",\"session_key\":\"AQAAAABwCEYsl5BrvPW0N8HTYP11phC7LOzItQLS3Zen6j1j9qMydUHVDeuMLxwo5i3GYfLWGjJEjsCj0Q99TZMABnJBCFg9MheV8cNSBfj7mHSZr6NP8aUAAAOhsY+cJwPDHxcnU181nAEs0fovHnonZGXs6iB/K6sKfuRWUNvX50ORohgDT3TGl0gQFed1FQEtn2Q1qT35iTRfe81SGOnFJrOM\",\"sender_claimed_keys\":{\"ed25519\":\"MnNLGwn4j9ArCvtgU6o1jG8TgJaEXQpDTxz7QU0h7GM\"},\"forwarding_curve25519_key_chain\":[]}";
    check(
        "Ha9cklU/9NqFo9WKdVfGzmqUL/9wlkdxfEitbSIPVXw",
        "6Q6b15s4YM2jCs38pHiN8wiRkiuCcvpsM9S3/qm31Co",
        &session_data,
        plaintext,
    );
}

// BAK-52: of mautrix-go.
#[test]
fn mautrix_sessions() {
    let key = "ReSMMZeRtDSdrwXzu2OvN0B73KUXkYPt3kaYfFIkw10";
    let public_key = "QeTvLLbpkE4iel5+VxNYWmgi1JVvaUSjX+fS02T0LWk";
    let sessions = [
        (
            serde_json::json!({
                "ephemeral": "o43y/Mck1DExWdHr0+qbPJbjzO97+RH1mw6phLhYQj0",
                "ciphertext": "hDCjEbyi2uMXt3RBWe9mRdeqhcoraPR84/cq5ll16LIIIICJ8ZLmiWG5IwmGqDFmd3Jw20cNo49b38LH3oBJUl5DG44VdjoI4nlgAzaMSLwMZ7JFGt0Enu1Csfgpvgt1qksTP6QB7YDwITD33iL7ucco1iOl7ABGzhyjCi2iZ3A6Xmx3RsAmHhmU5gJWE6/lIoI6/lh7dZFSfp4RTGfxQ8ToCCIsrgdx1weViv4I4ArXfcrdnaprPzP4cH77Ej1Wg1/bUHtB4C8nOiX+cYnOG29NbTHbtQF14zJpA+2XM2JngiLkss+NQj96PQzgPNhAMEFOLLy5ckY1WvS4sMMeCVzAyt5dwEGDcyxLTC4oJ/RrvLcHCHW0aOygPSlNoMRyDgC0f92+mPQGAmFv4GhfDFXfaauBxBdRAPjXj7Onn2B4UdfwQXGLT3RAihba8i9usOX5hLxqQqvtA3SUuV8hPrzHhpPEeRvx+PgZsXwV+gM7Aw3Mza6hwmILdngJh7NNQTINsCRqff9Ck3Kh7aSOoHsHvz7Ot+T514ObDwWYYCBMmS/6EG4XjSya6R98ggRWGrO9l21YYUvzBTv7OLtMck0Za3151Zqi/5LRKP95QIU",
                "mac": "Mnt8eXwFfjw"
            }),
            "{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"sender_key\":\"JUUfV6vErSATm3rIOU9DML+IX1SlYxnAAS824xhbhC4\",\"session_key\":\"AQAAAABc1O9JP2/HXS22iLN1uScFv2UyL33/L3L0sysPKcovQFI0lwKTuutrVeww2SNOU9b2J62kV/QXEw7+N2I9klrvqqr9kdo1ywqFtZOnp8DlgR2+OhOnUYmj5YmJhmApPle9xnVVwZv57Q0REsmSAovHBLH4Kf3GEHPJ9WXEEnLINT9Gzit9qjIZ1fKKacLtvsZ+hbnTPvP5Df3ENalB+03E\",\"sender_claimed_keys\":{\"ed25519\":\"R2UJWSfgGr64iPENthl/98WGqBtnNlYuP12d6TEuGo4\"},\"forwarding_curve25519_key_chain\":[]}",
        ),
        (
            serde_json::json!({
                "ephemeral": "24PxRUfQDyYNZcTq0HT8pS3Gq+zkfsAcXHFJ3nZ56W4",
                "ciphertext": "vdLkqNTijkM1L7HmbxdZs1EHygC7GFG0wPTAaLqpOCoir3K6tNYbjIJs36vzrwawdmfPxZvA9p/k3bZIhZDP7IivGYe69+4pWiIzrwYkHCidigKXkYD8KxKWvakBquO9vWUssXC05xdkQjHMNJK3zSJgtkbMhoY28i1VUdmIjts4xU0cIT40F52Uyx3iu1UrqywUREEE5vhoSbeWxW3Vo5lqPi6rnyvMGZhVzAOv6re2O7wPWnSp0YJUsPaEj6Q9QpLr8BB9vJ++3kwmP5vxfjJLUsXuNEHWIKP5QyhpmGCgwjNpjnU6VhCqBzqs2M/KKX8zxZMGTIRidc3gx2i8KtDwRHRzh3FsSJEaC0sfCfGijpH5g9Pa+2P6b1GxvGQ4TF5X6ayLiV6FyNilpZ4z3kYsy63fP06uinHkX0TUClMQgLLmn0BAiOxKWtLNSLxgFdSYFm5oU/rpOBXWQKbzQ3cvlJZxBtxnaAhJnt3+t/3pJahlKAOxrQbKZAPL/KbO4nF9dsHpMkfMs25pVLDoHLKEXSBhagEFDbPKL5Uv55kca1C1XGrx+8fYUDBRQtYSLBSbAtF3UMv+hIMdRnmyQntwOy2hKRRs2UxnIlExk0Q",
                "mac": "T7xq9qHm4Js"
            }),
            "{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"sender_key\":\"JUUfV6vErSATm3rIOU9DML+IX1SlYxnAAS824xhbhC4\",\"session_key\":\"AQAAAAB6cP1PrdPeIG/B0ZRHNUc65ujvIzOxKhW1HN25efyZFaq9xsLvCngm4WO56gEuUhS16E4m0pAa9B/KyRz3AnSOVcHYh1bYxm9qf6zU5PFm255n6FR2lGN0vrgUM7Xu2GNUDCWoNI4m4QsiBor9eCj2ZJRay75dZ4nkhNf3GxBKOkhzPCreKabLxVsseGGIkq8rf01b0CWIcp5ISQISLdza\",\"sender_claimed_keys\":{\"ed25519\":\"R2UJWSfgGr64iPENthl/98WGqBtnNlYuP12d6TEuGo4\"},\"forwarding_curve25519_key_chain\":[]}",
        ),
    ];
    for (session_data, plaintext) in sessions {
        check(key, public_key, &session_data, plaintext);
    }
}

// BAK-12, BAK-13, BAK-14, BAK-53: of an independent program, with the ephemeral private key; and the MAC as an older text
// had it, which no deployed reader takes.
#[test]
fn own_vector_with_all_inputs() {
    let key = support::key();
    assert_eq!(key.public_key().to_string(), "eaYx7t4b+cmPEgMs3q3Q56B5OY/HhriMyEbsia+FpRo");
    let ephemeral =
        Curve25519SecretKey::from_secret_bytes(&core::array::from_fn(|i| 0x60 + u8::try_from(i).unwrap()));
    let mut data = EncryptedSessionData::parse(
        br#"{"ciphertext":"RCiGOfwiW9PgDJwpXkANfe5C8Yg6og3wC1gWENEzhjOsCRYmMwVRTKqz0+rhsfE1",
            "ephemeral":"Z13VdO13iTELPS52gfN5C0ZsdzsVIf7PNld5WDcepS8","mac":"KwWv4fMNNHA"}"#,
    )
    .unwrap();
    assert_eq!(data.ephemeral, ephemeral.public_key());
    let shared = ephemeral.diffie_hellman(&key.public_key()).unwrap();
    let keys = mx_aes_sha2::cbc_hmac::CbcHmacKeys::expand(shared.as_bytes(), b"");
    assert_eq!(data.mac, *keys.mac(&[]).as_bytes());
    assert_eq!(*key.decrypt_bytes(&data).unwrap(), br#"{"algorithm":"m.megolm.v1.aes-sha2"}"#);

    // E8Dsc7hQ8vM: over the ciphertext.
    data.mac = *keys.mac(&data.ciphertext).as_bytes();
    assert_eq!(data.mac, [0x13, 0xc0, 0xec, 0x73, 0xb8, 0x50, 0xf2, 0xf3]);
    assert!(key.decrypt_bytes(&data).is_none());
}
