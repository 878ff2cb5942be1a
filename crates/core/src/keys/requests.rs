//! What a server asks of the places where keys are kept, and what it is told.
//!
//! The core never waits: a request goes out with a ticket, the outcome comes back with the same one. "There is none"
//! and "cannot be asked now" are different answers; only the first may ever become a -404 (rule HS-36).

use std::sync::Arc;

use dayfly_crypto::{AuthKey, AuthKeyId};

/// Names one request until its outcome comes back.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub u64);

/// How long a key lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lifetime {
    /// Until it is destroyed.
    Permanent,
    /// Until this Unix second by the server's clock, in RAM only.
    Temporary {
        /// The first second at which the key is no longer valid.
        expires_at: u64,
    },
}

/// A key as it is kept, secret and all.
pub struct KeyRecord {
    /// The secret. Shared, so that there is one copy of it in the process, wiped when the last holder lets go.
    pub key: Arc<AuthKey>,
    /// Its id.
    pub id: AuthKeyId,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// The `dc` of its inner data (0 where the form had none); negative for a media DC.
    pub dc: i32,
    /// Unix second of its creation, by the server's clock.
    pub created_at: u64,
    /// The first server_salt (HS-28), as the little-endian number of its eight bytes.
    pub first_salt: i64,
    /// The permanent key that a temporary one is bound to.
    pub bound_to: Option<AuthKeyId>,
}

/// A place in which bindings replace each other (rule PF-10).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Slot {
    /// The permanent key.
    pub perm: AuthKeyId,
    /// The temporary key's `dc`: a media DC (negative) is a place of its own, 0 stands for keys made without one.
    pub dc: i32,
}

/// One binding to be made as a single operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BindRequest {
    /// The temporary key.
    pub temp: AuthKeyId,
    /// The permanent key.
    pub perm: AuthKeyId,
    /// When the binding ends at the latest, in Unix seconds; later than the key's own end is cut to it.
    pub expires_at: u64,
    /// How many temporary keys may share the slot; the oldest of one more goes. At least 1.
    pub capacity: usize,
}

/// What became of a binding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BindOutcome {
    /// It stands; these keys lost their place to it and are gone.
    Bound {
        /// The keys that were replaced, oldest first.
        replaced: Vec<AuthKeyId>,
    },
    /// It stood already, to the same permanent key; nothing changed.
    AlreadyBound,
    /// The temporary key is bound to another permanent key; nothing changed.
    BoundElsewhere,
    /// There is no such temporary key (any more).
    NoSuchKey,
    /// The permanent key was destroyed meanwhile; the temporary one ended with it.
    PermGone,
}

/// What a server asks.
pub enum StoreRequest {
    /// The key with this id, of either kind.
    Find(AuthKeyId),
    /// Keep this key, unless its id is taken by any key of either kind. A permanent one must be on the disk, synced,
    /// before the outcome says so (rule PF-17).
    Insert(KeyRecord),
    /// Make this binding.
    Bind(BindRequest),
    /// End the temporary keys of `perm` except these (rule PF-19).
    DropTemp {
        /// Whose temporary keys.
        perm: AuthKeyId,
        /// Those that stay.
        except: Vec<AuthKeyId>,
    },
    /// End this key for good, of whichever kind it is, and the temporary keys bound to it (rule MS-17). A permanent one
    /// must be gone from the disk, synced, before the outcome says so.
    Destroy(AuthKeyId),
    /// Something was bound to, or sent under, this permanent key (rule PF-26).
    MarkUsed(AuthKeyId),
}

/// What a server is told.
pub enum StoreOutcome {
    /// For [`StoreRequest::Find`]: the key.
    Found(KeyRecord),
    /// For [`StoreRequest::Find`] and [`StoreRequest::Destroy`]: there is no such key, for certain.
    Missing,
    /// For [`StoreRequest::Insert`]: kept, durably if permanent.
    Inserted,
    /// For [`StoreRequest::Insert`]: another key has this id; nothing changed.
    Taken,
    /// For [`StoreRequest::Insert`]: it cannot be kept, now or later (`dh_gen_fail`, rule HS-26).
    Refused,
    /// For [`StoreRequest::Bind`].
    Bind(BindOutcome),
    /// For [`StoreRequest::DropTemp`]: these keys ended.
    Dropped(Vec<AuthKeyId>),
    /// For [`StoreRequest::Destroy`]: it is gone, and with it these temporary keys, itself among them if it was one.
    Destroyed(Vec<AuthKeyId>),
    /// For [`StoreRequest::MarkUsed`].
    Done,
    /// For any request: the place cannot be asked now; nothing is known and nothing changed for certain.
    Unavailable,
}
