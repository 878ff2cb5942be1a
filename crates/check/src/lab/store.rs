//! The lab's keys: in memory alone, answered at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use dayfly_core::keys::requests::{
    BindOutcome, BindRequest, KeyRecord, Lifetime, Slot, StoreOutcome, StoreRequest,
};
use dayfly_crypto::{AuthKey, AuthKeyId};

/// Keys of both kinds.
#[derive(Default)]
pub(super) struct LabStore {
    keys: BTreeMap<AuthKeyId, KeyRecord>,
    /// Temporary keys in the order in which they were bound.
    bound: Vec<AuthKeyId>,
    /// Keys that ended: what is still sealed under one can be shown, and opens nothing any more.
    ended: BTreeMap<AuthKeyId, Arc<AuthKey>>,
}

impl LabStore {
    /// The secret of a key, of one that ended too.
    pub(super) fn secret(&self, id: AuthKeyId) -> Option<Arc<AuthKey>> {
        let living = self.keys.get(&id).map(|record| &record.key);
        living.or_else(|| self.ended.get(&id)).map(Arc::clone)
    }

    /// Temporary keys that live.
    pub(super) fn temporary(&self) -> Vec<AuthKeyId> {
        let temporary = |record: &&KeyRecord| record.lifetime != Lifetime::Permanent;
        self.keys.values().filter(temporary).map(|record| record.id).collect()
    }

    /// Lets keys go.
    pub(super) fn end(&mut self, ids: &[AuthKeyId]) {
        for id in ids {
            if let Some(record) = self.keys.remove(id) {
                self.ended.insert(*id, record.key);
            }
        }
        self.bound.retain(|id| !ids.contains(id));
    }

    /// Ends the temporary keys whose last second is over.
    pub(super) fn expire(&mut self, unix: u64) -> Vec<AuthKeyId> {
        let over = |record: &&KeyRecord| matches!(record.lifetime, Lifetime::Temporary { expires_at } if expires_at <= unix);
        let ids: Vec<_> = self.keys.values().filter(over).map(|record| record.id).collect();
        self.end(&ids);
        ids
    }

    /// Does what is asked.
    pub(super) fn answer(&mut self, request: StoreRequest) -> StoreOutcome {
        match request {
            StoreRequest::Find(id) => match self.keys.get(&id) {
                Some(record) => StoreOutcome::Found(copy(record)),
                None => StoreOutcome::Missing,
            },
            StoreRequest::Insert(record) => self.insert(record),
            StoreRequest::Bind(request) => StoreOutcome::Bind(self.bind(&request)),
            StoreRequest::DropTemp { perm, except } => {
                let mut ended = self.bound_to(perm);
                ended.retain(|id| !except.contains(id));
                self.end(&ended);
                StoreOutcome::Dropped(ended)
            }
            StoreRequest::Destroy(id) => self.destroy(id),
            StoreRequest::MarkUsed(_) => StoreOutcome::Done,
        }
    }

    fn insert(&mut self, record: KeyRecord) -> StoreOutcome {
        if self.keys.contains_key(&record.id) || self.ended.contains_key(&record.id) {
            return StoreOutcome::Taken;
        }
        self.keys.insert(record.id, record);
        StoreOutcome::Inserted
    }

    fn bind(&mut self, request: &BindRequest) -> BindOutcome {
        if !self.keys.contains_key(&request.perm) {
            return BindOutcome::PermGone;
        }
        let Some(record) = self.keys.get_mut(&request.temp) else { return BindOutcome::NoSuchKey };
        match record.bound_to {
            Some(perm) if perm == request.perm => return BindOutcome::AlreadyBound,
            Some(_) => return BindOutcome::BoundElsewhere,
            None => {}
        }
        record.bound_to = Some(request.perm);
        record.lifetime = Lifetime::Temporary { expires_at: request.expires_at };
        let slot = Slot { perm: request.perm, dc: record.dc };
        self.bound.push(request.temp);
        let in_slot = |id: &&AuthKeyId| {
            self.keys.get(id).is_some_and(|key| key.bound_to == Some(slot.perm) && key.dc == slot.dc)
        };
        let mut sharing: Vec<_> = self.bound.iter().filter(in_slot).copied().collect();
        sharing.truncate(sharing.len().saturating_sub(request.capacity.max(1)));
        self.end(&sharing);
        BindOutcome::Bound { replaced: sharing }
    }

    fn destroy(&mut self, id: AuthKeyId) -> StoreOutcome {
        let Some(record) = self.keys.get(&id) else { return StoreOutcome::Missing };
        let temporary = record.lifetime != Lifetime::Permanent;
        let mut ended = self.bound_to(id);
        ended.extend(temporary.then_some(id));
        self.end(&ended);
        self.end(&[id]);
        StoreOutcome::Destroyed(ended)
    }

    fn bound_to(&self, perm: AuthKeyId) -> Vec<AuthKeyId> {
        let bound = |id: &&AuthKeyId| self.keys.get(id).is_some_and(|key| key.bound_to == Some(perm));
        self.bound.iter().filter(bound).copied().collect()
    }
}

fn copy(record: &KeyRecord) -> KeyRecord {
    KeyRecord { key: Arc::clone(&record.key), ..*record }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8, lifetime: Lifetime) -> KeyRecord {
        let key = Arc::new(AuthKey::copy_of(&[byte; 256]));
        let id = key.id();
        KeyRecord { key, id, lifetime, dc: 2, created_at: 0, first_salt: 0, bound_to: None }
    }

    /// A store with a permanent key and two temporary ones that end at 100.
    fn filled() -> (LabStore, [AuthKeyId; 3]) {
        let mut store = LabStore::default();
        let lifetimes = [Lifetime::Permanent, Lifetime::Temporary { expires_at: 100 }];
        let records = [key(1, lifetimes[0]), key(2, lifetimes[1]), key(3, lifetimes[1])];
        let ids = [records[0].id, records[1].id, records[2].id];
        for record in records {
            assert!(matches!(store.answer(StoreRequest::Insert(record)), StoreOutcome::Inserted));
        }
        (store, ids)
    }

    fn bind(store: &mut LabStore, temp: AuthKeyId, perm: AuthKeyId) -> BindOutcome {
        match store.answer(StoreRequest::Bind(BindRequest { temp, perm, expires_at: 90, capacity: 1 })) {
            StoreOutcome::Bind(outcome) => outcome,
            _ => panic!("a bind is answered as a bind"),
        }
    }

    #[test]
    fn a_second_binding_ends_the_first_key_whose_secret_can_still_be_shown() {
        let (mut store, [perm, first, second]) = filled();
        assert_eq!(bind(&mut store, first, perm), BindOutcome::Bound { replaced: vec![] });
        assert_eq!(bind(&mut store, first, perm), BindOutcome::AlreadyBound);
        assert_eq!(bind(&mut store, second, perm), BindOutcome::Bound { replaced: vec![first] });
        assert_eq!(bind(&mut store, first, perm), BindOutcome::NoSuchKey);
        assert!(matches!(store.answer(StoreRequest::Find(first)), StoreOutcome::Missing));
        assert!(store.secret(first).is_some());
    }

    #[test]
    fn temporary_keys_end_at_their_second_and_a_destroyed_key_takes_its_own_with_it() {
        let (mut store, [perm, first, second]) = filled();
        bind(&mut store, first, perm);
        assert_eq!(store.expire(89), []);
        assert_eq!(store.expire(90), [first]);
        bind(&mut store, second, perm);
        let destroyed = store.answer(StoreRequest::Destroy(perm));
        assert!(matches!(destroyed, StoreOutcome::Destroyed(ended) if ended == [second]));
        assert_eq!(store.temporary(), []);
    }
}
