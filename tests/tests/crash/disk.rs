//! A disk that forgets at the cut what was not synced.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

#[derive(Debug)]
struct Content {
    synced: Vec<u8>,
    cached: Vec<u8>,
    /// Changes until the power is cut; each write, sync and change of the length is one.
    left: usize,
}

/// Clones are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct Disk(Arc<Mutex<Content>>);

impl Disk {
    /// A disk with this content, whose power lasts for so many changes.
    pub(crate) fn new(content: Vec<u8>, left: usize) -> Self {
        Self(Arc::new(Mutex::new(Content { cached: content.clone(), synced: content, left })))
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap()
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.content().left == 0
    }

    /// Cuts the power, if it is still there, and gives what a machine finds that starts afterwards.
    pub(crate) fn cut(&self) -> Vec<u8> {
        let mut content = self.content();
        content.left = 0;
        content.synced.clone()
    }

    fn change(&self) -> io::Result<MutexGuard<'_, Content>> {
        let mut content = self.content();
        content.left = content.left.checked_sub(1).ok_or_else(|| io::Error::other("the power is cut"))?;
        Ok(content)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let from = offset as usize;
        let content = self.content();
        let bytes = content.cached.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change()?.cached.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut content = self.change()?;
        content.synced = content.cached.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let from = offset as usize;
        self.change()?.cached[from..from + data.len()].copy_from_slice(data);
        Ok(())
    }
}
