//! The kinds of authorization key, and which of them may encrypt traffic.
//!
//! Functions that need a property of a key take the type that has it: a session under forward secrecy is made
//! of a [`BoundTempKey`], the calls that are legal before that of an [`UnboundTempKey`], the binding message
//! of a [`PermKey`].

use core::fmt;
use std::sync::Arc;

use dayfly_crypto::{AuthKey, AuthKeyId};

use super::bind::{BindConfirmed, VerifiedBinding};
use super::requests::{KeyRecord, Lifetime};

/// What a handshake is asked to make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyKind {
    /// Lives until it is destroyed; the `_dc` form of the inner data.
    Perm,
    /// Lives in RAM for so many seconds; the `_temp_dc` form of the inner data.
    Temp {
        /// Seconds from creation, at least 1.
        expires_in: u32,
    },
}

/// A permanent key. Under forward secrecy it seals bindings and encrypts nothing else (rule PF-04).
#[derive(Clone)]
pub struct PermKey {
    key: Arc<AuthKey>,
    id: AuthKeyId,
}

impl PermKey {
    /// A key that a handshake of [`KeyKind::Perm`] made, or that was kept since.
    #[must_use]
    pub fn new(key: Arc<AuthKey>) -> Self {
        let id = key.id();
        Self { key, id }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> AuthKeyId {
        self.id
    }

    /// The secret.
    pub(crate) fn auth_key(&self) -> &AuthKey {
        &self.key
    }
}

/// A temporary key that is bound to nothing yet.
#[derive(Clone)]
pub struct UnboundTempKey {
    key: Arc<AuthKey>,
    id: AuthKeyId,
    expires_at: u64,
}

impl UnboundTempKey {
    /// A key that a handshake of [`KeyKind::Temp`] made; `expires_at` is a Unix second by the server's clock.
    #[must_use]
    pub fn new(key: Arc<AuthKey>, expires_at: u64) -> Self {
        let id = key.id();
        Self { key, id, expires_at }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> AuthKeyId {
        self.id
    }

    /// The first Unix second, by the server's clock, at which it is no longer valid.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// The client's side: the server said `boolTrue` to the bind of this key.
    #[must_use]
    pub fn bound(self, confirmed: &BindConfirmed) -> BoundTempKey {
        let expires_at = self.expires_at.min(confirmed.expires_at());
        BoundTempKey { key: self.key, id: self.id, expires_at, perm: confirmed.perm() }
    }

    /// The server's side: the binding passed every check and stands in the table.
    #[must_use]
    pub fn bound_by(self, verified: &VerifiedBinding) -> BoundTempKey {
        let expires_at = self.expires_at.min(verified.expires_at);
        BoundTempKey { key: self.key, id: self.id, expires_at, perm: verified.perm }
    }
}

/// A temporary key that is bound to a permanent one: what traffic under forward secrecy is encrypted with.
#[derive(Clone)]
pub struct BoundTempKey {
    key: Arc<AuthKey>,
    id: AuthKeyId,
    expires_at: u64,
    perm: AuthKeyId,
}

impl BoundTempKey {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> AuthKeyId {
        self.id
    }

    /// The first Unix second, by the server's clock, at which it is no longer valid.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// The permanent key it is bound to.
    #[must_use]
    pub fn perm(&self) -> AuthKeyId {
        self.perm
    }
}

/// A key of any kind, as a server finds it by its id.
#[derive(Clone, Debug)]
pub enum AnyKey {
    /// Permanent.
    Perm(PermKey),
    /// Temporary, bound to nothing.
    Unbound(UnboundTempKey),
    /// Temporary and bound.
    Bound(BoundTempKey),
}

impl AnyKey {
    /// The kind that the record of a key says it is.
    #[must_use]
    pub fn of_record(record: &KeyRecord) -> Self {
        let (key, id) = (Arc::clone(&record.key), record.id);
        match (record.lifetime, record.bound_to) {
            (Lifetime::Permanent, _) => Self::Perm(PermKey { key, id }),
            (Lifetime::Temporary { expires_at }, None) => {
                Self::Unbound(UnboundTempKey { key, id, expires_at })
            }
            (Lifetime::Temporary { expires_at }, Some(perm)) => {
                Self::Bound(BoundTempKey { key, id, expires_at, perm })
            }
        }
    }
}

/// The key that a session encrypts under.
///
/// ```
/// # use std::sync::Arc;
/// # use dayfly_core::keys::kind::{TrafficKey, UnboundTempKey};
/// # use dayfly_crypto::AuthKey;
/// let key = Arc::new(AuthKey::copy_of(&[7; 256]));
/// let temp = UnboundTempKey::new(key, 1_700_086_400);
/// assert_eq!(TrafficKey::from(&temp).id(), temp.id());
/// ```
#[derive(Clone)]
pub struct TrafficKey {
    key: Arc<AuthKey>,
    id: AuthKeyId,
}

impl TrafficKey {
    /// Traffic under a permanent key, which whoever gets that key later can read.
    ///
    /// The one place where forward secrecy is given up. Only a server calls this: to tell a client without
    /// temporary keys so (rule PF-23), and to serve it where the operator opted in. A client has no reason to
    /// (rule PF-04).
    #[must_use]
    pub fn without_forward_secrecy(perm: &PermKey) -> Self {
        Self { key: Arc::clone(&perm.key), id: perm.id }
    }

    /// `auth_key_id` of every message under this key.
    #[must_use]
    pub fn id(&self) -> AuthKeyId {
        self.id
    }

    /// The secret.
    pub(crate) fn auth_key(&self) -> &AuthKey {
        &self.key
    }
}

impl From<&BoundTempKey> for TrafficKey {
    fn from(bound: &BoundTempKey) -> Self {
        Self { key: Arc::clone(&bound.key), id: bound.id }
    }
}

impl From<&UnboundTempKey> for TrafficKey {
    /// For the calls and service messages that are legal before the bind (rule PF-05).
    fn from(unbound: &UnboundTempKey) -> Self {
        Self { key: Arc::clone(&unbound.key), id: unbound.id }
    }
}

macro_rules! shows_its_id {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.id)
            }
        }
    )*};
}

shows_its_id!(PermKey, UnboundTempKey, BoundTempKey, TrafficKey);
