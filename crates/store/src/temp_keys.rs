//! The trait of the places where temporary keys live.

use std::future::Future;

use dayfly_core::keys::requests::{BindOutcome, BindRequest, KeyRecord};
use dayfly_crypto::AuthKeyId;

use crate::{error::Unavailable, key_store::Inserted};

/// What became of a temporary key that was to be kept, and what it cost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TempInsertion {
    /// What became of it.
    pub outcome: Inserted,
    /// The keys that had to go to make room, in the order in which they went (rule PF-25).
    pub evicted: Vec<AuthKeyId>,
}

/// A place where temporary keys live: memory, never anything that writes to a disk (rule PF-01).
///
/// Each method is one atomic operation that returns what it replaced or ended; nothing is to be built from a `find` and
/// a later change. A key that has ended is forgotten at once: nobody finds it, its id is free, and its bytes are wiped
/// as soon as the last holder of the shared record lets go (rule PF-15). `now` is the server's clock in Unix seconds; a
/// key whose end has come is not found even before [`expire`](Self::expire) collects it.
pub trait TempKeys: Send + Sync + 'static {
    /// Keeps a key unless its id is taken by another temporary one. A permanent record, and one whose end has come
    /// already, is [`Inserted::Refused`]. The key is kept unbound, whatever the record's `bound_to` says: only
    /// [`bind`](Self::bind) binds.
    fn insert(
        &self,
        record: KeyRecord,
        now: u64,
    ) -> impl Future<Output = Result<TempInsertion, Unavailable>> + Send;

    /// The keys with these ids, in their order; `None` means that there is no such key (any more).
    ///
    /// The record's `expires_at` is the key's own end, or the binding's where that is earlier.
    fn find(
        &self,
        ids: &[AuthKeyId],
        now: u64,
    ) -> impl Future<Output = Result<Vec<Option<KeyRecord>>, Unavailable>> + Send;

    /// Binds a temporary key to a permanent one and ends those that lose their place to it (rules PF-09, PF-10).
    ///
    /// Whether the permanent key exists and the request's `expires_at` lies ahead is for the caller to check first.
    fn bind(
        &self,
        request: BindRequest,
        now: u64,
    ) -> impl Future<Output = Result<BindOutcome, Unavailable>> + Send;

    /// Ends the keys bound to `perm`, all but `except`, and returns them in the order of their binding (rule PF-19).
    fn drop_except(
        &self,
        perm: AuthKeyId,
        except: &[AuthKeyId],
    ) -> impl Future<Output = Result<Vec<AuthKeyId>, Unavailable>> + Send;

    /// Ends one key, bound or not, and returns it; `None` if there was none.
    fn end(&self, id: AuthKeyId) -> impl Future<Output = Result<Option<KeyRecord>, Unavailable>> + Send;

    /// Ends the keys whose second has come and returns them, earliest end first (rule PF-15).
    fn expire(&self, now: u64) -> impl Future<Output = Result<Vec<AuthKeyId>, Unavailable>> + Send;
}
