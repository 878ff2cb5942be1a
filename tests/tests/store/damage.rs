//! Whatever is wrong with the file or the sealing key: one sentence, and nothing overwritten.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use dayfly_crypto::AuthKeyId;
use dayfly_store::{EmbeddedStore, Error, Inserted, KeyStore, OsRandom, Unavailable};
use redb::{Database, ReadableDatabase, TableDefinition};

use crate::common::{Places, ids, perm, same, wait};

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const KEYS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("keys");

/// A closed store with the keys 1 to 50, and where its sealing key lies.
fn closed() -> (Places, std::path::PathBuf) {
    let places = Places::new();
    let store = places.open().unwrap();
    let inserted = wait(store.insert((1..=50).map(perm).collect()));
    assert!(inserted.iter().all(|outcome| *outcome == Ok(Inserted::Stored)));
    let key = places.key_file(&store);
    (places, key)
}

/// The error of opening, after checking that it is one sentence and that the file is as it was.
fn refusal(places: &Places) -> Error {
    let before = fs::read(places.store()).unwrap();
    let error = places.open().unwrap_err();
    let sentence = error.to_string();
    assert!(!sentence.contains('\n') && sentence.len() > 20, "{sentence}");
    assert!(fs::read(places.store()).unwrap() == before, "the file was changed: {sentence}");
    error
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn another_sealing_key_is_refused_by_name() {
    let (places, key) = closed();
    fs::write(&key, [9; 32]).unwrap();
    let error = refusal(&places);
    assert!(matches!(error, Error::WrongSealingKey { .. }), "{error}");
    assert!(error.to_string().contains(&key.display().to_string()));
}

#[test]
fn a_missing_sealing_key_is_not_made_anew() {
    let (places, key) = closed();
    fs::remove_file(&key).unwrap();
    assert!(matches!(refusal(&places), Error::SealingKeyMissing { .. }));
    assert!(!key.exists());
}

#[test]
fn a_sealing_key_open_to_others_is_refused_with_the_command_to_mend_it() {
    let (places, key) = closed();
    for mode in [0o640, 0o604, 0o620, 0o644, 0o601] {
        set_mode(&key, mode);
        let error = refusal(&places).to_string();
        assert!(error.contains(&format!("mode {mode:04o}")), "{error}");
        assert!(error.contains(&format!("chmod 600 {}", key.display())), "{error}");
    }
    for mode in [0o600, 0o400] {
        set_mode(&key, mode);
        drop(places.open().unwrap());
    }
}

#[test]
fn a_sealing_key_of_another_length_is_refused() {
    let (places, key) = closed();
    for (length, told) in [(0, "0 bytes"), (31, "31 bytes"), (33, "more than 32 bytes")] {
        fs::write(&key, vec![1; length]).unwrap();
        let error = refusal(&places);
        assert!(matches!(error, Error::SealingKeyLength { .. }));
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn a_store_in_use_is_left_alone() {
    let places = Places::new();
    let holder = places.open().unwrap();
    let error = places.open().unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert_eq!(wait(holder.insert(vec![perm(1)])), [Ok(Inserted::Stored)]);
    drop(holder);
    let store = places.open().unwrap();
    assert!(wait(store.load(&ids(&[1])))[0].as_ref().unwrap().is_some());
}

#[test]
fn an_empty_file_is_damage_and_no_reason_to_begin_afresh() {
    let (places, _) = closed();
    fs::write(places.store(), []).unwrap();
    assert!(matches!(refusal(&places), Error::Damaged { .. }));
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let (places, _) = closed();
    fs::write(places.store(), b"[server]\nlisten = \"127.0.0.1:4430\"\n".repeat(500)).unwrap();
    assert!(matches!(refusal(&places), Error::Damaged { .. }));
}

#[test]
fn a_database_that_is_no_store_is_refused() {
    let places = Places::new();
    fs::create_dir(places.store().parent().unwrap()).unwrap();
    drop(Database::create(places.store()).unwrap());
    let error = refusal(&places);
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

#[test]
fn a_newer_format_is_refused_with_both_numbers() {
    let (places, _) = closed();
    let database = Database::open(places.store()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(META).unwrap().insert("format", 2_u32.to_le_bytes().as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = refusal(&places);
    assert!(matches!(error, Error::NewerFormat { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let places = Places::new();
    fs::write(places.root().join("data"), "a file where the directory should be").unwrap();
    let error = places.open().unwrap_err();
    assert!(matches!(error, Error::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains(&places.store().display().to_string()));
}

#[test]
fn a_sealing_key_inside_the_data_directory_is_refused() {
    let places = Places::new();
    for inside in ["data", "data/deep/er", "data/../data/x"] {
        let source = dayfly_store::SealingSource::Directory(places.root().join(inside));
        let error = places.open_with(&source).unwrap_err();
        assert!(matches!(error, Error::SealingKeyInside { .. }), "{inside}: {error}");
    }
    assert!(!places.store().exists());
}

/// Opens a changed file and asks for every key: a wrong answer is the only failure.
fn no_key_is_denied(places: &Places, what: &str) {
    let Ok(store) = places.open() else { return };
    for (id, loaded) in (1..).zip(wait(store.load(&(1..=50).map(AuthKeyId).collect::<Vec<_>>()))) {
        match loaded {
            Ok(Some(record)) => assert!(same(&record, &perm(id)), "{what}: key {id} came back different"),
            Ok(None) => panic!("{what}: key {id} is said not to exist"),
            Err(_) => {}
        }
    }
}

#[test]
fn a_cut_file_never_denies_a_key() {
    let (places, _) = closed();
    let whole = fs::read(places.store()).unwrap();
    for part in 1..16 {
        let length = whole.len() * part / 16;
        fs::write(places.store(), &whole[..length]).unwrap();
        let refused = places.open();
        assert!(matches!(refused, Err(Error::Damaged { .. })), "cut to {length}: {refused:?}");
    }
}

#[test]
fn a_flipped_byte_in_the_header_never_denies_a_key() {
    let (places, _) = closed();
    let whole = fs::read(places.store()).unwrap();
    for at in 0..320 {
        let mut changed = whole.clone();
        changed[at] ^= 0x41;
        fs::write(places.store(), &changed).unwrap();
        no_key_is_denied(&places, &format!("byte {at} of the header"));
    }
}

// rule: HS-36
#[test]
fn a_record_that_does_not_open_is_damage_and_not_none() {
    let (places, _) = closed();
    let database = Database::open(places.store()).unwrap();
    let record = database.begin_read().unwrap().open_table(KEYS).unwrap().get(2).unwrap().unwrap();
    let other = record.value().to_vec();
    drop(record); // pages that somebody reads cannot be freed
    let transaction = database.begin_write().unwrap();
    transaction.open_table(KEYS).unwrap().insert(1, other.as_slice()).unwrap();
    transaction.open_table(KEYS).unwrap().insert(3, &other[..100]).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let store = places.open().unwrap();
    let loaded = wait(store.load(&ids(&[1, 2, 3])));
    let damaged = |id| Unavailable::Damaged(AuthKeyId(id));
    assert_eq!(loaded[0].as_ref().err(), Some(&damaged(1)));
    assert!(same(loaded[1].as_ref().unwrap().as_ref().unwrap(), &perm(2)));
    assert_eq!(loaded[2].as_ref().err(), Some(&damaged(3)));
    assert!(damaged(3).to_string().contains("0000000000000003"));
    assert_eq!(wait(store.insert(vec![perm(1)])), [Ok(Inserted::Taken)], "its id is not free");
    assert_eq!(wait(store.list(Some(AuthKeyId(2)), 1)), Err(damaged(3)));
    assert!(wait(store.revoke(AuthKeyId(3))).unwrap(), "it can be removed");
}

#[test]
fn a_half_made_store_of_a_crash_is_in_nobodys_way() {
    let places = Places::new();
    fs::create_dir(places.store().parent().unwrap()).unwrap();
    fs::write(places.root().join("data/keys.redb.0011223344556677.new"), [0; 100]).unwrap();
    let store = EmbeddedStore::open(&places.store(), &places.source(), Box::new(OsRandom)).unwrap();
    assert_eq!(wait(store.insert(vec![perm(1)])), [Ok(Inserted::Stored)]);
}

#[test]
fn the_files_are_open_to_nobody_else() {
    let (places, key) = closed();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&places.store()), mode(&key)), (0o600, 0o600));
    assert_eq!((mode(&places.root().join("data")), mode(key.parent().unwrap())), (0o700, 0o700));
}
