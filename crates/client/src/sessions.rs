//! Where the permanent keys of several DCs are kept, each in a place of its own.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dayfly_core::client::SavedKey;

use crate::dc::DcId;
use crate::session_store::{FileSession, SessionStore};

/// Keeps one permanent key for each DC.
pub trait Sessions: Send + Sync {
    /// The place of the key of `dc`, which is never a media side: that one has the key of its DC.
    fn of(&self, dc: DcId) -> Box<dyn SessionStore>;
}

/// Keeps the keys in memory: gone with the last clone.
#[derive(Clone, Debug, Default)]
pub struct MemorySessions(Arc<Mutex<BTreeMap<DcId, SavedKey>>>);

impl Sessions for MemorySessions {
    fn of(&self, dc: DcId) -> Box<dyn SessionStore> {
        Box::new(InMemory { dc, keys: self.clone() })
    }
}

struct InMemory {
    dc: DcId,
    keys: MemorySessions,
}

impl InMemory {
    /// Whoever panicked with the lock left the map whole.
    fn keys(&self) -> MutexGuard<'_, BTreeMap<DcId, SavedKey>> {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionStore for InMemory {
    fn load(&mut self) -> io::Result<Option<SavedKey>> {
        Ok(self.keys().get(&self.dc).cloned())
    }

    fn save(&mut self, key: &SavedKey) -> io::Result<()> {
        self.keys().insert(self.dc, key.clone());
        Ok(())
    }

    fn forget(&mut self) -> io::Result<()> {
        self.keys().remove(&self.dc);
        Ok(())
    }
}

/// Keeps the key of DC n in the file `dcN.session` of a directory, each as [`FileSession`] does.
#[derive(Clone, Debug)]
pub struct FileSessions {
    directory: PathBuf,
}

impl FileSessions {
    /// Sessions in the directory `directory`, which has to be there.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }
}

impl Sessions for FileSessions {
    fn of(&self, dc: DcId) -> Box<dyn SessionStore> {
        Box::new(FileSession::new(self.directory.join(format!("dc{dc}.session"))))
    }
}

#[cfg(test)]
mod tests {
    use dayfly_crypto::AuthKey;

    use super::*;

    fn saved(dc: DcId) -> SavedKey {
        let byte = u8::try_from(dc.wire()).unwrap();
        SavedKey { key: Arc::new(AuthKey::copy_of(&[byte; 256])), created_at: 1_700_000_000, dc: dc.wire() }
    }

    fn keeps_one_key_a_dc(sessions: &impl Sessions) {
        let dcs = [1, 2].map(DcId::from_wire);
        for dc in dcs {
            assert!(sessions.of(dc).load().unwrap().is_none());
            sessions.of(dc).save(&saved(dc)).unwrap();
        }
        for dc in dcs {
            let loaded = sessions.of(dc).load().unwrap().unwrap();
            assert_eq!((loaded.dc, loaded.key.id()), (dc.wire(), saved(dc).key.id()));
        }
        sessions.of(dcs[0]).forget().unwrap();
        assert!(sessions.of(dcs[0]).load().unwrap().is_none());
        assert!(sessions.of(dcs[1]).load().unwrap().is_some());
    }

    #[test]
    fn the_keys_of_several_dcs_are_kept_apart() {
        keeps_one_key_a_dc(&MemorySessions::default());
        let directory = tempfile::tempdir().unwrap();
        keeps_one_key_a_dc(&FileSessions::new(directory.path()));
        assert!(directory.path().join("dc2.session").exists());
    }
}
