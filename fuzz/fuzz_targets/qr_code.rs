//! Codes: what is read and belongs to a flow is displayed the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_qr_code::{Displayed, Displaying, Keys, QrCode, ReciprocateSecret};
use mx_types::Ed25519PublicKey;

fuzz_target!(|data: &[u8]| {
    let Ok(code) = QrCode::parse(data) else { return };
    let key = |bytes| Ed25519PublicKey::from_bytes(bytes).ok();
    let displaying = match *code.keys() {
        Keys::OtherUser { displaying_user, scanning_user } => key(displaying_user.0)
            .zip(key(scanning_user.0))
            .map(|(own_master, their_master)| Displaying::ToOtherUser { own_master, their_master }),
        Keys::OwnUserTrusted { master, scanning_device } => key(master.0)
            .zip(key(scanning_device.0))
            .map(|(own_master, their_device)| Displaying::Trusting { own_master, their_device }),
        Keys::OwnUserUntrusted { displaying_device, master } => key(displaying_device.0)
            .zip(key(master.0))
            .map(|(own_device, own_master)| Displaying::NotTrusting { own_device, own_master }),
    };
    let secret = data.len() - 10 - code.flow_id().len() - 64;
    let secret = ReciprocateSecret::from_bytes(&data[data.len() - secret..]).expect("was read");
    let Some(displaying) = displaying else { return };
    let Ok(displayed) = Displayed::from_parts(code.flow_id(), displaying, secret) else { return };
    assert_eq!(displayed.emit(&mut [0; Displayed::MAX_LEN]), Ok(data));
});
