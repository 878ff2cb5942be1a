//! What can go wrong: while opening a store, and while asking it.

use std::{io, path::PathBuf};

use dayfly_crypto::{AuthKeyId, RandomError};

/// A place where keys are kept cannot be asked now. Says nothing of whether a key exists (rule HS-36).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// The storage below failed; the text is its own.
    #[error("the storage failed: {0}")]
    Storage(String),
    /// A record is there but does not open: damaged, or moved from another id.
    #[error("the record of key {0} is damaged: it does not open under the sealing key")]
    Damaged(AuthKeyId),
    /// No randomness could be had.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Why a store could not be opened or resealed. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data directory or the file in it cannot be created or written.
    #[error("the store {path} cannot be written: {source}")]
    NotWritable {
        /// The store's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the store open.
    #[error("the store {path} is in use by another process; stop that one first")]
    Locked {
        /// The store's file.
        path: PathBuf,
    },
    /// The file is there but no store, or not a whole one.
    #[error("the store {path} is damaged ({what}); it was left as it is: restore it from a backup")]
    Damaged {
        /// The store's file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A newer version wrote it.
    #[error(
        "the store {path} has format {found}, and this version knows formats up to {known}: use a newer one"
    )]
    NewerFormat {
        /// The store's file.
        path: PathBuf,
        /// The format number found in it.
        found: u32,
        /// The newest format number known here.
        known: u32,
    },
    /// The sealing key is a sealing key, but not this store's.
    #[error("the store {path} was made with another sealing key than {key}")]
    WrongSealingKey {
        /// The store's file.
        path: PathBuf,
        /// Where the key came from.
        key: String,
    },
    /// The store exists and its sealing key does not.
    #[error(
        "the sealing key {key} of the store {path} is missing; without it no key in the store can be opened"
    )]
    SealingKeyMissing {
        /// The store's file.
        path: PathBuf,
        /// Where the key should be.
        key: String,
    },
    /// Others can read or write the sealing key.
    #[error("the sealing key {} has mode {mode:04o}, open to others: run `chmod 600 {}`", key.display(), key.display())]
    SealingKeyRights {
        /// The key's file.
        key: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What is there has not the length of a sealing key.
    #[error("the sealing key {key} has {found} bytes instead of 32")]
    SealingKeyLength {
        /// Where the key came from.
        key: String,
        /// `31`, or `more than 32`.
        found: String,
    },
    /// The key would lie with what it seals.
    #[error("the sealing key {} is inside the data directory; a copy of the directory would open itself: move it out", key.display())]
    SealingKeyInside {
        /// The key's file.
        key: PathBuf,
    },
    /// The sealing key could not be read or written.
    #[error("the sealing key {key} cannot be used: {source}")]
    SealingKeyIo {
        /// Where the key is.
        key: String,
        /// What the system said.
        source: io::Error,
    },
    /// The store was opened, then failed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// No randomness could be had.
    #[error(transparent)]
    Random(#[from] RandomError),
}
