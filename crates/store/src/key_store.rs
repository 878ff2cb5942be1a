//! The trait of the places where permanent keys are kept.

use std::future::Future;

use dayfly_core::keys::requests::KeyRecord;
use dayfly_crypto::AuthKeyId;

use crate::error::Unavailable;

/// What became of a key that was to be kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Inserted {
    /// It is kept: a permanent key on the disk and synced, a temporary one in memory.
    Stored,
    /// Another key has this id; nothing changed (rule HS-25).
    Taken,
    /// It cannot be kept here, now or later; nothing changed (rule HS-26).
    Refused,
}

/// What a listing tells of a permanent key; no secret is opened for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listed {
    /// Its id.
    pub id: AuthKeyId,
    /// The `dc` of its inner data.
    pub dc: i32,
    /// Unix second of its creation.
    pub created_at: u64,
    /// Unix second at which it was last seen in use, to within a day; `None` if it never was.
    pub used_at: Option<u64>,
}

/// A place where permanent keys are kept.
///
/// Every answer tells "there is none" from "cannot be asked now": the first may become a -404 at which a client gives
/// up its key, the second never may (rule HS-36). Each call takes many keys at once, so that an implementation can
/// share one sync or one round trip between them.
pub trait KeyStore: Send + Sync + 'static {
    /// Keeps each key unless its id is taken. [`Inserted::Stored`] means that the key survives a power cut from now on
    /// (rule PF-17). Of two keys with one id in the same call the first is kept. A record whose lifetime is temporary
    /// is [`Inserted::Refused`], always: such a key never reaches a disk (rule PF-01).
    ///
    /// The answers stand in the order of the records. After an [`Unavailable`] the key may or may not be there.
    fn insert(
        &self,
        records: Vec<KeyRecord>,
    ) -> impl Future<Output = Vec<Result<Inserted, Unavailable>>> + Send;

    /// The keys with these ids, in their order; `None` means that there is no such key, for certain.
    fn load(
        &self,
        ids: &[AuthKeyId],
    ) -> impl Future<Output = Vec<Result<Option<KeyRecord>, Unavailable>>> + Send;

    /// Notes, durably, that these keys are in use at the Unix second `now`; ids of no key are passed over.
    ///
    /// A key that was ever marked is not swept (rule PF-26). Marking a key again within a day writes nothing.
    fn mark_used(&self, ids: &[AuthKeyId], now: u64) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Up to `at_most` keys with ids greater than `after`, by rising id. An empty page is the end.
    fn list(
        &self,
        after: Option<AuthKeyId>,
        at_most: usize,
    ) -> impl Future<Output = Result<Vec<Listed>, Unavailable>> + Send;

    /// Removes a key, durably. `false` if there was none.
    fn revoke(&self, id: AuthKeyId) -> impl Future<Output = Result<bool, Unavailable>> + Send;

    /// Removes up to `at_most` keys made before the Unix second `made_before` that were never marked as used, oldest
    /// first, and returns their ids (rule PF-26). Fewer than `at_most` means that none is left.
    fn sweep_unused(
        &self,
        made_before: u64,
        at_most: usize,
    ) -> impl Future<Output = Result<Vec<AuthKeyId>, Unavailable>> + Send;
}
