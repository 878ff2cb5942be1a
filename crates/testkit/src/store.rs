//! Keys in memory, asked and answered at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dayfly_core::keys::requests::{
    BindOutcome, BindRequest, KeyRecord, Lifetime, StoreOutcome, StoreRequest,
};
use dayfly_crypto::{AuthKey, AuthKeyId};

/// Both places of a server, permanent keys and temporary ones, without a disk and without waiting.
#[derive(Default)]
pub struct MemoryStore {
    keys: BTreeMap<AuthKeyId, KeyRecord>,
    /// Temporary keys in the order in which they were bound.
    bound: Vec<AuthKeyId>,
    /// Every permanent key that was ever kept.
    permanent: BTreeSet<AuthKeyId>,
    /// The ids of all keys kept, in that order.
    inserted: Vec<AuthKeyId>,
    planted: BTreeSet<AuthKeyId>,
}

impl MemoryStore {
    /// Empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a permanent key of somebody else under this id, so that the id is taken.
    pub fn plant(&mut self, id: AuthKeyId) {
        let record = KeyRecord {
            key: Arc::new(AuthKey::take(&mut [0x5a; 256])),
            id,
            lifetime: Lifetime::Permanent,
            dc: 2,
            created_at: 0,
            first_salt: 0,
            bound_to: None,
        };
        self.keys.insert(id, record);
        self.planted.insert(id);
    }

    /// The ids of all keys that were kept, the first one first.
    #[must_use]
    pub fn inserted(&self) -> &[AuthKeyId] {
        &self.inserted
    }

    /// Whether a key of this id was kept as a permanent one.
    #[must_use]
    pub fn is_permanent(&self, id: AuthKeyId) -> bool {
        self.permanent.contains(&id)
    }

    /// Whether this id was planted.
    #[must_use]
    pub fn is_planted(&self, id: AuthKeyId) -> bool {
        self.planted.contains(&id)
    }

    /// The permanent key that a temporary one is bound to.
    #[must_use]
    pub fn bound_to(&self, temp: AuthKeyId) -> Option<AuthKeyId> {
        self.keys.get(&temp)?.bound_to
    }

    /// Gives a key that is kept another first salt, as a server would have it that learnt of the key elsewhere.
    pub fn resalt(&mut self, id: AuthKeyId, first_salt: i64) {
        if let Some(record) = self.keys.get_mut(&id) {
            record.first_salt = first_salt;
        }
    }

    /// Does what is asked. Never [`StoreOutcome::Unavailable`] or [`StoreOutcome::Refused`].
    pub fn answer(&mut self, request: StoreRequest) -> StoreOutcome {
        match request {
            StoreRequest::Find(id) => {
                self.keys.get(&id).map_or(StoreOutcome::Missing, |record| StoreOutcome::Found(copy(record)))
            }
            StoreRequest::Insert(record) => self.insert(record),
            StoreRequest::Bind(request) => StoreOutcome::Bind(self.bind(&request)),
            StoreRequest::DropTemp { perm, except } => {
                let ended = self.bound.iter().copied();
                let ended =
                    ended.filter(|id| self.bound_to(*id) == Some(perm) && !except.contains(id)).collect();
                StoreOutcome::Dropped(self.end(ended))
            }
            StoreRequest::Destroy(id) => self.destroy(id),
            StoreRequest::MarkUsed(_) => StoreOutcome::Done,
        }
    }

    fn destroy(&mut self, id: AuthKeyId) -> StoreOutcome {
        let bound = self.bound.iter().copied().filter(|temp| self.bound_to(*temp) == Some(id)).collect();
        let mut ended = self.end(bound);
        let Some(record) = self.keys.remove(&id) else { return StoreOutcome::Missing };
        self.bound.retain(|temp| *temp != id);
        ended.extend((record.lifetime != Lifetime::Permanent).then_some(id));
        StoreOutcome::Destroyed(ended)
    }

    fn insert(&mut self, record: KeyRecord) -> StoreOutcome {
        if self.keys.contains_key(&record.id) {
            return StoreOutcome::Taken;
        }
        if record.lifetime == Lifetime::Permanent {
            self.permanent.insert(record.id);
        }
        self.inserted.push(record.id);
        self.keys.insert(record.id, record);
        StoreOutcome::Inserted
    }

    fn bind(&mut self, request: &BindRequest) -> BindOutcome {
        let Some(record) = self.keys.get_mut(&request.temp) else { return BindOutcome::NoSuchKey };
        match record.bound_to {
            Some(perm) if perm == request.perm => return BindOutcome::AlreadyBound,
            Some(_) => return BindOutcome::BoundElsewhere,
            None => {}
        }
        record.bound_to = Some(request.perm);
        record.lifetime = Lifetime::Temporary { expires_at: request.expires_at };
        let dc = record.dc;
        self.bound.push(request.temp);
        let in_slot = |id: &AuthKeyId| {
            self.keys.get(id).is_some_and(|key| key.bound_to == Some(request.perm) && key.dc == dc)
        };
        let sharing: Vec<_> = self.bound.iter().copied().filter(in_slot).collect();
        let surplus = sharing.len().saturating_sub(request.capacity.max(1));
        BindOutcome::Bound { replaced: self.end(sharing[..surplus].to_vec()) }
    }

    fn end(&mut self, ids: Vec<AuthKeyId>) -> Vec<AuthKeyId> {
        self.keys.retain(|id, _| !ids.contains(id));
        self.bound.retain(|id| !ids.contains(id));
        ids
    }
}

fn copy(record: &KeyRecord) -> KeyRecord {
    KeyRecord { key: Arc::clone(&record.key), ..*record }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temp(id: u64) -> KeyRecord {
        KeyRecord {
            key: Arc::new(AuthKey::take(&mut [1; 256])),
            id: AuthKeyId(id),
            lifetime: Lifetime::Temporary { expires_at: 100 },
            dc: 2,
            created_at: 0,
            first_salt: 0,
            bound_to: None,
        }
    }

    fn bind(store: &mut MemoryStore, temp: u64, perm: u64) -> BindOutcome {
        let (temp, perm) = (AuthKeyId(temp), AuthKeyId(perm));
        match store.answer(StoreRequest::Bind(BindRequest { temp, perm, expires_at: 90, capacity: 1 })) {
            StoreOutcome::Bind(outcome) => outcome,
            _ => panic!("a bind is answered as a bind"),
        }
    }

    #[test]
    fn an_id_that_is_planted_is_taken() {
        let mut store = MemoryStore::new();
        store.plant(AuthKeyId(7));
        assert!(matches!(store.answer(StoreRequest::Insert(temp(7))), StoreOutcome::Taken));
        assert!(matches!(store.answer(StoreRequest::Insert(temp(8))), StoreOutcome::Inserted));
        assert_eq!(store.inserted(), [AuthKeyId(8)]);
    }

    #[test]
    fn a_new_binding_takes_the_place_of_the_old() {
        let mut store = MemoryStore::new();
        for id in [1, 2] {
            store.answer(StoreRequest::Insert(temp(id)));
        }
        assert_eq!(bind(&mut store, 1, 50), BindOutcome::Bound { replaced: vec![] });
        assert_eq!(bind(&mut store, 1, 50), BindOutcome::AlreadyBound);
        assert_eq!(bind(&mut store, 1, 51), BindOutcome::BoundElsewhere);
        assert_eq!(bind(&mut store, 2, 50), BindOutcome::Bound { replaced: vec![AuthKeyId(1)] });
        assert_eq!(bind(&mut store, 1, 50), BindOutcome::NoSuchKey);
        assert!(matches!(store.answer(StoreRequest::Find(AuthKeyId(1))), StoreOutcome::Missing));
    }

    #[test]
    fn dropping_leaves_those_that_are_named() {
        let mut store = MemoryStore::new();
        store.answer(StoreRequest::Insert(temp(1)));
        bind(&mut store, 1, 50);
        let perm = AuthKeyId(50);
        let kept = store.answer(StoreRequest::DropTemp { perm, except: vec![AuthKeyId(1)] });
        assert!(matches!(kept, StoreOutcome::Dropped(ended) if ended.is_empty()));
        let dropped = store.answer(StoreRequest::DropTemp { perm, except: vec![] });
        assert!(matches!(dropped, StoreOutcome::Dropped(ended) if ended == [AuthKeyId(1)]));
    }
}
