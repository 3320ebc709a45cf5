//! Files under any key and IV, cut into any pieces: streams, whole files and single positions agree.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mx_aes_sha2::sha256;
use mx_attachment::{AttachmentInfo, hazmat::RandomAccess};

fuzz_target!(|data: &[u8]| {
    // Key, IV, the lengths of the pieces, and the file.
    let Some((key, rest)) = data.split_first_chunk::<32>() else { return };
    let Some((iv, rest)) = rest.split_first_chunk::<16>() else { return };
    let Some((lengths, file)) = rest.split_first_chunk::<8>() else { return };
    // Longer than all that is worked on at once.
    let file = file.repeat(1 + usize::from(lengths[0]) % 32);

    let info = AttachmentInfo::from_parts(key, iv, &sha256(&[&file]));
    let mut whole = file.clone();
    info.decrypt_in_place(&mut whole).expect("the hash is of this file");

    let (mut decryptor, mut verifier) = (info.decryptor(), info.verifier());
    let mut streamed = file.clone();
    let mut rest = streamed.as_mut_slice();
    for (place, length) in lengths.iter().cycle().enumerate() {
        let (piece, later) = rest.split_at_mut(rest.len().min(1 + usize::from(*length) * (1 + place % 40)));
        verifier.update(piece);
        let _ = decryptor.update(piece).expose_unverified();
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    assert!(decryptor.finish().is_ok() && verifier.finish().is_ok());
    assert_eq!(streamed, whole);

    let start = usize::from(lengths[1]).min(file.len());
    let mut piece = file[start..].to_vec();
    RandomAccess::new(&info).decrypt_at(start as u64, &mut piece);
    assert_eq!(piece, whole[start..]);

    let mut cut = file.clone();
    if cut.pop().is_some() {
        let before = cut.clone();
        assert!(info.decrypt_in_place(&mut cut).is_err());
        assert_eq!(cut, before);
        let mut decryptor = info.decryptor();
        drop(decryptor.update(&mut cut));
        assert!(cut.iter().all(|byte| *byte == 0));
        assert!(decryptor.finish().is_err());
    }
});
