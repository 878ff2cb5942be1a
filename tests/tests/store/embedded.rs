//! `EmbeddedStore`: the laws, group commit, what stays over a restart.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use dayfly_crypto::{AuthKeyId, RandomError, SecureRandom};
use dayfly_store::{EmbeddedStore, Error, Inserted, KeyStore, OsRandom, Unavailable};
use redb::{StorageBackend, backends::InMemoryBackend};

use crate::{
    common::{Places, ids, perm, perm_made_at, same, temp, wait},
    key_laws,
};

struct Kept(Places, EmbeddedStore);

// rule: HS-25, PF-01, PF-26
#[test]
fn the_laws_of_permanent_keys_hold_on_a_file() {
    let all = std::cell::RefCell::new(Vec::new());
    key_laws::hold_for(|| {
        let places = Places::new();
        let store = places.open().unwrap();
        all.borrow_mut().push(places);
        store
    });
}

// rule: PF-26
#[test]
fn a_used_key_is_never_swept_and_a_young_one_not_yet() {
    let Kept(_places, store) = with_keys(&[(1, 100), (2, 100), (3, 900)]);
    wait(store.mark_used(&ids(&[1]), 150)).unwrap();
    assert_eq!(wait(store.sweep_unused(500, 100)).unwrap(), ids(&[2]));
    let left: Vec<_> = wait(store.list(None, 9)).unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(left, ids(&[1, 3]));
}

// rule: PF-01, PF-16
#[test]
fn a_temporary_key_never_reaches_the_file() {
    let places = Places::new();
    let store = places.open().unwrap();
    assert_eq!(wait(store.insert(vec![temp(0x1122_3344_5566_7788, 5000)])), [Ok(Inserted::Refused)]);
    drop(store);
    let file = std::fs::read(places.store()).unwrap();
    let id = 0x1122_3344_5566_7788_u64.to_le_bytes();
    assert!(!file.windows(8).any(|window| window == id));
}

#[test]
fn keys_and_marks_stay_over_a_restart() {
    let Kept(places, store) = with_keys(&[(1, 100), (2, 200)]);
    wait(store.mark_used(&ids(&[2]), 300)).unwrap();
    let id = store.id();
    drop(store);
    let store = places.open().unwrap();
    assert_eq!(store.id(), id);
    let loaded = wait(store.load(&ids(&[1])));
    assert!(same(loaded[0].as_ref().unwrap().as_ref().unwrap(), &perm_made_at(1, 100)));
    assert_eq!(wait(store.list(None, 9)).unwrap()[1].used_at, Some(300));
}

#[test]
fn nothing_of_a_key_lies_open_in_the_file() {
    let Kept(places, store) = with_keys(&[(0x0123_4567_89AB_CDEF, 100)]);
    let secret = *perm(0x0123_4567_89AB_CDEF).key.expose();
    drop(store);
    let file = std::fs::read(places.store()).unwrap();
    assert!(secret.windows(16).all(|piece| !file.windows(16).any(|window| window == piece)));
}

#[test]
fn the_notice_names_both_halves() {
    let places = Places::new();
    let store = places.open().unwrap();
    let notice = store.notice();
    assert!(notice.contains(&places.root().join("data").display().to_string()), "{notice}");
    assert!(notice.contains(&places.key_file(&store).display().to_string()), "{notice}");
}

/// Counts the syncs of a backend in memory.
#[derive(Debug)]
struct Counting(InMemoryBackend, Arc<AtomicUsize>);

impl StorageBackend for Counting {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

#[test]
fn many_keys_share_the_sync_of_one() {
    let (places, syncs) = (Places::new(), Arc::new(AtomicUsize::new(0)));
    let backend = Counting(InMemoryBackend::new(), Arc::clone(&syncs));
    let store =
        EmbeddedStore::open_with_backend(backend, &places.store(), &places.source(), Box::new(OsRandom));
    let store = store.unwrap();
    let cost = |records: Vec<_>| {
        let before = syncs.load(Ordering::Relaxed);
        assert!(wait(store.insert(records)).iter().all(|outcome| *outcome == Ok(Inserted::Stored)));
        syncs.load(Ordering::Relaxed) - before
    };
    let one = cost(vec![perm(1)]);
    assert!(one > 0);
    assert_eq!(cost((2..500).map(perm).collect()), one);
}

#[test]
fn callers_that_wait_together_share_commits() {
    let (places, syncs) = (Places::new(), Arc::new(AtomicUsize::new(0)));
    let backend = Counting(InMemoryBackend::new(), Arc::clone(&syncs));
    let store =
        EmbeddedStore::open_with_backend(backend, &places.store(), &places.source(), Box::new(OsRandom));
    let store = Arc::new(store.unwrap());
    let before = syncs.load(Ordering::Relaxed);
    wait(async {
        // Each is sent when first polled, so all of them wait before the last is answered.
        let mut calls = tokio::task::JoinSet::new();
        for id in 1..=400 {
            let store = Arc::clone(&store);
            calls.spawn(async move { store.insert(vec![perm(id)]).await.remove(0) });
        }
        while let Some(outcome) = calls.join_next().await {
            assert_eq!(outcome.unwrap(), Ok(Inserted::Stored));
        }
    });
    let syncs = syncs.load(Ordering::Relaxed) - before;
    assert!(syncs < 400, "{syncs} syncs for 400 callers");
}

/// Gives what opening needs, then nothing more.
struct Dry(usize);

impl SecureRandom for Dry {
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0 = self.0.checked_sub(1).ok_or(RandomError)?;
        OsRandom.fill_public(out)
    }

    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.fill_public(out)
    }
}

#[test]
fn without_randomness_nothing_is_stored_and_the_store_goes_on() {
    let places = Places::new();
    drop(places.open().unwrap());
    let store = EmbeddedStore::open(&places.store(), &places.source(), Box::new(Dry(1))).unwrap();
    let failed: Result<Inserted, Unavailable> = Err(RandomError.into());
    assert_eq!(wait(store.insert(vec![perm(1), perm(2)])), [failed.clone(), failed]);
    let loaded = wait(store.load(&ids(&[1, 2])));
    assert!(loaded.iter().all(|key| key.as_ref().unwrap().is_none()), "the first was not kept alone");
    assert!(wait(store.list(None, 9)).unwrap().is_empty());
}

#[test]
fn a_store_cannot_be_made_without_randomness() {
    let places = Places::new();
    let made = EmbeddedStore::open(&places.store(), &places.source(), Box::new(Dry(0)));
    assert!(matches!(made, Err(Error::Random(_))));
    assert!(!places.store().exists());
}

#[test]
fn marking_twice_in_a_day_writes_once() {
    let (places, syncs) = (Places::new(), Arc::new(AtomicUsize::new(0)));
    let backend = Counting(InMemoryBackend::new(), Arc::clone(&syncs));
    let store =
        EmbeddedStore::open_with_backend(backend, &places.store(), &places.source(), Box::new(OsRandom));
    let store = store.unwrap();
    wait(store.insert(vec![perm(1)]));
    wait(store.mark_used(&ids(&[1]), 10_000)).unwrap();
    let before = syncs.load(Ordering::Relaxed);
    wait(store.mark_used(&ids(&[1]), 10_000 + 86_399)).unwrap();
    assert_eq!(syncs.load(Ordering::Relaxed), before);
    wait(store.mark_used(&ids(&[1]), 10_000 + 86_400)).unwrap();
    assert_eq!(wait(store.list(None, 1)).unwrap()[0].used_at, Some(96_400));
}

fn with_keys(made_at: &[(u64, u64)]) -> Kept {
    let places = Places::new();
    let store = places.open().unwrap();
    let records = made_at.iter().map(|(id, at)| perm_made_at(*id, *at)).collect();
    assert!(wait(store.insert(records)).iter().all(|outcome| *outcome == Ok(Inserted::Stored)));
    assert!(wait(store.load(&[AuthKeyId(made_at[0].0)]))[0].as_ref().unwrap().is_some());
    Kept(places, store)
}
