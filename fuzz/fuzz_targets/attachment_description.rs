//! Descriptions of files: what is read strictly is read leniently, is written again, and decrypts what it describes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_attachment::{AttachmentInfo, EncryptedFile, Leniency, UncheckedFile};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let unchecked = || serde_json::from_str::<UncheckedFile<String>>(text);
    let strict = serde_json::from_str::<EncryptedFile<String>>(text).ok();
    let Ok(read) = unchecked() else {
        assert!(strict.is_none());
        return;
    };
    let checked = read.check(Leniency::NONE);
    let without_serde = UncheckedFile::parse(data).ok().and_then(|read| read.check(Leniency::NONE).ok());
    if let (Ok(with), Some(without)) = (&checked, &without_serde) {
        assert!(with.url == without.url && same(&with.info, &without.info));
    }
    assert_eq!(strict.is_some(), checked.is_ok());
    let all = Leniency { ext_and_key_ops: true, legacy_versions: true };
    let lenient = unchecked().expect("it was read before").check(all);
    if checked.is_ok() {
        let (strict, lenient) = (checked.as_ref(), lenient.as_ref());
        assert!(strict.is_ok_and(|strict| lenient.is_ok_and(|lenient| same(&strict.info, &lenient.info))));
    }
    let Ok(file) = lenient else { return };
    let written = serde_json::to_string(&file).expect("a description can be written");
    let again = serde_json::from_str::<UncheckedFile<String>>(&written).expect("JSON").check(all);
    assert!(again.is_ok_and(|again| again.url == file.url && same(&again.info, &file.info)));
    let _ = file.info.decrypt_in_place(&mut data.to_vec());
});

fn same(one: &AttachmentInfo, other: &AttachmentInfo) -> bool {
    (one.secret_key(), one.iv(), one.sha256()) == (other.secret_key(), other.iv(), other.sha256())
}
