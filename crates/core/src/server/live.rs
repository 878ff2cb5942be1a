//! Keys that connections and sessions use now, with what the server remembers under each.

use core::time::Duration;

use dayfly_crypto::AuthKeyId;

use crate::env::Now;
use crate::keys::kind::{AnyKey, TrafficKey};
use crate::keys::requests::{KeyRecord, Lifetime};
use crate::session::SessionId;
use crate::session::query::ClientInfo;
use crate::session::salt::KeySalts;
use crate::session::server::ServerSession;

use super::connection::ConnectionId;
use super::event::KeyUse;
use super::few::Few;
use super::sessions::Origin;

/// What a key is, and what it may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    Permanent,
    Unbound { expires_at: u64 },
    Bound { expires_at: u64, perm: AuthKeyId },
}

impl Standing {
    fn of(record: &KeyRecord) -> Self {
        match (record.lifetime, record.bound_to) {
            (Lifetime::Permanent, _) => Self::Permanent,
            (Lifetime::Temporary { expires_at }, None) => Self::Unbound { expires_at },
            (Lifetime::Temporary { expires_at }, Some(perm)) => Self::Bound { expires_at, perm },
        }
    }

    pub(super) fn key_use(self) -> KeyUse {
        match self {
            Self::Permanent => KeyUse::Permanent,
            Self::Unbound { .. } => KeyUse::Unbound,
            Self::Bound { .. } => KeyUse::Bound,
        }
    }

    pub(super) fn bound_to(self) -> Option<AuthKeyId> {
        match self {
            Self::Bound { perm, .. } => Some(perm),
            Self::Permanent | Self::Unbound { .. } => None,
        }
    }

    /// Whether its last second is over.
    pub(super) fn has_ended(self, now: Now) -> bool {
        self.expires_at().is_some_and(|at| at <= now.unix_seconds())
    }

    /// The Unix second at which the key ends.
    pub(super) fn expires_at(self) -> Option<u64> {
        match self {
            Self::Permanent => None,
            Self::Unbound { expires_at } | Self::Bound { expires_at, .. } => Some(expires_at),
        }
    }
}

/// A session and the connection that its last message came on.
pub(super) struct Attached {
    pub(super) session: ServerSession,
    pub(super) connection: Option<ConnectionId>,
    pub(super) last_message: Duration,
}

/// A binding under way: the request waits for the permanent key, then for the store.
pub(super) struct PendingBind {
    pub(super) origin: Origin,
    /// `auth.bindTempAuthKey` as it came, constructor first.
    pub(super) request: Vec<u8>,
}

pub(super) struct LiveKey {
    pub(super) traffic: TrafficKey,
    pub(super) standing: Standing,
    pub(super) dc: i32,
    pub(super) salts: KeySalts,
    pub(super) sessions: Few<SessionId, Box<Attached>>,
    /// What the client said of itself, in whichever session (rule PF-11).
    pub(super) client: Option<ClientInfo>,
    pub(super) layer: Option<i32>,
    /// While it is set, the calls of every session wait (rule PF-18).
    pub(super) bind: Option<PendingBind>,
    /// Set when another key took this one's place: no query any more, only answers owed (rule PF-10).
    pub(super) retired: bool,
}

impl LiveKey {
    pub(super) fn new(record: &KeyRecord, salts: KeySalts) -> Self {
        Self {
            traffic: traffic_key(&AnyKey::of_record(record)),
            standing: Standing::of(record),
            dc: record.dc,
            salts,
            sessions: Few::default(),
            client: None,
            layer: None,
            bind: None,
            retired: false,
        }
    }

    /// The id under which a back end knows the caller: the permanent key's, if there is one.
    pub(super) fn caller(&self, own: AuthKeyId) -> AuthKeyId {
        match self.standing {
            Standing::Bound { perm, .. } => perm,
            Standing::Permanent | Standing::Unbound { .. } => own,
        }
    }

    /// Connections that this key's sessions answer on.
    pub(super) fn connections(&self) -> Vec<ConnectionId> {
        self.sessions.values().filter_map(|attached| attached.connection).collect()
    }

    /// The session that was silent for longest, if `most` are there already.
    pub(super) fn stalest_of(&self, most: usize) -> Option<SessionId> {
        let full = self.sessions.len() >= most.max(1);
        let stalest = self.sessions.iter().min_by_key(|(_, attached)| attached.last_message);
        stalest.filter(|_| full).map(|(id, _)| *id)
    }

    /// Whether nothing would be lost with it.
    pub(super) fn is_idle(&self) -> bool {
        self.sessions.is_empty() && self.bind.is_none() && !self.retired
    }
}

/// The key that a session speaks under; of a permanent one only where the policy is asked for every call (rule PF-23).
fn traffic_key(key: &AnyKey) -> TrafficKey {
    match key {
        AnyKey::Perm(perm) => TrafficKey::without_forward_secrecy(perm),
        AnyKey::Unbound(temp) => TrafficKey::from(temp),
        AnyKey::Bound(temp) => TrafficKey::from(temp),
    }
}
