//! Changing the sealing key.

use std::{fs, os::unix::fs::OpenOptionsExt, path::Path};

use dayfly_store::{EmbeddedStore, Error, Inserted, KeyStore, OsRandom, SealingSource};

use crate::common::{Places, ids, perm, same, wait};

fn filled(places: &Places) -> EmbeddedStore {
    let store = places.open().unwrap();
    let inserted = wait(store.insert((1..=600).map(perm).collect()));
    assert!(inserted.iter().all(|outcome| *outcome == Ok(Inserted::Stored)));
    store
}

fn all_there(store: &EmbeddedStore) {
    let numbers: Vec<u64> = (1..=600).collect();
    for (id, loaded) in numbers.iter().zip(wait(store.load(&ids(&numbers)))) {
        assert!(same(&loaded.unwrap().unwrap(), &perm(*id)));
    }
}

fn write_key(path: &Path, key: &[u8]) {
    use std::io::Write;
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.unwrap().write_all(key).unwrap();
}

#[test]
fn a_fresh_key_replaces_the_old_one_and_opens_everything() {
    let places = Places::new();
    let mut store = filled(&places);
    let file = places.key_file(&store);
    let old = fs::read(&file).unwrap();
    assert_eq!(store.reseal(&places.source(), &mut OsRandom).unwrap(), 600);
    let new = fs::read(&file).unwrap();
    assert!(new.len() == 32 && new != old);
    all_there(&store);
    assert_eq!(wait(store.insert(vec![perm(601)])), [Ok(Inserted::Stored)]);
    drop(store);
    let store = places.open().unwrap();
    all_there(&store);
    assert!(wait(store.load(&ids(&[601])))[0].as_ref().unwrap().is_some());
    drop(store);
    write_key(&file, &old);
    assert!(matches!(places.open(), Err(Error::WrongSealingKey { .. })), "the old key opens nothing");
}

#[test]
fn a_key_of_the_operators_is_taken_as_it_is() {
    let places = Places::new();
    let mut store = filled(&places);
    let file = places.root().join("mine.key");
    write_key(&file, &[7; 32]);
    let mine = SealingSource::File(file.clone());
    store.reseal(&mine, &mut OsRandom).unwrap();
    assert_eq!(fs::read(&file).unwrap(), [7; 32]);
    assert!(store.notice().contains("mine.key"));
    drop(store);
    assert!(matches!(places.open(), Err(Error::WrongSealingKey { .. })));
    all_there(&places.open_with(&mine).unwrap());
}

#[test]
fn a_file_that_is_not_there_is_made() {
    let places = Places::new();
    let mut store = filled(&places);
    let elsewhere = SealingSource::File(places.root().join("else/where.key"));
    store.reseal(&elsewhere, &mut OsRandom).unwrap();
    drop(store);
    all_there(&places.open_with(&elsewhere).unwrap());
}

#[test]
fn a_start_after_a_cut_finishes_the_renaming() {
    let places = Places::new();
    let mut store = filled(&places);
    let (file, beside) = (places.key_file(&store), places.key_file(&store).with_extension("key.new"));
    let old = fs::read(&file).unwrap();
    store.reseal(&places.source(), &mut OsRandom).unwrap();
    drop(store);
    // As if the power had failed between the transaction and the renaming.
    fs::rename(&file, &beside).unwrap();
    write_key(&file, &old);
    all_there(&places.open().unwrap());
    assert!(!beside.exists());
    all_there(&places.open().unwrap());
}

#[test]
fn a_start_after_a_cut_before_the_transaction_keeps_the_old_key() {
    let places = Places::new();
    let store = filled(&places);
    let (file, beside) = (places.key_file(&store), places.key_file(&store).with_extension("key.new"));
    drop(store);
    write_key(&beside, &[5; 32]);
    let old = fs::read(&file).unwrap();
    let mut store = places.open().unwrap();
    all_there(&store);
    assert_eq!(fs::read(&file).unwrap(), old);
    store.reseal(&places.source(), &mut OsRandom).unwrap();
    drop(store);
    all_there(&places.open().unwrap());
    assert!(!beside.exists());
}

#[test]
fn a_wrong_next_key_changes_nothing() {
    let places = Places::new();
    let mut store = filled(&places);
    let file = places.root().join("short.key");
    write_key(&file, &[7; 31]);
    let short = store.reseal(&SealingSource::File(file), &mut OsRandom);
    assert!(matches!(short, Err(Error::SealingKeyLength { .. })));
    let inside = SealingSource::Directory(places.root().join("data"));
    assert!(matches!(store.reseal(&inside, &mut OsRandom), Err(Error::SealingKeyInside { .. })));
    drop(store);
    all_there(&places.open().unwrap());
}

#[test]
fn the_key_can_be_changed_again() {
    let places = Places::new();
    let mut store = filled(&places);
    for _ in 0..2 {
        store.reseal(&places.source(), &mut OsRandom).unwrap();
        all_there(&store);
    }
}
