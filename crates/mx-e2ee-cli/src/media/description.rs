//! Descriptions of encrypted files, wherever in an event they stand.

use core::fmt;

use mx_attachment::{EncryptedFile, InvalidFile, Leniency, UncheckedFile};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::text::Text;

/// Which of the two files of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Which {
    File,
    Thumbnail,
}

/// An event, its content, or the object itself: what they have of interest does not overlap.
#[derive(Deserialize)]
struct Object<'t> {
    #[serde(borrow)]
    content: Option<&'t RawValue>,
    #[serde(borrow)]
    file: Option<&'t RawValue>,
    #[serde(borrow)]
    info: Option<&'t RawValue>,
    #[serde(borrow)]
    key: Option<&'t RawValue>,
}

#[derive(Deserialize)]
struct Info<'t> {
    #[serde(borrow)]
    thumbnail_file: Option<&'t RawValue>,
}

/// Why there is nothing to decrypt by.
#[derive(Debug)]
pub(crate) enum NoDescription {
    Json(serde_json::Error),
    NoFile,
    NoThumbnail,
    Invalid(InvalidFile),
}

/// Finds and checks the description in an event, a content, or an object that is the description itself.
pub(crate) fn describe<'t>(
    json: &'t [u8],
    which: Which,
    leniency: Leniency,
) -> Result<EncryptedFile<Text<'t>>, NoDescription> {
    let outer: Object<'t> = serde_json::from_slice(json).map_err(NoDescription::Json)?;
    let inner = match outer.content {
        Some(content) => serde_json::from_str(content.get()).map_err(NoDescription::Json)?,
        None => outer,
    };
    if which == Which::File && inner.file.is_none() && inner.key.is_some() {
        return check(serde_json::from_slice(json), leniency);
    }
    in_object(&inner, which, leniency)
}

/// The same in the content of any event, of which most have no file.
pub(crate) fn describe_in_content(
    content: &str,
    which: Which,
    leniency: Leniency,
) -> Result<EncryptedFile<Text<'_>>, NoDescription> {
    in_object(&serde_json::from_str(content).map_err(NoDescription::Json)?, which, leniency)
}

fn in_object<'t>(
    content: &Object<'t>,
    which: Which,
    leniency: Leniency,
) -> Result<EncryptedFile<Text<'t>>, NoDescription> {
    let is_object = |value: &&RawValue| value.get().starts_with('{');
    let file = match which {
        Which::File => content.file.filter(is_object).ok_or(NoDescription::NoFile)?,
        Which::Thumbnail => {
            let info = content.info.filter(is_object).ok_or(NoDescription::NoThumbnail)?;
            let info: Info<'t> = serde_json::from_str(info.get()).map_err(NoDescription::Json)?;
            info.thumbnail_file.filter(is_object).ok_or(NoDescription::NoThumbnail)?
        }
    };
    check(serde_json::from_str(file.get()), leniency)
}

fn check<'t>(
    read: serde_json::Result<UncheckedFile<Text<'t>>>,
    leniency: Leniency,
) -> Result<EncryptedFile<Text<'t>>, NoDescription> {
    read.map_err(NoDescription::Json)?.check(leniency).map_err(NoDescription::Invalid)
}

impl fmt::Display for NoDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "not the description of an encrypted file: {error}"),
            Self::NoFile => f.write_str(
                "there is no `content.file` in it; give a decrypted event, its content, or the object `file`",
            ),
            Self::NoThumbnail => f.write_str("there is no `content.info.thumbnail_file` in it"),
            Self::Invalid(error) => {
                error.fmt(f)?;
                let may_be_passed = matches!(
                    error,
                    InvalidFile::UnsupportedVersion
                        | InvalidFile::NotExtractable
                        | InvalidFile::MissingKeyOperation
                );
                f.write_str(if may_be_passed { "; --lenient may take it" } else { "" })
            }
        }
    }
}
