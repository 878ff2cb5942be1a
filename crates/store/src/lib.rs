//! Where the keys of a server are kept: permanent ones on a disk, temporary ones in memory.
//!
//! Two traits say what a place must promise. [`KeyStore`] keeps permanent keys: a key is durable before anybody is told
//! so, a taken id is told from a free one, and "there is none" from "cannot be asked now". [`TempKeys`] keeps temporary
//! ones: binding, dropping and ending are single operations that return what they replaced, so that an implementation
//! elsewhere can make them atomic. [`Keys`] puts one of each behind a single door and executes what the protocol's
//! core asks for.
//!
//! Here are the places for one machine: [`EmbeddedStore`], a file whose every record is sealed under a key that lies
//! elsewhere ([`SealingSource`]), and [`RamTempKeys`], a bounded table that is gone with the process. By type, nothing
//! of a temporary key can reach the file.
//!
//! What this crate does not do: it makes no keys, checks no bindings (whether the permanent key exists, whether the
//! binding's end lies ahead), and reads no clock; the time comes with each call, in Unix seconds.
//!
//! A permanent and a temporary key, bound:
//!
//! ```
//! use std::sync::Arc;
//!
//! use dayfly_core::keys::requests::*;
//! use dayfly_crypto::AuthKey;
//! use dayfly_store::{EmbeddedStore, Keys, OsRandom, RamTempKeys, SealingSource, TempLimits};
//!
//! fn record(key: AuthKey, lifetime: Lifetime) -> KeyRecord {
//!     let id = key.id();
//!     KeyRecord { key: Arc::new(key), id, lifetime, dc: 2, created_at: 1000, first_salt: 0, bound_to: None }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = tempfile::tempdir()?;
//! let sealing = SealingSource::Directory(place.path().join("sealing"));
//! let store = EmbeddedStore::open(&place.path().join("data/keys.redb"), &sealing, Box::new(OsRandom))?;
//! let keys = Keys::new(store, RamTempKeys::new(TempLimits::default()));
//!
//! let perm = record(AuthKey::copy_of(&[1; 256]), Lifetime::Permanent);
//! let temp = record(AuthKey::copy_of(&[2; 256]), Lifetime::Temporary { expires_at: 5000 });
//! let bind = BindRequest { temp: temp.id, perm: perm.id, expires_at: 5000, capacity: 1 };
//! let temp_id = temp.id;
//!
//! let requests = [StoreRequest::Insert(perm), StoreRequest::Insert(temp), StoreRequest::Bind(bind)];
//! let outcomes = keys.perform((1..).map(Ticket).zip(requests).collect(), 1000).await;
//! assert!(matches!(&outcomes[2].1, StoreOutcome::Bind(BindOutcome::Bound { replaced }) if replaced.is_empty()));
//! assert_eq!(keys.expire(5000).await?, [temp_id]);
//! # Ok(())
//! # }
//! ```
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

mod backup;
mod embedded;
mod error;
mod key_store;
mod keys;
mod ram;
mod sealing;
mod temp_keys;

pub use backup::{
    BackupError, BackupReader, BackupWriter, Cost, ImportError, Imported, KeptKey, Passphrase, PlainKeys,
};
pub use dayfly_system::OsRandom;
pub use embedded::EmbeddedStore;
pub use error::{Error, Unavailable};
pub use key_store::{Inserted, KeyStore, Listed};
pub use keys::Keys;
pub use ram::{RamTempKeys, TempLimits};
pub use sealing::{SealingKey, SealingSource};
pub use temp_keys::{TempInsertion, TempKeys};
