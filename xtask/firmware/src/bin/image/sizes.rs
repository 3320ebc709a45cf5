//! Symbols as large as the states that firmware holds in RAM.

/// Puts `size_of::<$type>()` into the image's symbol table under `$name`.
macro_rules! size_of {
    ($name:literal, $type:ty) => {
        const _: () = {
            #[used]
            #[unsafe(export_name = concat!("size_of:", $name))]
            #[unsafe(link_section = ".sizes")]
            static SIZE: [u8; size_of::<$type>()] = [0; size_of::<$type>()];
        };
    };
}

#[cfg(feature = "attachment")]
mod attachment {
    size_of!("mx_attachment::AttachmentInfo", mx_attachment::AttachmentInfo);
    size_of!("mx_attachment::Decryptor", mx_attachment::Decryptor);
    size_of!("mx_attachment::Encryptor", mx_attachment::Encryptor);
}

#[cfg(feature = "keys")]
mod keys {
    size_of!("mx_curve25519::Curve25519SecretKey", mx_curve25519::Curve25519SecretKey);
    size_of!("mx_curve25519::Ed25519SecretKey", mx_curve25519::Ed25519SecretKey);
    size_of!("mx_curve25519::Ed25519Verifier", mx_curve25519::Ed25519Verifier);
}

#[cfg(feature = "olm")]
mod olm {
    size_of!("mx_olm::Account<8, 8>", mx_olm::Account<8, 8>);
    size_of!("mx_olm::Account", mx_olm::Account);
    size_of!("mx_olm::Session<8>", mx_olm::Session<8>);
    size_of!("mx_olm::Session<40>", mx_olm::Session<40>);
    size_of!("mx_olm::Session", mx_olm::Session);
}

#[cfg(feature = "megolm")]
mod megolm {
    size_of!("mx_megolm::InboundGroupSession", mx_megolm::InboundGroupSession);
    size_of!("mx_megolm::OutboundGroupSession", mx_megolm::OutboundGroupSession);
    size_of!("mx_megolm::SessionKey", mx_megolm::SessionKey);
}
