//! Where a sealing key may come from.

use std::{
    fs,
    io::{Seek, Write},
    os::fd::AsRawFd,
};

use dayfly_store::{Error, Inserted, KeyStore, SealingSource};

use crate::common::{Places, ids, perm, wait};

fn round_trip(places: &Places, source: &SealingSource) {
    let store = places.open_with(source).unwrap();
    assert_eq!(wait(store.insert(vec![perm(1)])), [Ok(Inserted::Stored)]);
    drop(store);
    let store = places.open_with(source).unwrap();
    assert!(wait(store.load(&ids(&[1])))[0].as_ref().unwrap().is_some());
}

#[test]
fn a_credential_seals_and_opens() {
    let places = Places::new();
    let directory = places.root().join("credentials");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("seal"), [3; 32]).unwrap();
    round_trip(&places, &SealingSource::Credential { directory, name: "seal".into() });
}

#[test]
fn a_missing_credential_is_named_and_no_store_is_made() {
    let places = Places::new();
    let source = SealingSource::Credential { directory: places.root().into(), name: "seal".into() };
    let error = places.open_with(&source).unwrap_err();
    assert!(matches!(error, Error::SealingKeyIo { .. }), "{error}");
    assert!(error.to_string().contains("credential seal"), "{error}");
    assert!(!places.store().exists());
    assert_eq!(fs::read_dir(places.root().join("data")).unwrap().count(), 0, "no half-made store stays");
}

#[test]
fn an_open_descriptor_seals_and_opens() {
    let places = Places::new();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&[4; 32]).unwrap();
    file.rewind().unwrap();
    round_trip(&places, &SealingSource::Descriptor(file.as_raw_fd().unsigned_abs()));
}

#[test]
fn a_descriptor_that_is_not_open_is_named() {
    let error = Places::new().open_with(&SealingSource::Descriptor(987_654)).unwrap_err();
    assert!(error.to_string().contains("descriptor 987654"), "{error}");
}

#[test]
fn the_default_key_is_named_by_the_store() {
    let places = Places::new();
    let store = places.open().unwrap();
    let file = places.root().join("sealing").join(format!("{}.key", store.id()));
    assert_eq!(fs::read(&file).unwrap().len(), 32);
    assert_eq!(places.source().place(&store.id()), file.display().to_string());
}
