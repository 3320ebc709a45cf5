//! With matrix-sdk-crypto: attachments, session data, key files, rooms that its machine wrote or reads, identities, verifications.

mod attachments;
mod backups;
mod differences;
mod identities;
mod key_files;
mod room;
mod room_keys;
mod secret_storage;
mod tool;
mod verifications;

use rand_chacha::ChaCha20Rng;
use rand_core::Rng;
use tokio::runtime;

use self::differences::Differences;
use crate::report::Report;

/// Everything with matrix-sdk-crypto.
pub fn checks(report: &mut Report) {
    report.title(&format!("With matrix-sdk-crypto {}", matrix_sdk_crypto::VERSION));
    report.check("attachments, theirs to us", attachments::to_us);
    report.check("attachments, ours to them", attachments::to_them);
    report.check("damaged attachments", attachments::damaged);
    report.check("session data, to them and back", room_keys::session_data);
    report.check("a key bundle, to us and back", room_keys::bundle);
    report.check("withheld codes, to them and back", room_keys::withheld);
    report.check("key files, theirs to us", key_files::to_us);
    report.check("key files, ours to them", key_files::to_them);
    report.check("a room, theirs to us", room::to_us);
    report.check("a room, ours to them", room::to_them);
    report.check("backups, theirs to us", backups::to_us);
    report.check("backups, ours to them", backups::to_them);
    report.check("backups, auth_data signed by them", backups::signed_by_them);
    report.check("backups, auth_data signed by us", backups::signed_by_us);
    report.check("backups, forms of the decryption key", backups::keys);
    match tool::Tool::built() {
        None => report.skip("a room, theirs to mx-e2ee", "it was not built: cargo xtask interop does that"),
        Some(tool) => report.check("a room, theirs to mx-e2ee", |rng| room::to_tool(&tool, rng)),
    }
    #[cfg(feature = "matrix-sdk-test")]
    report.check("the key sets of their own tests", |_| identities::fixtures());
    #[cfg(not(feature = "matrix-sdk-test"))]
    report.skip("the key sets of their own tests", "the gate goes without them: cargo xtask interop");
    report.check("an identity, theirs to us", identities::to_us);
    report.check("an identity, ours to them", identities::to_them);
    report.check("users verify each other", identities::verified);
    report.check("own devices and private keys, both ways", identities::own_devices);
    report.check("identities that change", identities::changes);
    report.check("trust in random graphs", identities::graphs);
    report.check("trust in random histories", identities::histories);
    report.check("secret storage, theirs to us", secret_storage::to_us);
    report.check("secret storage, ours to them", secret_storage::to_them);
    report.check("cross-signing keys through secret storage", secret_storage::signing_keys);

    verifications::checks(report);

    report.title("Where matrix-sdk-crypto differs");
    let mut differences = Differences::default();
    let inputs = "making the inputs";
    let mut rng = report.rng(inputs);
    let tried = attachments::differences(&mut differences, report, &mut rng)
        .and_then(|()| room_keys::differences(&mut differences, report, &mut rng))
        .and_then(|()| key_files::differences(&mut differences, report, &mut rng))
        .and_then(|()| identities::differences(&mut differences, report))
        .and_then(|()| secret_storage::differences(&mut differences, report, &mut rng))
        .and_then(|()| backups::differences(&mut differences, report, &mut rng))
        .and_then(|()| verifications::differences(&mut differences, report, &rng));
    report.quiet_check(inputs, || tried);
    differences.print();
}

/// Waits for something that their machine does. It starts tasks, so it wants a runtime around it.
fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = runtime::Builder::new_current_thread().build().expect("a runtime without I/O or time");
    runtime.block_on(future)
}

fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    rng.next_u32() as usize % bound
}

fn random_bytes(rng: &mut ChaCha20Rng, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rng.fill_bytes(&mut bytes);
    bytes
}
