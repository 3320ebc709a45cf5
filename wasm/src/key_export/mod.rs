//! Key export files, read and written in steps.

mod file;
mod keys;
mod reader;
mod session;
mod stream;
mod writer;

pub use self::{
    file::KeyExportFile,
    keys::{ExportKeys, KeyDerivation},
    reader::KeyExportReader,
    session::ExportedSession,
    writer::KeyExportWriter,
};
#[cfg(feature = "events")]
pub(crate) use self::{reader::Refused as RefusedEntry, stream::Source};
