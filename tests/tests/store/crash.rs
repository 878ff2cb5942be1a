//! A power cut at every point: what was answered is there, and nothing is half there.

use std::{
    io,
    sync::{Arc, Mutex},
};

use dayfly_crypto::AuthKeyId;
use dayfly_store::{EmbeddedStore, Inserted, KeyStore, OsRandom};
use redb::StorageBackend;

use crate::common::{Places, ids, perm, same, wait};

/// What of the unsynced writes a cut leaves on the disk.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Nothing.
    Forgets,
    /// Some, in no order: each write is kept or lost as the bits of this number say.
    Tears(u64),
}

/// A disk with a cache that a cut empties.
#[derive(Debug)]
struct Disk {
    synced: Vec<u8>,
    cached: Vec<u8>,
    /// Unsynced writes, in order: offset and bytes; a changed length is a write of nothing at the new end.
    pending: Vec<(usize, Vec<u8>)>,
    /// Changes until the cut.
    left: usize,
    made: usize,
}

impl Disk {
    fn with(content: Vec<u8>, left: usize) -> Arc<Mutex<Self>> {
        let disk = Self { cached: content.clone(), synced: content, pending: Vec::new(), left, made: 0 };
        Arc::new(Mutex::new(disk))
    }

    fn step(&mut self) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("the power is cut"))?;
        self.made += 1;
        Ok(())
    }

    /// What a machine finds that starts after the cut.
    fn after(&self, cut: Cut) -> Vec<u8> {
        let Cut::Tears(bits) = cut else { return self.synced.clone() };
        let mut content = self.synced.clone();
        content.resize(content.len().max(self.cached.len()), 0);
        for (place, (offset, data)) in self.pending.iter().enumerate() {
            if bits.rotate_right(place as u32) & 1 == 1 && offset + data.len() <= content.len() {
                content[*offset..offset + data.len()].copy_from_slice(data);
            }
        }
        content
    }
}

#[derive(Clone, Debug)]
struct Forgetful(Arc<Mutex<Disk>>);

impl StorageBackend for Forgetful {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.0.lock().unwrap();
        let from = offset as usize;
        let bytes = disk.cached.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        disk.step()?;
        disk.cached.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        disk.step()?;
        disk.synced = disk.cached.clone();
        disk.pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        disk.step()?;
        let from = offset as usize;
        disk.cached[from..from + data.len()].copy_from_slice(data);
        disk.pending.push((from, data.to_vec()));
        Ok(())
    }
}

fn open(disk: &Arc<Mutex<Disk>>, places: &Places) -> Option<EmbeddedStore> {
    let backend = Forgetful(Arc::clone(disk));
    EmbeddedStore::open_with_backend(backend, &places.store(), &places.source(), Box::new(OsRandom)).ok()
}

/// What was told to whoever asked.
#[derive(Debug, Default, PartialEq)]
struct Told {
    stored: Vec<u64>,
    revoked: bool,
}

/// Three batches of keys and a revocation, as far as the power lasts.
fn work(store: &EmbeddedStore) -> Told {
    let mut told = Told::default();
    for batch in [1..=3, 10..=40, 50..=50] {
        let numbers: Vec<u64> = batch.collect();
        let outcomes = wait(store.insert(numbers.iter().map(|id| perm(*id)).collect()));
        let stored = numbers.iter().zip(outcomes).filter(|(_, told)| *told == Ok(Inserted::Stored));
        told.stored.extend(stored.map(|(id, _)| *id));
    }
    told.revoked = wait(store.revoke(AuthKeyId(2))) == Ok(true);
    told
}

fn check(store: &EmbeddedStore, told: &Told, what: &str) {
    let all: Vec<u64> = (1..=3).chain(10..=40).chain([50]).collect();
    for (id, loaded) in all.iter().zip(wait(store.load(&ids(&all)))) {
        let loaded = loaded.unwrap_or_else(|error| panic!("{what}: key {id}: {error}"));
        let revoked = *id == 2 && told.revoked;
        match loaded {
            Some(record) => assert!(same(&record, &perm(*id)) && !revoked, "{what}: key {id}"),
            // The cut may have come after the revocation was durable and before it was told.
            None => assert!(!told.stored.contains(id) || *id == 2, "{what}: key {id} was told and is lost"),
        }
    }
}

fn made_in_full() -> (Vec<u8>, Places, usize) {
    let places = Places::new();
    let disk = Disk::with(Vec::new(), usize::MAX);
    drop(open(&disk, &places).unwrap());
    let made = disk.lock().unwrap().cached.clone();
    let disk = Disk::with(made.clone(), usize::MAX);
    let store = open(&disk, &places).unwrap();
    let told = work(&store);
    assert_eq!((told.stored.len(), told.revoked), (35, true));
    drop(store);
    let steps = disk.lock().unwrap().made;
    (made, places, steps)
}

// rule: PF-17
#[test]
fn a_cut_at_any_point_loses_no_key_that_was_told() {
    let (made, places, steps) = made_in_full();
    assert!(steps > 20, "{steps}");
    for left in 0..=steps {
        let disk = Disk::with(made.clone(), left);
        let Some(store) = open(&disk, &places) else { continue };
        let told = work(&store);
        drop(store);
        let cuts = [Cut::Forgets, Cut::Tears(0x5555_5555_5555_5555), Cut::Tears(0xC3A5_0F96_71E8_2B4D)];
        for cut in cuts {
            let what = format!("cut after {left} of {steps} changes, {cut:?}");
            let after = Disk::with(disk.lock().unwrap().after(cut), usize::MAX);
            let store = open(&after, &places).unwrap_or_else(|| panic!("{what}: does not open"));
            check(&store, &told, &what);
            assert_eq!(wait(store.insert(vec![perm(99)])), [Ok(Inserted::Stored)], "{what}: goes on");
        }
    }
}

// rule: PF-17
#[test]
fn after_a_failed_write_nobody_is_told_of_success() {
    let (made, places, _) = made_in_full();
    let disk = Disk::with(made, usize::MAX);
    let store = open(&disk, &places).unwrap();
    disk.lock().unwrap().left = 0;
    let outcomes = wait(store.insert(vec![perm(1), perm(2)]));
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
    assert!(wait(store.mark_used(&ids(&[1]), 5)).is_err());
}

// rule: PF-17
#[test]
fn a_file_whose_owner_was_killed_opens_with_every_key() {
    let places = Places::new();
    let store = places.open().unwrap();
    let told = work(&store);
    // What another process would find if this one were gone: the file as it is, never closed.
    let (left, killed) = (std::fs::read(places.store()).unwrap(), Places::new());
    std::fs::create_dir(killed.store().parent().unwrap()).unwrap();
    std::fs::write(killed.store(), left).unwrap();
    let found = killed.open_with(&places.source()).unwrap();
    check(&found, &told, "killed");
}
