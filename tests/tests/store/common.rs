//! What the tests share.

use std::{future::Future, path::Path, sync::Arc};

use dayfly_core::keys::requests::{BindRequest, KeyRecord, Lifetime};
use dayfly_crypto::{AuthKey, AuthKeyId};
use dayfly_store::{EmbeddedStore, Error, OsRandom, SealingSource};

/// Runs a future to its end.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// The key that `seed` stands for; its id is not the hash of its bytes, so that tests can choose it.
fn record(id: u64, lifetime: Lifetime, created_at: u64) -> KeyRecord {
    let mut bytes = [0; 256];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = (id.rotate_left((place % 64) as u32) ^ place as u64) as u8;
    }
    KeyRecord {
        key: Arc::new(AuthKey::take(&mut bytes)),
        id: AuthKeyId(id),
        lifetime,
        dc: 2,
        created_at,
        first_salt: id as i64,
        bound_to: None,
    }
}

pub(crate) fn perm(id: u64) -> KeyRecord {
    perm_made_at(id, 1000)
}

pub(crate) fn perm_made_at(id: u64, created_at: u64) -> KeyRecord {
    record(id, Lifetime::Permanent, created_at)
}

/// Made at 1000, ends at `expires_at`.
pub(crate) fn temp(id: u64, expires_at: u64) -> KeyRecord {
    record(id, Lifetime::Temporary { expires_at }, 1000)
}

pub(crate) fn temp_of_dc(id: u64, dc: i32) -> KeyRecord {
    KeyRecord { dc, ..temp(id, 5000) }
}

pub(crate) fn bind(temp: u64, perm: u64) -> BindRequest {
    BindRequest { temp: AuthKeyId(temp), perm: AuthKeyId(perm), expires_at: 5000, capacity: 1 }
}

pub(crate) fn ids(ids: &[u64]) -> Vec<AuthKeyId> {
    ids.iter().copied().map(AuthKeyId).collect()
}

pub(crate) fn same(left: &KeyRecord, right: &KeyRecord) -> bool {
    let plain = |record: &KeyRecord| {
        (record.id, record.lifetime, record.dc, record.created_at, record.first_salt, record.bound_to)
    };
    plain(left) == plain(right) && left.key.expose() == right.key.expose()
}

/// A data directory and, beside it, a directory for sealing keys.
pub(crate) struct Places {
    root: tempfile::TempDir,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn store(&self) -> std::path::PathBuf {
        self.root().join("data/keys.redb")
    }

    pub(crate) fn source(&self) -> SealingSource {
        SealingSource::Directory(self.root().join("sealing"))
    }

    pub(crate) fn open(&self) -> Result<EmbeddedStore, Error> {
        self.open_with(&self.source())
    }

    pub(crate) fn open_with(&self, source: &SealingSource) -> Result<EmbeddedStore, Error> {
        EmbeddedStore::open(&self.store(), source, Box::new(OsRandom))
    }

    pub(crate) fn key_file(&self, store: &EmbeddedStore) -> std::path::PathBuf {
        self.root().join("sealing").join(format!("{}.key", store.id()))
    }
}
