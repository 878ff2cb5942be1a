//! The key that seals the records of a store: where it comes from and what it does.

mod key;
mod record;
mod source;

pub(crate) use key::CHECK_LEN;
pub use key::SealingKey;
pub(crate) use record::{Header, open_record, seal_record};
pub use source::SealingSource;
pub(crate) use source::{Found, NextKey, make_private_directory, sync_directory_of};
