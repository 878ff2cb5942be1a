//! The keys that the store has, as the clients know them.

use std::sync::Arc;

use dayfly_core::keys::kind::{TrafficKey, UnboundTempKey};
use dayfly_core::keys::requests::{KeyRecord, Lifetime};
use dayfly_crypto::{AuthKey, AuthKeyId};

use super::{EXPIRES_AT, SALT};
use crate::world::START;

/// The keys that the store has: a permanent one, and two temporary ones.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Known {
    Perm,
    Temp,
    Other,
}

impl Known {
    const ALL: [Self; 3] = [Self::Perm, Self::Temp, Self::Other];

    pub(super) fn pick(byte: u8) -> Self {
        [Self::Temp, Self::Other, Self::Temp, Self::Perm][usize::from(byte & 3)]
    }

    pub(super) fn secret(self) -> AuthKey {
        AuthKey::copy_of(&[9 - self as u8; 256])
    }

    pub(super) fn id(self) -> AuthKeyId {
        self.secret().id()
    }

    pub(super) fn of(id: AuthKeyId) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.id() == id)
    }

    pub(super) fn traffic(self) -> TrafficKey {
        TrafficKey::from(&UnboundTempKey::new(Arc::new(self.secret()), EXPIRES_AT))
    }

    pub(super) fn record(self, bound_to: Option<AuthKeyId>) -> KeyRecord {
        let lifetime = match self {
            Self::Perm => Lifetime::Permanent,
            Self::Temp | Self::Other => Lifetime::Temporary { expires_at: EXPIRES_AT },
        };
        let key = Arc::new(self.secret());
        KeyRecord { id: key.id(), key, lifetime, dc: 2, created_at: START, first_salt: SALT, bound_to }
    }
}
