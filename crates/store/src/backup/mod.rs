//! Permanent keys outside a store: a file sealed under a passphrase, and the plain lines of whoever comes from elsewhere.

mod format;
mod plain;
mod reader;
mod writer;

use std::io;

use dayfly_core::keys::requests::KeyRecord;
use dayfly_crypto::{AuthKeyId, RandomError};

pub use self::format::{Cost, Passphrase};
pub use self::plain::PlainKeys;
pub use self::reader::BackupReader;
pub use self::writer::BackupWriter;

/// A permanent key with what the store knows of it.
pub struct KeptKey {
    /// The key; its lifetime is permanent.
    pub record: KeyRecord,
    /// Unix second at which it was last seen in use, to within a day; `None` if it never was.
    pub used_at: Option<u64>,
}

/// What became of an import: all of it is in the store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Imported {
    /// Keys that were not there before.
    pub added: u64,
    /// Keys that were there already, the same.
    pub present: u64,
}

/// Why a file with keys could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The system said no.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file begins with something else.
    #[error("this is no export of dayfly's keys")]
    NotABackup,
    /// A newer version wrote it.
    #[error("the export has format {found}, and this version knows formats up to {known}: use a newer one")]
    NewerFormat {
        /// The format number found in it.
        found: u32,
        /// The newest one known here.
        known: u32,
    },
    /// Its head asks for more work than any export of ours: it is somebody's trap, or damaged.
    #[error("the export asks for unreasonable work on its passphrase: it is damaged")]
    Cost,
    /// The first thing under the passphrase does not open.
    #[error("the export does not open with this passphrase, or its first bytes were altered")]
    Passphrase,
    /// Something behind it does not open.
    #[error("the export was altered or cut short after its first {after} keys")]
    Altered {
        /// How many keys before it are whole.
        after: u64,
    },
    /// A plain line is no key.
    #[error("line {line}: {reason}")]
    Line {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it and what is expected.
        reason: String,
    },
    /// A passphrase that protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The key derivation got no memory.
    #[error("there is not enough memory to derive a key from the passphrase")]
    Memory,
    /// No randomness could be had.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Why an import changed nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file.
    #[error(transparent)]
    Source(#[from] BackupError),
    /// Another key has this id in the store, or in the same file.
    #[error("the id {0} belongs to another key already")]
    Taken(AuthKeyId),
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::error::Unavailable),
}
