//! Where permanent and temporary keys are kept.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod embedded;
mod error;
mod key_store;
mod keys;
mod ram;
mod random;
mod sealing;
mod temp_keys;

pub use embedded::EmbeddedStore;
pub use error::{Error, Unavailable};
pub use key_store::{Inserted, KeyStore, Listed};
pub use keys::Keys;
pub use ram::{RamTempKeys, TempLimits};
pub use random::OsRandom;
pub use sealing::{SealingKey, SealingSource};
pub use temp_keys::{TempInsertion, TempKeys};
