//! Temporary keys in the memory of one process.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dayfly_core::{
    holds,
    keys::requests::{BindOutcome, BindRequest, KeyRecord, Lifetime, Slot},
    mutant,
};
use dayfly_crypto::{AuthKey, AuthKeyId};

use crate::{
    error::Unavailable,
    key_store::Inserted,
    temp_keys::{TempInsertion, TempKeys},
};

/// How many temporary keys may live at once, and how long one may stay unbound (rule PF-25).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TempLimits {
    /// The most keys.
    pub keys: usize,
    /// The most bytes, each key counted as [`TempLimits::BYTES_PER_KEY`].
    pub bytes: usize,
    /// Seconds after its creation at which a key that is still unbound ends.
    pub unbound_seconds: u64,
}

impl TempLimits {
    /// What a live key with all its table entries takes at most, allocator included.
    pub const BYTES_PER_KEY: usize = 640;

    fn most(&self) -> usize {
        self.keys.min(self.bytes / Self::BYTES_PER_KEY).max(1)
    }
}

impl Default for TempLimits {
    /// A million keys in 640 MB, an hour to bind.
    fn default() -> Self {
        Self { keys: 1_000_000, bytes: 640_000_000, unbound_seconds: 3600 }
    }
}

/// Temporary keys in a table of this process: found in O(1), ended in O(log n), gone with the process.
///
/// Its one lock is held for the length of a table operation and never across an await.
#[derive(Debug)]
pub struct RamTempKeys {
    limits: Mutex<TempLimits>,
    table: Mutex<Table>,
}

impl RamTempKeys {
    /// An empty table.
    #[must_use]
    pub fn new(limits: TempLimits) -> Self {
        Self { limits: Mutex::new(limits), table: Mutex::default() }
    }

    /// Other limits for the keys that come from now on; those over a bound that became smaller go as new ones come.
    pub fn set_limits(&self, limits: TempLimits) {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// How many keys live now, those included whose second has come but which nobody has collected.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table().entries.len()
    }

    /// Whether no key lives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic of another thread leaves the table between two of its own operations at worst with a stale index
        // entry, which every reader passes over; refusing all service would be the greater harm.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RamTempKeys {
    fn default() -> Self {
        Self::new(TempLimits::default())
    }
}

impl TempKeys for RamTempKeys {
    async fn insert(&self, record: KeyRecord, now: u64) -> Result<TempInsertion, Unavailable> {
        let limits = *self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(self.table().insert(record, now, &limits))
    }

    async fn find(&self, ids: &[AuthKeyId], now: u64) -> Result<Vec<Option<KeyRecord>>, Unavailable> {
        let table = self.table();
        Ok(ids.iter().map(|id| table.find(*id, now)).collect())
    }

    async fn bind(&self, request: BindRequest, now: u64) -> Result<BindOutcome, Unavailable> {
        Ok(self.table().bind(request, now))
    }

    async fn drop_except(
        &self,
        perm: AuthKeyId,
        except: &[AuthKeyId],
    ) -> Result<Vec<AuthKeyId>, Unavailable> {
        Ok(self.table().drop_except(perm, except))
    }

    async fn end(&self, id: AuthKeyId) -> Result<Option<KeyRecord>, Unavailable> {
        Ok(self.table().remove(id).map(|entry| entry.record(id)))
    }

    async fn expire(&self, now: u64) -> Result<Vec<AuthKeyId>, Unavailable> {
        Ok(self.table().expire(now))
    }
}

/// A key and what is known of it. Boxed, so that the hash table's empty places stay small.
#[derive(Debug)]
struct Entry {
    key: Arc<AuthKey>,
    /// The first second at which the key is no longer valid, by its creation or its binding.
    expires_at: u64,
    /// When it ends: `expires_at`, or the end of its time to be bound.
    ends_at: u64,
    created_at: u64,
    first_salt: i64,
    dc: i32,
    bound_to: Option<AuthKeyId>,
    /// Its place among all keys by insertion, and once bound by binding; never used twice.
    turn: u64,
}

impl Entry {
    fn age(&self) -> Age {
        Age { bound: self.bound_to.is_some(), turn: self.turn }
    }

    fn slot(&self) -> Option<Slot> {
        self.bound_to.map(|perm| Slot { perm, dc: self.dc })
    }

    fn record(&self, id: AuthKeyId) -> KeyRecord {
        KeyRecord {
            key: Arc::clone(&self.key),
            id,
            lifetime: Lifetime::Temporary { expires_at: self.expires_at },
            dc: self.dc,
            created_at: self.created_at,
            first_salt: self.first_salt,
            bound_to: self.bound_to,
        }
    }
}

/// The order in which keys go when room is needed: unbound before bound, older before younger.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Age {
    bound: bool,
    turn: u64,
}

/// The entries and three orders of them. Every entry stands in `by_end` and `by_age`, every bound one in `by_slot`.
#[derive(Debug, Default)]
struct Table {
    entries: HashMap<AuthKeyId, Box<Entry>>,
    by_end: BTreeSet<(u64, AuthKeyId)>,
    by_age: BTreeMap<Age, AuthKeyId>,
    by_slot: BTreeSet<(Slot, u64)>,
    turns: u64,
}

impl Table {
    fn insert(&mut self, record: KeyRecord, now: u64, limits: &TempLimits) -> TempInsertion {
        let Lifetime::Temporary { expires_at } = record.lifetime else {
            return TempInsertion { outcome: Inserted::Refused, evicted: Vec::new() };
        };
        if expires_at <= now {
            return TempInsertion { outcome: Inserted::Refused, evicted: Vec::new() };
        }
        if self.live(record.id, now).is_some() {
            return TempInsertion { outcome: Inserted::Taken, evicted: Vec::new() };
        }
        self.remove(record.id); // ended, and not collected yet
        let evicted = self.make_room(limits);
        let unbound_until = record.created_at.saturating_add(limits.unbound_seconds);
        let entry = Entry {
            key: record.key,
            expires_at,
            ends_at: mutant!("PF-25.unbound_end", expires_at.min(unbound_until), expires_at),
            created_at: record.created_at,
            first_salt: record.first_salt,
            dc: record.dc,
            bound_to: None,
            turn: self.next_turn(),
        };
        self.put(record.id, Box::new(entry));
        TempInsertion { outcome: Inserted::Stored, evicted }
    }

    fn make_room(&mut self, limits: &TempLimits) -> Vec<AuthKeyId> {
        let mut evicted = Vec::new();
        while self.entries.len() >= limits.most() {
            let order = &self.by_age;
            let next = mutant!("PF-25.unbound_first", order.first_key_value(), order.last_key_value());
            let Some(id) = next.map(|(_, id)| *id) else { break };
            self.remove(id);
            evicted.push(id);
        }
        evicted
    }

    fn find(&self, id: AuthKeyId, now: u64) -> Option<KeyRecord> {
        self.live(id, now).map(|entry| entry.record(id))
    }

    fn live(&self, id: AuthKeyId, now: u64) -> Option<&Entry> {
        let entry = self.entries.get(&id)?;
        holds!("PF-15.not_found", entry.ends_at > now).then_some(entry)
    }

    fn bind(&mut self, request: BindRequest, now: u64) -> BindOutcome {
        let Some(entry) = self.live(request.temp, now) else { return BindOutcome::NoSuchKey };
        if let Some(perm) = entry.bound_to {
            let same = holds!("PF-09.bound_elsewhere", perm == request.perm);
            return if same { BindOutcome::AlreadyBound } else { BindOutcome::BoundElsewhere };
        }
        let Some(mut entry) = self.remove(request.temp) else { return BindOutcome::NoSuchKey };
        let own_end = entry.expires_at;
        entry.expires_at = mutant!("PF-09.cut", own_end.min(request.expires_at), request.expires_at);
        entry.ends_at = entry.expires_at;
        entry.bound_to = Some(request.perm);
        entry.turn = self.next_turn();
        let slot = Slot { perm: request.perm, dc: entry.dc };
        self.put(request.temp, Box::new(entry));
        BindOutcome::Bound { replaced: self.shrink(slot, request.capacity.max(1)) }
    }

    /// Ends the oldest keys of a slot until no more than `capacity` are left (rule PF-10).
    fn shrink(&mut self, slot: Slot, capacity: usize) -> Vec<AuthKeyId> {
        let turns: Vec<u64> =
            self.by_slot.range((slot, 0)..=(slot, u64::MAX)).map(|(_, turn)| *turn).collect();
        let surplus = mutant!("PF-10.replace", turns.len().saturating_sub(capacity), 0);
        self.end_bound(turns.into_iter().take(surplus))
    }

    fn drop_except(&mut self, perm: AuthKeyId, except: &[AuthKeyId]) -> Vec<AuthKeyId> {
        let (low, high) = (Slot { perm, dc: i32::MIN }, Slot { perm, dc: i32::MAX });
        let mut turns: Vec<u64> =
            self.by_slot.range((low, 0)..=(high, u64::MAX)).map(|(_, turn)| *turn).collect();
        turns.retain(|turn| {
            let id = self.by_age.get(&Age { bound: true, turn: *turn });
            id.is_some_and(|id| mutant!("PF-19.except", !except.contains(id), true))
        });
        turns.sort_unstable();
        self.end_bound(turns.into_iter())
    }

    fn end_bound(&mut self, turns: impl Iterator<Item = u64>) -> Vec<AuthKeyId> {
        let ids: Vec<AuthKeyId> =
            turns.filter_map(|turn| self.by_age.get(&Age { bound: true, turn }).copied()).collect();
        ids.iter().for_each(|id| drop(self.remove(*id)));
        ids
    }

    fn expire(&mut self, now: u64) -> Vec<AuthKeyId> {
        let mut ended = Vec::new();
        while let Some((end, id)) = self.by_end.first().copied() {
            if !mutant!("PF-15.expire", end <= now, false) {
                break;
            }
            self.remove(id);
            ended.push(id);
        }
        ended
    }

    fn put(&mut self, id: AuthKeyId, entry: Box<Entry>) {
        self.by_end.insert((entry.ends_at, id));
        self.by_age.insert(entry.age(), id);
        if let Some(slot) = entry.slot() {
            self.by_slot.insert((slot, entry.turn));
        }
        self.entries.insert(id, entry);
    }

    fn remove(&mut self, id: AuthKeyId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.by_end.remove(&(entry.ends_at, id));
        self.by_age.remove(&entry.age());
        if let Some(slot) = entry.slot() {
            self.by_slot.remove(&(slot, entry.turn));
        }
        Some(*entry)
    }

    fn next_turn(&mut self) -> u64 {
        self.turns = self.turns.wrapping_add(1); // 2^64 of them do not come to pass
        self.turns
    }
}
