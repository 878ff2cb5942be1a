//! The storage's failures as ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Unavailable;

macro_rules! storage_failures {
    ($($error:ty),*) => {$(
        impl From<$error> for Unavailable {
            fn from(error: $error) -> Self {
                Self::Storage(error.to_string())
            }
        }
    )*};
}

storage_failures!(
    redb::CommitError,
    redb::SetDurabilityError,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError
);

/// Runs `work`; a panic in it becomes an error.
///
/// The storage trusts the structure of a file that was closed cleanly and may panic where somebody changed it since.
/// That must cost the one request that met it, not the process.
pub(super) fn guarded<T, E: From<Unavailable>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Unavailable::Storage("its structure is damaged".into()).into()))
}
