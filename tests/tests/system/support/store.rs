use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dayfly_core::keys::requests::KeyRecord;
use dayfly_crypto::AuthKeyId;
use dayfly_store::{EmbeddedStore, Inserted, KeyStore, Listed, Unavailable};

/// Makes a [`SilentStore`] fall silent and speak again, and counts what it was asked meanwhile.
#[derive(Clone, Default)]
pub(crate) struct Switch {
    silent: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
}

impl Switch {
    pub(crate) fn silence(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    pub(crate) fn speak(&self) {
        self.silent.store(false, Ordering::SeqCst);
    }

    /// How often the store was asked in vain.
    pub(crate) fn asked_in_vain(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A store that cannot be asked while its switch says so.
pub(crate) struct SilentStore {
    inner: EmbeddedStore,
    switch: Switch,
}

impl SilentStore {
    pub(crate) fn new(inner: EmbeddedStore, switch: Switch) -> Self {
        Self { inner, switch }
    }

    fn ask(&self) -> Result<(), Unavailable> {
        if self.switch.silent.load(Ordering::SeqCst) {
            self.switch.asked.fetch_add(1, Ordering::SeqCst);
            return Err(Unavailable::Storage("switched off by the test".to_owned()));
        }
        Ok(())
    }
}

impl KeyStore for SilentStore {
    async fn insert(&self, records: Vec<KeyRecord>) -> Vec<Result<Inserted, Unavailable>> {
        match self.ask() {
            Ok(()) => self.inner.insert(records).await,
            Err(error) => vec![Err(error); records.len()],
        }
    }

    async fn load(&self, ids: &[AuthKeyId]) -> Vec<Result<Option<KeyRecord>, Unavailable>> {
        match self.ask() {
            Ok(()) => self.inner.load(ids).await,
            Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn mark_used(&self, ids: &[AuthKeyId], now: u64) -> Result<(), Unavailable> {
        self.ask()?;
        self.inner.mark_used(ids, now).await
    }

    async fn list(&self, after: Option<AuthKeyId>, at_most: usize) -> Result<Vec<Listed>, Unavailable> {
        self.ask()?;
        self.inner.list(after, at_most).await
    }

    async fn revoke(&self, id: AuthKeyId) -> Result<bool, Unavailable> {
        self.ask()?;
        self.inner.revoke(id).await
    }

    async fn sweep_unused(&self, made_before: u64, at_most: usize) -> Result<Vec<AuthKeyId>, Unavailable> {
        self.ask()?;
        self.inner.sweep_unused(made_before, at_most).await
    }
}
