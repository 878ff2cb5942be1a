//! Both places where keys are kept, in a few lines, and out of order whenever a test wants it so.

use std::collections::BTreeMap;
use std::sync::Arc;

use dayfly_core::keys::requests::{
    BindOutcome, BindRequest, KeyRecord, Lifetime, Slot, StoreOutcome, StoreRequest,
};
use dayfly_crypto::AuthKeyId;

use super::world::{Key, START};

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) keys: BTreeMap<AuthKeyId, KeyRecord>,
    /// Bound keys, oldest first.
    order: Vec<AuthKeyId>,
    /// It cannot be asked.
    pub(crate) silent: bool,
    /// It cannot mark keys as used.
    pub(crate) marks_nothing: bool,
    /// All that it was asked, by kind.
    pub(crate) finds: Vec<AuthKeyId>,
    pub(crate) binds: Vec<BindRequest>,
    pub(crate) marked: Vec<AuthKeyId>,
}

impl Store {
    pub(crate) fn keep(&mut self, key: &Key, dc: i32, bound_to: Option<AuthKeyId>) {
        let lifetime = match key.expires_at {
            Some(expires_at) => Lifetime::Temporary { expires_at },
            None => Lifetime::Permanent,
        };
        let record = KeyRecord {
            key: Arc::clone(&key.secret),
            id: key.id,
            lifetime,
            dc,
            created_at: START,
            first_salt: 77,
            bound_to,
        };
        self.keys.insert(key.id, record);
        self.order.extend(bound_to.map(|_| key.id));
    }

    pub(crate) fn perform(&mut self, request: StoreRequest) -> StoreOutcome {
        match &request {
            StoreRequest::Find(id) => self.finds.push(*id),
            StoreRequest::Bind(bind) => self.binds.push(*bind),
            StoreRequest::MarkUsed(id) => self.marked.push(*id),
            StoreRequest::Insert(_) | StoreRequest::DropTemp { .. } | StoreRequest::Destroy(_) => {}
        }
        if self.silent {
            return StoreOutcome::Unavailable;
        }
        match request {
            StoreRequest::Find(id) => {
                self.keys.get(&id).map_or(StoreOutcome::Missing, |record| StoreOutcome::Found(copy(record)))
            }
            StoreRequest::Insert(record) => {
                self.keys.insert(record.id, record);
                StoreOutcome::Inserted
            }
            StoreRequest::Bind(bind) => StoreOutcome::Bind(self.bind(bind)),
            StoreRequest::DropTemp { perm, except } => StoreOutcome::Dropped(self.drop_temp(perm, &except)),
            StoreRequest::Destroy(id) => self.destroy(id),
            StoreRequest::MarkUsed(_) if self.marks_nothing => StoreOutcome::Unavailable,
            StoreRequest::MarkUsed(_) => StoreOutcome::Done,
        }
    }

    fn bind(&mut self, bind: BindRequest) -> BindOutcome {
        let Some(record) = self.keys.get_mut(&bind.temp) else { return BindOutcome::NoSuchKey };
        match record.bound_to {
            Some(perm) if perm == bind.perm => return BindOutcome::AlreadyBound,
            Some(_) => return BindOutcome::BoundElsewhere,
            None => record.bound_to = Some(bind.perm),
        }
        record.lifetime = Lifetime::Temporary { expires_at: bind.expires_at };
        let slot = Slot { perm: bind.perm, dc: record.dc };
        self.order.push(bind.temp);
        let same = self.bound().filter(|(_, of)| *of == slot).map(|(id, _)| id).collect::<Vec<_>>();
        let replaced = same[..same.len().saturating_sub(bind.capacity)].to_vec();
        replaced.iter().for_each(|id| self.forget(*id));
        BindOutcome::Bound { replaced }
    }

    fn drop_temp(&mut self, perm: AuthKeyId, except: &[AuthKeyId]) -> Vec<AuthKeyId> {
        let of_perm = self.bound().filter(|(id, slot)| slot.perm == perm && !except.contains(id));
        let ended: Vec<_> = of_perm.map(|(id, _)| id).collect();
        ended.iter().for_each(|id| self.forget(*id));
        ended
    }

    fn destroy(&mut self, id: AuthKeyId) -> StoreOutcome {
        let mut ended = self.drop_temp(id, &[]);
        let Some(record) = self.keys.remove(&id) else { return StoreOutcome::Missing };
        ended.extend(Some(id).filter(|_| record.lifetime != Lifetime::Permanent));
        StoreOutcome::Destroyed(ended)
    }

    fn bound(&self) -> impl Iterator<Item = (AuthKeyId, Slot)> {
        self.order.iter().filter_map(|id| {
            let record = self.keys.get(id)?;
            Some((*id, Slot { perm: record.bound_to?, dc: record.dc }))
        })
    }

    pub(crate) fn forget(&mut self, id: AuthKeyId) {
        self.keys.remove(&id);
        self.order.retain(|other| *other != id);
    }
}

fn copy(record: &KeyRecord) -> KeyRecord {
    KeyRecord { key: Arc::clone(&record.key), ..*record }
}
