//! The laws of `KeyStore`, for whatever implements it.

use dayfly_crypto::AuthKeyId;
use dayfly_store::{Inserted, KeyStore, Listed};

use crate::common::{ids, perm, perm_made_at, same, temp, wait};

/// All of them; `make` gives an empty store.
pub(crate) fn hold_for<K: KeyStore>(make: impl Fn() -> K) {
    what_was_stored_is_loaded(&make());
    a_taken_id_stays_with_its_key(&make());
    temporary_keys_are_refused(&make());
    listing_pages_by_rising_id(&make());
    a_revoked_key_is_gone_and_its_id_is_free(&make());
    sweeping_takes_old_keys_that_were_never_used(&make());
}

fn put<K: KeyStore>(store: &K, numbers: &[u64]) {
    let inserted = wait(store.insert(numbers.iter().map(|id| perm(*id)).collect()));
    assert!(inserted.iter().all(|outcome| *outcome == Ok(Inserted::Stored)));
}

fn there<K: KeyStore>(store: &K, id: u64) -> bool {
    wait(store.load(&[AuthKeyId(id)]))[0].as_ref().unwrap().is_some()
}

fn what_was_stored_is_loaded<K: KeyStore>(store: &K) {
    put(store, &[1, u64::MAX, 7]);
    let loaded = wait(store.load(&ids(&[7, 2, u64::MAX])));
    assert!(same(loaded[0].as_ref().unwrap().as_ref().unwrap(), &perm(7)));
    assert!(loaded[1].as_ref().unwrap().is_none());
    assert!(same(loaded[2].as_ref().unwrap().as_ref().unwrap(), &perm(u64::MAX)));
    assert!(wait(store.insert(Vec::new())).is_empty() && wait(store.load(&[])).is_empty());
}

fn a_taken_id_stays_with_its_key<K: KeyStore>(store: &K) {
    let twice = vec![perm_made_at(1, 10), perm_made_at(1, 20), perm(2)];
    let inserted = wait(store.insert(twice));
    assert_eq!(inserted, [Ok(Inserted::Stored), Ok(Inserted::Taken), Ok(Inserted::Stored)]);
    assert_eq!(wait(store.insert(vec![perm_made_at(1, 30)])), [Ok(Inserted::Taken)]);
    assert_eq!(wait(store.insert(vec![perm(0)])), [Ok(Inserted::Taken)], "an id of zero counts as taken");
    let loaded = wait(store.load(&ids(&[1, 0])));
    assert_eq!(loaded[0].as_ref().unwrap().as_ref().unwrap().created_at, 10);
    assert!(loaded[1].as_ref().unwrap().is_none());
}

fn temporary_keys_are_refused<K: KeyStore>(store: &K) {
    assert_eq!(wait(store.insert(vec![temp(1, 5000)])), [Ok(Inserted::Refused)]);
    assert!(!there(store, 1));
}

fn listing_pages_by_rising_id<K: KeyStore>(store: &K) {
    put(store, &[30, 10, 20]);
    wait(store.mark_used(&ids(&[20, 99]), 2000)).unwrap();
    let page = wait(store.list(None, 2)).unwrap();
    let listed = |id, used_at| Listed { id: AuthKeyId(id), dc: 2, created_at: 1000, used_at };
    assert_eq!(page, [listed(10, None), listed(20, Some(2000))]);
    assert_eq!(wait(store.list(Some(AuthKeyId(20)), 2)).unwrap(), [listed(30, None)]);
    assert_eq!(wait(store.list(Some(AuthKeyId(30)), 2)).unwrap(), []);
}

fn a_revoked_key_is_gone_and_its_id_is_free<K: KeyStore>(store: &K) {
    put(store, &[1]);
    wait(store.mark_used(&ids(&[1]), 2000)).unwrap();
    assert!(wait(store.revoke(AuthKeyId(1))).unwrap());
    assert!(!wait(store.revoke(AuthKeyId(1))).unwrap());
    assert!(!there(store, 1));
    put(store, &[1]);
    assert_eq!(wait(store.list(None, 9)).unwrap()[0].used_at, None, "the new key was never used");
    assert_eq!(wait(store.sweep_unused(1001, 9)).unwrap(), ids(&[1]));
}

fn sweeping_takes_old_keys_that_were_never_used<K: KeyStore>(store: &K) {
    let made_at = [(1, 400), (2, 300), (3, 200), (4, 100), (5, 50)];
    wait(store.insert(made_at.map(|(id, at)| perm_made_at(id, at)).into()));
    wait(store.mark_used(&ids(&[3]), 500)).unwrap();
    assert_eq!(wait(store.sweep_unused(400, 2)).unwrap(), ids(&[5, 4]), "oldest first, in pieces");
    assert_eq!(wait(store.sweep_unused(400, 2)).unwrap(), ids(&[2]));
    assert_eq!(wait(store.sweep_unused(400, 2)).unwrap(), []);
    assert!(there(store, 1), "made at 400: not before 400");
    assert!(there(store, 3), "used once: never swept");
    assert!([2, 4, 5].iter().all(|id| !there(store, *id)));
}
