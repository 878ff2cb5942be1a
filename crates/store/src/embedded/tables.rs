//! What is done in the tables: reading in a snapshot, writing in the writer's transaction.

use std::ops::Bound;

use dayfly_core::{
    holds,
    keys::requests::{KeyRecord, Lifetime},
    mutant,
};
use dayfly_crypto::{AuthKeyId, SecureRandom};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, WriteTransaction};
use subtle::ConstantTimeEq as _;

use super::format::{KEYS, UNUSED, USED};
use crate::{
    backup::{ImportError, Imported, KeptKey},
    error::Unavailable,
    key_store::{Inserted, Listed},
    sealing::{Header, SealingKey, open_record, seal_record},
};

/// A mark of use is renewed when it is this old, in seconds.
const DAY: u64 = 86_400;

/// A snapshot of the last commit.
pub(super) struct Readable {
    keys: ReadOnlyTable<u64, &'static [u8]>,
    used: ReadOnlyTable<u64, u64>,
}

impl Readable {
    pub(super) fn open(transaction: &ReadTransaction) -> Result<Self, Unavailable> {
        Ok(Self { keys: transaction.open_table(KEYS)?, used: transaction.open_table(USED)? })
    }

    pub(super) fn load(&self, id: AuthKeyId, key: &SealingKey) -> Result<Option<KeyRecord>, Unavailable> {
        let Some(record) = self.keys.get(id.0)? else { return Ok(None) };
        open_record(key, id, record.value()).map(Some).ok_or(Unavailable::Damaged(id))
    }

    /// Up to `at_most` keys with ids greater than `after`, whole.
    pub(super) fn kept(
        &self,
        after: Option<AuthKeyId>,
        at_most: usize,
        key: &SealingKey,
    ) -> Result<Vec<KeptKey>, Unavailable> {
        let page = self.list(after, at_most)?;
        let whole = |listed: Listed| {
            let record = self.load(listed.id, key)?.ok_or(Unavailable::Damaged(listed.id))?;
            Ok(KeptKey { record, used_at: listed.used_at })
        };
        page.into_iter().map(whole).collect()
    }

    /// Those of `ids` whose mark of use is absent or a day old.
    pub(super) fn not_marked_today(
        &self,
        ids: &[AuthKeyId],
        now: u64,
    ) -> Result<Vec<AuthKeyId>, Unavailable> {
        let mut stale = Vec::new();
        for id in ids {
            let marked = self.used.get(id.0)?.map(|second| second.value());
            if marked.is_none_or(|marked| marked.saturating_add(DAY) <= now) {
                stale.push(*id);
            }
        }
        Ok(stale)
    }

    pub(super) fn list(&self, after: Option<AuthKeyId>, at_most: usize) -> Result<Vec<Listed>, Unavailable> {
        let start = after.map_or(Bound::Unbounded, |id| Bound::Excluded(id.0));
        let mut page = Vec::new();
        for entry in self.keys.range((start, Bound::Unbounded))?.take(at_most) {
            let (id, record) = entry?;
            let id = AuthKeyId(id.value());
            let Header { dc, created_at } = Header::read(record.value()).ok_or(Unavailable::Damaged(id))?;
            let used_at = self.used.get(id.0)?.map(|second| second.value());
            page.push(Listed { id, dc, created_at, used_at });
        }
        Ok(page)
    }
}

/// The tables of a transaction of the writer, and what sealing needs.
pub(super) struct Tables<'a> {
    keys: Table<'a, u64, &'static [u8]>,
    used: Table<'a, u64, u64>,
    unused: Table<'a, (u64, u64), ()>,
    key: &'a SealingKey,
    random: &'a mut dyn SecureRandom,
}

impl<'a> Tables<'a> {
    pub(super) fn open(
        transaction: &'a WriteTransaction,
        key: &'a SealingKey,
        random: &'a mut dyn SecureRandom,
    ) -> Result<Self, Unavailable> {
        Ok(Self {
            keys: transaction.open_table(KEYS)?,
            used: transaction.open_table(USED)?,
            unused: transaction.open_table(UNUSED)?,
            key,
            random,
        })
    }

    pub(super) fn insert(&mut self, records: &[KeyRecord]) -> Result<Vec<Inserted>, Unavailable> {
        records.iter().map(|record| self.insert_one(record)).collect()
    }

    fn insert_one(&mut self, record: &KeyRecord) -> Result<Inserted, Unavailable> {
        // Rules PF-01, PF-16: the last door before the disk.
        if !holds!("PF-01.never_on_disk", record.lifetime == Lifetime::Permanent) {
            return Ok(Inserted::Refused);
        }
        let id = record.id.0;
        if !holds!("HS-25.absent", id != 0 && self.keys.get(id)?.is_none()) {
            return Ok(Inserted::Taken);
        }
        let sealed = seal_record(self.key, record, self.random)?;
        self.keys.insert(id, sealed.as_slice())?;
        self.unused.insert((record.created_at, id), ())?;
        Ok(Inserted::Stored)
    }

    pub(super) fn mark_used(&mut self, ids: &[AuthKeyId], now: u64) -> Result<(), Unavailable> {
        for id in ids {
            let Some(Header { created_at, .. }) = self.header(*id)? else { continue };
            self.used.insert(id.0, now)?;
            mutant!("PF-26.used_stays", self.unused.remove((created_at, id.0))?.is_some(), false);
        }
        Ok(())
    }

    pub(super) fn revoke(&mut self, id: AuthKeyId) -> Result<bool, Unavailable> {
        // A damaged record can be revoked too; its entry among the unused goes when it is swept.
        if let Ok(Some(Header { created_at, .. })) = self.header(id) {
            self.unused.remove((created_at, id.0))?;
        }
        self.used.remove(id.0)?;
        Ok(self.keys.remove(id.0)?.is_some())
    }

    pub(super) fn sweep_unused(
        &mut self,
        made_before: u64,
        at_most: usize,
    ) -> Result<Vec<AuthKeyId>, Unavailable> {
        let end = mutant!("PF-26.age", (made_before, 0), (u64::MAX, 0));
        let mut swept = Vec::new();
        for entry in self.unused.range(..end)?.take(at_most) {
            swept.push(entry?.0.value());
        }
        for (created_at, id) in &swept {
            self.unused.remove((*created_at, *id))?;
            self.keys.remove(*id)?;
        }
        Ok(swept.into_iter().map(|(_, id)| AuthKeyId(id)).collect())
    }

    /// Takes keys in until there are no more. A key that is here already stays as it is.
    pub(super) fn import(
        &mut self,
        keys: impl Iterator<Item = Result<KeptKey, crate::backup::BackupError>>,
    ) -> Result<Imported, ImportError> {
        let mut imported = Imported::default();
        for kept in keys {
            let KeptKey { record, used_at } = kept?;
            let count = match self.insert_one(&record)? {
                Inserted::Stored => {
                    self.used_since(&record, used_at)?;
                    &mut imported.added
                }
                Inserted::Taken | Inserted::Refused if self.holds_same(&record)? => &mut imported.present,
                Inserted::Taken | Inserted::Refused => return Err(ImportError::Taken(record.id)),
            };
            *count = count.saturating_add(1);
        }
        Ok(imported)
    }

    fn used_since(&mut self, record: &KeyRecord, used_at: Option<u64>) -> Result<(), Unavailable> {
        if let Some(used_at) = used_at {
            self.used.insert(record.id.0, used_at)?;
            self.unused.remove((record.created_at, record.id.0))?;
        }
        Ok(())
    }

    fn holds_same(&self, record: &KeyRecord) -> Result<bool, Unavailable> {
        let Some(sealed) = self.keys.get(record.id.0)? else { return Ok(false) };
        let own = open_record(self.key, record.id, sealed.value()).ok_or(Unavailable::Damaged(record.id))?;
        Ok(own.key.expose().as_slice().ct_eq(record.key.expose().as_slice()).into())
    }

    /// Seals every record anew under `next`; returns how many.
    pub(super) fn reseal(&mut self, next: &SealingKey) -> Result<u64, Unavailable> {
        let mut count = 0_u64;
        let mut after = Bound::Unbounded;
        loop {
            let chunk = self.chunk(after)?;
            let Some(last) = chunk.last() else { return Ok(count) };
            after = Bound::Excluded(last.id.0);
            for record in chunk {
                let sealed = seal_record(next, &record, self.random)?;
                self.keys.insert(record.id.0, sealed.as_slice())?;
                count = count.saturating_add(1);
            }
        }
    }

    /// The opened records of the next 256 keys: so many secrets are in memory at once, and no more.
    fn chunk(&self, after: Bound<u64>) -> Result<Vec<KeyRecord>, Unavailable> {
        let open = |entry: Result<(redb::AccessGuard<'_, u64>, redb::AccessGuard<'_, &[u8]>), _>| {
            let (id, record) = entry?;
            let id = AuthKeyId(id.value());
            open_record(self.key, id, record.value()).ok_or(Unavailable::Damaged(id))
        };
        self.keys.range((after, Bound::Unbounded))?.take(256).map(open).collect()
    }

    fn header(&self, id: AuthKeyId) -> Result<Option<Header>, Unavailable> {
        let Some(record) = self.keys.get(id.0)? else { return Ok(None) };
        Header::read(record.value()).map(Some).ok_or(Unavailable::Damaged(id))
    }
}
