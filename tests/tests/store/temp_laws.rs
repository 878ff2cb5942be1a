//! The laws of `TempKeys`, for whatever implements it.

use dayfly_core::keys::requests::{BindOutcome, BindRequest, Lifetime};
use dayfly_crypto::AuthKeyId;
use dayfly_store::{Inserted, TempKeys};

use crate::common::{bind, ids, perm, same, temp, temp_of_dc, wait};

/// All of them; `make` gives an empty place with room for a hundred keys and an hour to bind.
pub(crate) fn hold_for<T: TempKeys>(make: impl Fn() -> T) {
    a_key_is_found_until_its_second(&make());
    a_taken_id_stays_with_its_key(&make());
    what_is_not_for_memory_is_refused(&make());
    a_binding_replaces_the_one_before(&make());
    slots_are_apart(&make());
    a_repeated_binding_changes_nothing(&make());
    the_earlier_end_counts(&make());
    dropping_spares_the_exceptions(&make());
    an_ended_key_is_gone_from_everywhere(&make());
}

fn insert<T: TempKeys>(keys: &T, record: dayfly_core::keys::requests::KeyRecord) -> Inserted {
    wait(keys.insert(record, 1000)).unwrap().outcome
}

fn put<T: TempKeys>(keys: &T, numbers: &[u64]) {
    numbers.iter().for_each(|id| assert_eq!(insert(keys, temp(*id, 5000)), Inserted::Stored));
}

fn lives<T: TempKeys>(keys: &T, id: u64, now: u64) -> bool {
    wait(keys.find(&[AuthKeyId(id)], now)).unwrap()[0].is_some()
}

fn replaced(numbers: &[u64]) -> BindOutcome {
    BindOutcome::Bound { replaced: ids(numbers) }
}

fn a_key_is_found_until_its_second<T: TempKeys>(keys: &T) {
    put(keys, &[1]);
    let found = wait(keys.find(&ids(&[2, 1]), 4000)).unwrap();
    assert!(found[0].is_none());
    assert!(same(found[1].as_ref().unwrap(), &temp(1, 5000)));
    assert_eq!(wait(keys.bind(bind(1, 9), 4000)).unwrap(), replaced(&[]));
    assert!(lives(keys, 1, 4999));
    assert!(!lives(keys, 1, 5000));
    assert_eq!(wait(keys.expire(4999)).unwrap(), []);
    assert_eq!(wait(keys.expire(5000)).unwrap(), ids(&[1]));
    assert_eq!(wait(keys.expire(5000)).unwrap(), []);
}

fn a_taken_id_stays_with_its_key<T: TempKeys>(keys: &T) {
    put(keys, &[1]);
    assert_eq!(insert(keys, temp(1, 4000)), Inserted::Taken);
    let found = wait(keys.find(&ids(&[1]), 1000)).unwrap();
    assert_eq!(found[0].as_ref().unwrap().lifetime, Lifetime::Temporary { expires_at: 5000 });
    let again = wait(keys.insert(temp(1, 9000), 5000)).unwrap();
    assert_eq!(again.outcome, Inserted::Stored, "an ended key's id is free, collected or not");
    assert_eq!(wait(keys.expire(5000)).unwrap(), ids(&[1]), "created at 1000, unbound for an hour");
}

fn what_is_not_for_memory_is_refused<T: TempKeys>(keys: &T) {
    assert_eq!(insert(keys, perm(1)), Inserted::Refused);
    assert_eq!(insert(keys, temp(2, 1000)), Inserted::Refused, "it ended before it came");
    assert!(!lives(keys, 1, 0) && !lives(keys, 2, 0));
}

fn a_binding_replaces_the_one_before<T: TempKeys>(keys: &T) {
    put(keys, &[1, 2, 3, 4]);
    assert_eq!(wait(keys.bind(bind(1, 9), 1000)).unwrap(), replaced(&[]));
    assert_eq!(wait(keys.bind(bind(2, 9), 1000)).unwrap(), replaced(&[1]));
    assert!(!lives(keys, 1, 1000));
    let wide = |temp| BindRequest { capacity: 2, ..bind(temp, 9) };
    assert_eq!(wait(keys.bind(wide(3), 1000)).unwrap(), replaced(&[]));
    assert_eq!(wait(keys.bind(wide(4), 1000)).unwrap(), replaced(&[2]), "the oldest of three goes");
    let found = wait(keys.find(&ids(&[4]), 1000)).unwrap();
    assert_eq!(found[0].as_ref().unwrap().bound_to, Some(AuthKeyId(9)));
    assert_eq!(wait(keys.bind(bind(1, 9), 1000)).unwrap(), BindOutcome::NoSuchKey);
    put(keys, &[5]);
    assert_eq!(wait(keys.bind(bind(5, 9), 1000)).unwrap(), replaced(&[3, 4]), "oldest first");
}

fn slots_are_apart<T: TempKeys>(keys: &T) {
    for (id, dc) in [(1, 2), (2, -2), (3, 0), (4, 10_002)] {
        assert_eq!(insert(keys, temp_of_dc(id, dc)), Inserted::Stored);
        assert_eq!(wait(keys.bind(bind(id, 9), 1000)).unwrap(), replaced(&[]));
    }
    put(keys, &[5]);
    assert_eq!(wait(keys.bind(bind(5, 8), 1000)).unwrap(), replaced(&[]), "another permanent key");
    put(keys, &[6]);
    assert_eq!(wait(keys.bind(bind(6, 9), 1000)).unwrap(), replaced(&[1]), "the same key and dc");
}

fn a_repeated_binding_changes_nothing<T: TempKeys>(keys: &T) {
    put(keys, &[1, 2]);
    let wide = |temp, perm| BindRequest { capacity: 2, ..bind(temp, perm) };
    wait(keys.bind(wide(1, 9), 1000)).unwrap();
    wait(keys.bind(wide(2, 9), 1000)).unwrap();
    let again = BindRequest { expires_at: 1500, ..bind(1, 9) };
    assert_eq!(wait(keys.bind(again, 1000)).unwrap(), BindOutcome::AlreadyBound);
    assert_eq!(wait(keys.bind(bind(1, 8), 1000)).unwrap(), BindOutcome::BoundElsewhere);
    assert!(lives(keys, 1, 4999) && lives(keys, 2, 4999), "no end moved, none was replaced");
    put(keys, &[3]);
    assert_eq!(wait(keys.bind(wide(3, 9), 1000)).unwrap(), replaced(&[1]), "its turn did not move");
}

fn the_earlier_end_counts<T: TempKeys>(keys: &T) {
    put(keys, &[1, 2]);
    wait(keys.bind(BindRequest { expires_at: 5030, ..bind(1, 8) }, 1000)).unwrap();
    wait(keys.bind(BindRequest { expires_at: 2000, ..bind(2, 9) }, 1000)).unwrap();
    let ends: Vec<_> =
        wait(keys.find(&ids(&[1, 2]), 1000)).unwrap().into_iter().map(|r| r.unwrap().lifetime).collect();
    let end = |expires_at| Lifetime::Temporary { expires_at };
    assert_eq!(ends, [end(5000), end(2000)], "a later end is cut, an earlier one shortens");
    assert_eq!(wait(keys.expire(4999)).unwrap(), ids(&[2]));
    assert_eq!(wait(keys.expire(5000)).unwrap(), ids(&[1]));
}

fn dropping_spares_the_exceptions<T: TempKeys>(keys: &T) {
    for (id, dc) in [(1, 2), (2, -2), (3, 0)] {
        insert(keys, temp_of_dc(id, dc));
        wait(keys.bind(bind(id, 9), 1000)).unwrap();
    }
    put(keys, &[4, 5]);
    wait(keys.bind(bind(4, 8), 1000)).unwrap();
    assert_eq!(wait(keys.drop_except(AuthKeyId(9), &ids(&[2, 4]))).unwrap(), ids(&[1, 3]));
    assert_eq!(wait(keys.drop_except(AuthKeyId(9), &ids(&[2]))).unwrap(), []);
    assert!([2, 4, 5].iter().all(|id| lives(keys, *id, 1000)));
    assert!([1, 3].iter().all(|id| !lives(keys, *id, 1000)));
}

fn an_ended_key_is_gone_from_everywhere<T: TempKeys>(keys: &T) {
    put(keys, &[1]);
    wait(keys.bind(bind(1, 9), 1000)).unwrap();
    let ended = wait(keys.end(AuthKeyId(1))).unwrap().unwrap();
    assert_eq!((ended.id, ended.bound_to), (AuthKeyId(1), Some(AuthKeyId(9))));
    assert!(wait(keys.end(AuthKeyId(1))).unwrap().is_none());
    put(keys, &[2]);
    assert_eq!(wait(keys.bind(bind(2, 9), 1000)).unwrap(), replaced(&[]), "its slot is free");
    assert_eq!(wait(keys.expire(9000)).unwrap(), ids(&[2]));
}
