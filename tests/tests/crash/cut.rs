//! The server's disk forgets at the cut what was not synced.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Instant;

use dayfly_core::handshake::client::Created;
use dayfly_core::keys::kind::KeyKind;
use dayfly_server::OsRandom;
use dayfly_store::EmbeddedStore;
use dayfly_testkit::SeededRandom;

use crate::disk::Disk;
use crate::exchange::{Exchange, TEMP, is_known, still_binds};
use crate::server::{runtime, sealing, start};

const CUTS: u64 = 25;
/// Exchanges side by side before each cut.
const PERMS: usize = 6;
const TEMPS: usize = 2;
/// No cut comes later: more than opening the store and keeping the keys changes, so that some lives end uncut.
const MOST_CHANGES: u64 = 100;

fn open(disk: &Disk, directory: &Path) -> Option<EmbeddedStore> {
    let path = directory.join("data/keys.redb");
    EmbeddedStore::open_with_backend(disk.clone(), &path, &sealing(directory), Box::new(OsRandom)).ok()
}

/// Keys that clients were told of.
#[derive(Default)]
struct Told {
    perms: Vec<Created>,
    temps: Vec<Created>,
}

/// Makes keys until the power is cut; an exchange whose answer does not come by then has none.
fn make_keys(address: SocketAddr, disk: &Disk, random: &mut SeededRandom) -> Told {
    let is_gone = || disk.is_cut();
    let kinds = [KeyKind::Perm; PERMS].into_iter().chain([TEMP; TEMPS]);
    let keys: Vec<Option<Created>> = thread::scope(|scope| {
        let make = |kind| {
            let seed = random.next_u64();
            scope.spawn(move || Exchange { address, kind, seed, is_gone: &is_gone }.run(|_| ()))
        };
        let running: Vec<_> = kinds.map(make).collect();
        running.into_iter().map(|exchange| exchange.join().unwrap()).collect()
    });
    let (perms, temps) = keys.into_iter().flatten().partition(|key| key.kind == KeyKind::Perm);
    Told { perms, temps }
}

/// What a server makes of the content of a disk: how many of `keys` it lost, and its clean end.
async fn lost_of(content: Vec<u8>, directory: &Path, keys: &Told) -> (usize, Vec<u8>) {
    let disk = Disk::new(content, usize::MAX);
    let server = start(open(&disk, directory).expect("the store opens after a cut")).await;
    let mut lost = 0;
    for key in &keys.perms {
        lost += usize::from(!still_binds(server.address(), key).await);
    }
    for key in &keys.temps {
        assert!(!is_known(server.address(), key), "a temporary key outlived its server");
    }
    server.shut_down().await;
    (lost, disk.cut())
}

/// One life of a server from `content` to a cut at a random point: what was told, and what is left.
async fn live_and_die(content: Vec<u8>, directory: &Path, random: &mut SeededRandom) -> (Told, Vec<u8>) {
    let disk = Disk::new(content, random.below(MOST_CHANGES) as usize);
    let Some(store) = open(&disk, directory) else { return (Told::default(), disk.cut()) };
    let server = start(store).await;
    let told = make_keys(server.address(), &disk, random);
    let left = disk.cut();
    server.shut_down().await;
    (told, left)
}

/// A store without keys, made in full.
fn made(directory: &Path) -> Vec<u8> {
    let disk = Disk::new(Vec::new(), usize::MAX);
    drop(open(&disk, directory).unwrap());
    disk.cut()
}

// rule: PF-01, PF-17
#[test]
fn a_power_cut_takes_no_permanent_key_that_was_told_of() {
    let begun = Instant::now();
    let directory = tempfile::tempdir().unwrap();
    let mut random = SeededRandom::new(0xD15C);
    let mut all = Told::default();
    let mut content = made(directory.path());
    runtime().block_on(async {
        for cut in 0..CUTS {
            let (told, left) = live_and_die(content, directory.path(), &mut random).await;
            let (lost, clean) = lost_of(left, directory.path(), &told).await;
            assert_eq!(lost, 0, "keys lost by cut {cut}");
            content = clean;
            all.perms.extend(told.perms);
            all.temps.extend(told.temps);
        }
        assert_eq!(lost_of(content, directory.path(), &all).await.0, 0, "keys lost by a later cut");
    });
    let (perms, temps) = (all.perms.len(), all.temps.len());
    let most = CUTS as usize * PERMS;
    assert!(perms >= 20 && perms + 20 <= most, "the cuts are not spread: {perms} of {most}");
    dayfly_tests::tell(&format!(
        "crash: {CUTS} power cuts in {} exchanges; {perms} permanent keys told of, all kept; {temps} temporary keys told \
         of, none kept; {:.1} s",
        CUTS as usize * (PERMS + TEMPS),
        begun.elapsed().as_secs_f64()
    ));
}

/// The other way round: of a disk that forgets what was synced, the same look finds what is lost.
#[test]
fn a_disk_that_lies_is_found_out() {
    let directory = tempfile::tempdir().unwrap();
    let content = made(directory.path());
    runtime().block_on(async {
        let disk = Disk::new(content.clone(), usize::MAX);
        let server = start(open(&disk, directory.path()).unwrap()).await;
        let exchange =
            Exchange { address: server.address(), kind: KeyKind::Perm, seed: 5, is_gone: &|| false };
        let told = Told { perms: vec![exchange.run(|_| ()).unwrap()], temps: Vec::new() };
        server.shut_down().await;
        assert_eq!(lost_of(disk.cut(), directory.path(), &told).await.0, 0);
        assert_eq!(lost_of(content, directory.path(), &told).await.0, 1);
    });
}
