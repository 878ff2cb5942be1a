//! `RamTempKeys`: the laws, its bounds, races.

use std::{
    sync::{Arc, Barrier},
    thread,
};

use dayfly_core::keys::requests::{BindOutcome, BindRequest, Lifetime};
use dayfly_crypto::AuthKeyId;
use dayfly_store::{Inserted, RamTempKeys, TempKeys, TempLimits};

use crate::{
    common::{bind, ids, temp, wait},
    temp_laws,
};

fn with_room_for(keys: usize) -> RamTempKeys {
    RamTempKeys::new(TempLimits { keys, ..TempLimits::default() })
}

fn put(keys: &RamTempKeys, id: u64) -> Vec<AuthKeyId> {
    let insertion = wait(keys.insert(temp(id, 9000), 1000)).unwrap();
    assert_eq!(insertion.outcome, Inserted::Stored);
    insertion.evicted
}

fn lives(keys: &RamTempKeys, id: u64) -> bool {
    wait(keys.find(&[AuthKeyId(id)], 1000)).unwrap()[0].is_some()
}

// rule: PF-09, PF-10, PF-15, PF-19
#[test]
fn the_laws_of_temporary_keys_hold() {
    temp_laws::hold_for(|| with_room_for(100));
}

// rule: PF-09
#[test]
fn a_binding_never_outlives_the_key() {
    let keys = with_room_for(10);
    put(&keys, 1);
    wait(keys.bind(BindRequest { expires_at: u64::MAX, ..bind(1, 9) }, 1000)).unwrap();
    let found = wait(keys.find(&ids(&[1]), 1000)).unwrap();
    assert_eq!(found[0].as_ref().unwrap().lifetime, Lifetime::Temporary { expires_at: 9000 });
}

// rule: PF-09
#[test]
fn a_key_bound_elsewhere_is_told_from_a_repeat() {
    let keys = with_room_for(10);
    put(&keys, 1);
    wait(keys.bind(bind(1, 9), 1000)).unwrap();
    assert_eq!(wait(keys.bind(bind(1, 8), 1000)).unwrap(), BindOutcome::BoundElsewhere);
    assert_eq!(wait(keys.bind(bind(1, 9), 1000)).unwrap(), BindOutcome::AlreadyBound);
}

// rule: PF-10
#[test]
fn a_new_binding_ends_the_old_one() {
    let keys = with_room_for(10);
    put(&keys, 1);
    put(&keys, 2);
    wait(keys.bind(bind(1, 9), 1000)).unwrap();
    assert_eq!(wait(keys.bind(bind(2, 9), 1000)).unwrap(), BindOutcome::Bound { replaced: ids(&[1]) });
    assert!(!lives(&keys, 1));
    assert!(lives(&keys, 2));
}

// rule: PF-10
#[test]
fn binds_that_race_leave_exactly_one() {
    for round in 0..50 {
        let keys = Arc::new(with_room_for(100));
        (1..=8).for_each(|id| drop(put(&keys, id)));
        let start = Arc::new(Barrier::new(8));
        let racers: Vec<_> = (1..=8)
            .map(|id| {
                let (keys, start) = (Arc::clone(&keys), Arc::clone(&start));
                thread::spawn(move || {
                    start.wait();
                    wait(keys.bind(bind(id, 9), 1000)).unwrap()
                })
            })
            .collect();
        let mut replaced = 0;
        for racer in racers {
            let BindOutcome::Bound { replaced: lost } = racer.join().unwrap() else { panic!("not bound") };
            replaced += lost.len();
        }
        assert_eq!(replaced, 7, "round {round}");
        assert_eq!((1..=8).filter(|id| lives(&keys, *id)).count(), 1, "round {round}");
    }
}

// rule: PF-25
#[test]
fn at_the_bound_the_oldest_unbound_key_goes_and_bound_ones_last() {
    let keys = with_room_for(4);
    (1..=4).for_each(|id| assert_eq!(put(&keys, id), []));
    wait(keys.bind(bind(1, 9), 1000)).unwrap();
    wait(keys.bind(bind(3, 8), 1000)).unwrap();
    assert_eq!(put(&keys, 5), ids(&[2]));
    assert_eq!(put(&keys, 6), ids(&[4]));
    wait(keys.bind(bind(5, 7), 1000)).unwrap();
    wait(keys.bind(bind(6, 6), 1000)).unwrap();
    assert_eq!(put(&keys, 7), ids(&[1]), "all are bound: the one bound first goes");
    assert_eq!(keys.len(), 4);
}

// rule: PF-25
#[test]
fn the_bound_in_bytes_counts_too() {
    let bytes = 3 * TempLimits::BYTES_PER_KEY + TempLimits::BYTES_PER_KEY / 2;
    let keys = RamTempKeys::new(TempLimits { bytes, ..TempLimits::default() });
    (1..=3).for_each(|id| assert_eq!(put(&keys, id), []));
    assert_eq!(put(&keys, 4), ids(&[1]));
}

// rule: PF-25
#[test]
fn an_unbound_key_goes_after_its_hour_and_a_bound_one_stays() {
    let keys = with_room_for(10);
    put(&keys, 1);
    put(&keys, 2);
    wait(keys.bind(BindRequest { expires_at: 9000, ..bind(2, 9) }, 1000)).unwrap();
    assert_eq!(wait(keys.expire(4599)).unwrap(), []);
    assert_eq!(wait(keys.expire(4600)).unwrap(), ids(&[1]));
    assert_eq!(wait(keys.expire(9000)).unwrap(), ids(&[2]));
}

// rule: PF-15
#[test]
fn a_key_is_wiped_when_it_ends() {
    let keys = with_room_for(10);
    let record = temp(1, 5000);
    let held = Arc::downgrade(&record.key);
    wait(keys.insert(record, 1000)).unwrap();
    wait(keys.bind(bind(1, 9), 1000)).unwrap();
    wait(keys.expire(4999)).unwrap();
    assert!(held.upgrade().is_some());
    wait(keys.expire(5000)).unwrap();
    assert!(held.upgrade().is_none(), "the table held the last one, and it wipes itself");
}

#[test]
fn a_capacity_of_zero_counts_as_one() {
    let keys = with_room_for(10);
    put(&keys, 1);
    wait(keys.bind(BindRequest { capacity: 0, ..bind(1, 9) }, 1000)).unwrap();
    assert!(lives(&keys, 1));
}

#[test]
fn debug_shows_no_secret() {
    let keys = with_room_for(10);
    let record = temp(1, 5000);
    let first = format!("{:?}", &record.key.expose()[..8]);
    wait(keys.insert(record, 1000)).unwrap();
    let shown = format!("{keys:?}");
    assert!(shown.contains("AuthKey(..)") && !shown.contains(first.trim_matches(['[', ']'])));
}
