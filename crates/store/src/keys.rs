//! Both kinds of keys behind one door: executes what the core asks for.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use dayfly_core::{
    holds,
    keys::requests::{BindOutcome, BindRequest, KeyRecord, Lifetime, StoreOutcome, StoreRequest, Ticket},
    mutant,
};
use dayfly_crypto::AuthKeyId;

use crate::{
    error::Unavailable,
    key_store::{Inserted, KeyStore},
    temp_keys::TempKeys,
};

/// A store of permanent keys and one of temporary keys, asked as one.
///
/// An id belongs to one key of either kind (rule HS-25). A place that cannot be asked makes the outcome
/// [`StoreOutcome::Unavailable`], never `Missing` (rule HS-36); why is told by the place's own methods, not here.
#[derive(Debug)]
pub struct Keys<K, T> {
    perm: K,
    temp: T,
    /// Ids whose insertion is under way: two kinds that race for one id must not both pass the look at the other.
    claimed: Mutex<BTreeSet<AuthKeyId>>,
    /// Temporary keys that had to make room, until [`Keys::expire`] tells of them.
    evicted: Mutex<Vec<AuthKeyId>>,
}

impl<K: KeyStore, T: TempKeys> Keys<K, T> {
    /// Puts the two places behind one door.
    pub fn new(perm: K, temp: T) -> Self {
        Self { perm, temp, claimed: Mutex::default(), evicted: Mutex::default() }
    }

    /// The place of the permanent keys: listing, revoking, sweeping.
    pub fn perm(&self) -> &K {
        &self.perm
    }

    /// The place of the temporary keys.
    pub fn temp(&self) -> &T {
        &self.temp
    }

    /// Executes the requests and returns an outcome for each, in their order; `now` is the server's clock in Unix
    /// seconds.
    ///
    /// Insertions come first and share one call, so one sync; then bindings, drops, destructions and marks in their order; then all
    /// look-ups, again in one call. Requests that must follow one another therefore go into calls that do.
    pub async fn perform(
        &self,
        requests: Vec<(Ticket, StoreRequest)>,
        now: u64,
    ) -> Vec<(Ticket, StoreOutcome)> {
        let mut batch = Batch::sort(requests);
        self.insert_all(&mut batch, now).await;
        self.change_all(&mut batch, now).await;
        self.find_all(&mut batch, now).await;
        batch.finish()
    }

    /// Ends the temporary keys whose second has come. Returns them, and before them those that had to make room since
    /// the last call: what must be told to their connections.
    ///
    /// # Errors
    /// [`Unavailable`] if the place of the temporary keys cannot be asked; what made room is told by a later call.
    pub async fn expire(&self, now: u64) -> Result<Vec<AuthKeyId>, Unavailable> {
        let expired = self.temp.expire(now).await?;
        let mut ended = std::mem::take(&mut *lock(&self.evicted));
        ended.extend(expired);
        Ok(ended)
    }

    async fn insert_all(&self, batch: &mut Batch, now: u64) {
        let mut claims = Claims { all: &self.claimed, mine: Vec::new() };
        let (mut perms, mut temps) = (Vec::new(), Vec::new());
        for (place, record) in std::mem::take(&mut batch.inserts) {
            let free = holds!("HS-25.zero_id", record.id != AuthKeyId(0)) && claims.claim(record.id);
            match record.lifetime {
                _ if !free => batch.set(place, StoreOutcome::Taken),
                Lifetime::Permanent => perms.push((place, record)),
                Lifetime::Temporary { .. } => temps.push((place, record)),
            }
        }
        self.insert_temps(temps, batch, now).await;
        self.insert_perms(perms, batch, now).await;
    }

    async fn insert_perms(&self, perms: Vec<(usize, KeyRecord)>, batch: &mut Batch, now: u64) {
        if perms.is_empty() {
            return;
        }
        let ids: Vec<AuthKeyId> = perms.iter().map(|(_, record)| record.id).collect();
        let Ok(temps) = self.temp.find(&ids, now).await else { return };
        let (mut places, mut records) = (Vec::new(), Vec::new());
        for ((place, record), temp) in perms.into_iter().zip(temps) {
            if holds!("HS-25.temp_has_it", temp.is_none()) {
                places.push(place);
                records.push(record);
            } else {
                batch.set(place, StoreOutcome::Taken);
            }
        }
        for (place, outcome) in places.into_iter().zip(self.perm.insert(records).await) {
            batch.set(place, told(outcome));
        }
    }

    async fn insert_temps(&self, temps: Vec<(usize, KeyRecord)>, batch: &mut Batch, now: u64) {
        if temps.is_empty() {
            return;
        }
        let ids: Vec<AuthKeyId> = temps.iter().map(|(_, record)| record.id).collect();
        let perms = self.perm.load(&ids).await;
        for ((place, record), perm) in temps.into_iter().zip(perms) {
            let outcome = match perm {
                Err(_) => StoreOutcome::Unavailable,
                Ok(perm) if !holds!("HS-25.perm_has_it", perm.is_none()) => StoreOutcome::Taken,
                Ok(_) => self.insert_temp(record, now).await,
            };
            batch.set(place, outcome);
        }
    }

    async fn insert_temp(&self, record: KeyRecord, now: u64) -> StoreOutcome {
        let insertion = self.temp.insert(record, now).await;
        told(insertion.map(|insertion| {
            lock(&self.evicted).extend(insertion.evicted);
            insertion.outcome
        }))
    }

    async fn change_all(&self, batch: &mut Batch, now: u64) {
        for (place, change) in std::mem::take(&mut batch.changes) {
            let outcome = match change {
                Change::Bind(request) => self.bind(request, now).await.map(StoreOutcome::Bind),
                Change::Destroy(id) => self.destroy(id).await,
                Change::DropTemp { perm, except } => {
                    self.temp.drop_except(perm, &except).await.map(StoreOutcome::Dropped)
                }
            };
            batch.set(place, outcome.unwrap_or(StoreOutcome::Unavailable));
        }
        let (places, used): (Vec<_>, Vec<_>) = std::mem::take(&mut batch.used).into_iter().unzip();
        if !used.is_empty() && self.perm.mark_used(&used, now).await.is_ok() {
            places.into_iter().for_each(|place| batch.set(place, StoreOutcome::Done));
        }
    }

    /// Looks for the permanent key once the binding stands: one that is destroyed at the same time either ends the
    /// binding or is missed here (rule MS-17).
    async fn bind(&self, request: BindRequest, now: u64) -> Result<BindOutcome, Unavailable> {
        let outcome = self.temp.bind(request, now).await?;
        if !matches!(outcome, BindOutcome::Bound { .. }) {
            return Ok(outcome);
        }
        let perm = self.perm.load(&[request.perm]).await.into_iter().next();
        let gone = matches!(perm, Some(Ok(None)));
        if holds!("MS-17.bound-late", !gone) {
            return Ok(outcome);
        }
        self.temp.end(request.temp).await?;
        Ok(BindOutcome::PermGone)
    }

    /// The permanent key first, so that nothing can be bound to it once its temporary keys have ended. What was done
    /// half before a place could not be asked is done whole when it is asked for again.
    async fn destroy(&self, id: AuthKeyId) -> Result<StoreOutcome, Unavailable> {
        if self.temp.end(id).await?.is_some() {
            return Ok(StoreOutcome::Destroyed(vec![id]));
        }
        let was_kept = self.perm.revoke(id).await?;
        let ended = mutant!("MS-17.temps", self.temp.drop_except(id, &[]).await?, Vec::new());
        let any = was_kept || !ended.is_empty();
        Ok(if any { StoreOutcome::Destroyed(ended) } else { StoreOutcome::Missing })
    }

    async fn find_all(&self, batch: &mut Batch, now: u64) {
        let finds = std::mem::take(&mut batch.finds);
        let ids: Vec<AuthKeyId> = finds.iter().map(|(_, id)| *id).collect();
        let Ok(temps) = self.temp.find(&ids, now).await else { return };
        let mut rest = Vec::new();
        for ((place, id), temp) in finds.into_iter().zip(temps) {
            match temp {
                Some(record) => batch.set(place, StoreOutcome::Found(record)),
                None => rest.push((place, id)),
            }
        }
        self.find_perms(rest, batch).await;
    }

    async fn find_perms(&self, finds: Vec<(usize, AuthKeyId)>, batch: &mut Batch) {
        if finds.is_empty() {
            return;
        }
        let (places, ids): (Vec<_>, Vec<_>) = finds.into_iter().unzip();
        for (place, perm) in places.into_iter().zip(self.perm.load(&ids).await) {
            let outcome = match perm {
                Ok(Some(record)) => StoreOutcome::Found(record),
                Ok(None) => StoreOutcome::Missing,
                Err(_) => {
                    mutant!("HS-36.unavailable", StoreOutcome::Unavailable, StoreOutcome::Missing)
                }
            };
            batch.set(place, outcome);
        }
    }
}

fn told(inserted: Result<Inserted, Unavailable>) -> StoreOutcome {
    match inserted {
        Ok(Inserted::Stored) => StoreOutcome::Inserted,
        Ok(Inserted::Taken) => StoreOutcome::Taken,
        Ok(Inserted::Refused) => StoreOutcome::Refused,
        Err(_) => StoreOutcome::Unavailable,
    }
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Requests sorted by what they need, each with its place in the answer.
#[derive(Default)]
struct Batch {
    inserts: Vec<(usize, KeyRecord)>,
    changes: Vec<(usize, Change)>,
    used: Vec<(usize, AuthKeyId)>,
    finds: Vec<(usize, AuthKeyId)>,
    outcomes: Vec<(Ticket, StoreOutcome)>,
}

enum Change {
    Bind(BindRequest),
    Destroy(AuthKeyId),
    DropTemp { perm: AuthKeyId, except: Vec<AuthKeyId> },
}

impl Batch {
    fn sort(requests: Vec<(Ticket, StoreRequest)>) -> Self {
        let mut batch = Self::default();
        for (place, (ticket, request)) in requests.into_iter().enumerate() {
            // Whoever sets no outcome could not ask.
            batch.outcomes.push((ticket, StoreOutcome::Unavailable));
            match request {
                StoreRequest::Insert(record) => batch.inserts.push((place, record)),
                StoreRequest::Find(id) => batch.finds.push((place, id)),
                StoreRequest::MarkUsed(id) => batch.used.push((place, id)),
                StoreRequest::Bind(request) => batch.changes.push((place, Change::Bind(request))),
                StoreRequest::Destroy(id) => batch.changes.push((place, Change::Destroy(id))),
                StoreRequest::DropTemp { perm, except } => {
                    batch.changes.push((place, Change::DropTemp { perm, except }));
                }
            }
        }
        batch
    }

    fn set(&mut self, place: usize, outcome: StoreOutcome) {
        if let Some((_, slot)) = self.outcomes.get_mut(place) {
            *slot = outcome;
        }
    }

    fn finish(self) -> Vec<(Ticket, StoreOutcome)> {
        self.outcomes
    }
}

/// The ids that one call is inserting; given back when it ends, or is dropped half-way.
struct Claims<'a> {
    all: &'a Mutex<BTreeSet<AuthKeyId>>,
    mine: Vec<AuthKeyId>,
}

impl Claims<'_> {
    fn claim(&mut self, id: AuthKeyId) -> bool {
        let free = lock(self.all).insert(id);
        if free {
            self.mine.push(id);
        }
        free
    }
}

impl Drop for Claims<'_> {
    fn drop(&mut self) {
        let mut all = lock(self.all);
        self.mine.iter().for_each(|id| {
            all.remove(id);
        });
    }
}
