//! QR codes of docs/vectors: what is in them, the same displayed again, and those that must be refused.

use mx_qr_code::{CodeError, Displayed, Displaying, Keys, QrCode, ReciprocateSecret};
use mx_types::{
    Ed25519PublicKey,
    base64::{TrailingBits, decode_array},
};

use crate::{
    runner::Runner,
    value::{Value, check, hex},
    vectors::QR_CODES,
};

const MAX_LEN: usize = 256;

pub fn run(runner: &mut Runner) {
    for vector in QR_CODES.list("vectors").unwrap_or_default() {
        runner.run("QR codes", vector.text("name").unwrap_or_default(), || code(vector));
    }
}

fn code(vector: &Value) -> Option<()> {
    let mut bytes = [0; MAX_LEN];
    let bytes = &*hex(vector.text("bytes_hex")?, &mut bytes)?;
    let parsed = QrCode::parse(bytes);
    if let Some(reason) = vector.text("refused") {
        let found = match parsed.err()? {
            CodeError::NotMatrix => "magic",
            CodeError::Version { .. } => "version",
            CodeError::Mode { .. } => "mode",
            CodeError::Truncated => "truncated",
            CodeError::Secret(_) => "secret",
            _ => return None,
        };
        return check(found == reason);
    }
    let code = parsed.ok()?;
    check(code.flow_id() == vector.text("flow_id")?)?;
    let (mode, first, second) = match *code.keys() {
        Keys::OtherUser { displaying_user, scanning_user } => (0, displaying_user.0, scanning_user.0),
        Keys::OwnUserTrusted { master, scanning_device } => (1, master.0, scanning_device.0),
        Keys::OwnUserUntrusted { displaying_device, master } => (2, displaying_device.0, master.0),
    };
    check(matches!(vector.get("mode")?, Value::Number(number) if *number == mode))?;
    let key = |name| decode_array::<32>(vector.text(name)?, TrailingBits::Refused).ok();
    check((first, second) == (key("key1")?, key("key2")?))?;

    // A code shows whatever bytes it has for keys; only keys are displayed.
    let (Ok(own), Ok(their)) = (Ed25519PublicKey::from_bytes(first), Ed25519PublicKey::from_bytes(second))
    else {
        return Some(());
    };
    let displaying = match mode {
        0 => Displaying::ToOtherUser { own_master: own, their_master: their },
        1 => Displaying::Trusting { own_master: own, their_device: their },
        _ => Displaying::NotTrusting { own_device: own, own_master: their },
    };
    let secret = ReciprocateSecret::from_base64(vector.text("secret")?).ok()?;
    let displayed = Displayed::from_parts(code.flow_id(), displaying, secret).ok()?;
    check(displayed.emit(&mut [0; Displayed::<&str>::MAX_LEN]).ok()? == bytes)
}
