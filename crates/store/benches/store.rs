//! What the store costs, each figure beside its bar.
//!
//! `cargo bench -p dayfly-store` prints figures of its own first (memory of a temporary key; opening, also after a crash,
//! and looking up with a million permanent keys), then what divan measures.
#![allow(clippy::print_stdout, missing_docs)]

use std::{
    fs,
    future::Future,
    hint::black_box,
    path::Path,
    sync::{Arc, OnceLock},
    time::Instant,
};

use dayfly_core::keys::requests::{BindRequest, KeyRecord, Lifetime};
use dayfly_crypto::{AuthKey, AuthKeyId};
use dayfly_store::{EmbeddedStore, KeyStore, OsRandom, RamTempKeys, SealingSource, TempKeys, TempLimits};

fn main() {
    figure_of_memory();
    figures_of_opening();
    divan::main();
    stores().remove(); // nothing drops a static
}

/// One more than a hash table of 2^17 places takes: the worst moment.
const TEMP_KEYS: u64 = (1 << 17) / 8 * 7 + 1;
const MILLION: u64 = 1_000_000;

fn figure(what: &str, value: f64, bar: f64, unit: &str) {
    let verdict = if value <= bar { "within" } else { "OVER" };
    println!("{what:<60} {value:>9.1} {unit:<3} bar {bar:>6} {unit:<3} {verdict}");
}

fn figure_of_memory() {
    let keys = RamTempKeys::new(TempLimits::default());
    let before = resident();
    (1..=TEMP_KEYS).for_each(|number| insert_and_bind(&keys, number));
    let bytes = (resident() - before) as f64 / TEMP_KEYS as f64;
    figure("a live, bound temporary key with its table entries", bytes, 640.0, "B");
}

fn figures_of_opening() {
    let killed = stores().million.killed();
    let started = Instant::now();
    drop(black_box(killed.open()));
    figure("opening 1,000,000 permanent keys after a crash, and closing", millis(started), 300.0, "ms");
    fs::remove_dir_all(killed.root.path()).expect("removed");
    let started = Instant::now();
    let store = stores().million.open();
    figure("the same after a clean end", millis(started), 300.0, "ms");
    let mut look_ups: Vec<f64> = (0..20_000).map(|number| time_of_look_up(&store, number)).collect();
    look_ups.sort_by(f64::total_cmp);
    figure("looking one of them up, median of 20,000", look_ups[10_000] * 1000.0, 20.0, "µs");
}

fn time_of_look_up(store: &EmbeddedStore, number: u64) -> f64 {
    let started = Instant::now();
    black_box(wait(store.load(&[spread(number * 49 % MILLION)])));
    millis(started)
}

fn millis(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1000.0
}

fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("this bench needs /proc");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("pages");
    pages * 4096
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let make = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    RUNTIME.get_or_init(make).block_on(future)
}

/// Spreads consecutive numbers as hashes are spread.
fn spread(number: u64) -> AuthKeyId {
    AuthKeyId((number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn record(number: u64, lifetime: Lifetime) -> KeyRecord {
    KeyRecord {
        key: Arc::new(AuthKey::copy_of(&[number as u8; 256])),
        id: spread(number),
        lifetime,
        dc: 2,
        created_at: 1000,
        first_salt: 0,
        bound_to: None,
    }
}

fn insert_and_bind(keys: &RamTempKeys, number: u64) {
    let lifetime = Lifetime::Temporary { expires_at: 100_000 + number % 86_400 };
    wait(keys.insert(record(number, lifetime), 1000)).expect("kept");
    let perm = AuthKeyId(spread(number).0 ^ 0x5555);
    let request = BindRequest { temp: spread(number), perm, expires_at: 200_000, capacity: 1 };
    wait(keys.bind(request, 1000)).expect("bound");
}

struct Stored {
    root: tempfile::TempDir,
}

impl Stored {
    fn with(keys: u64) -> Self {
        let stored = Self { root: tempfile::tempdir().expect("a directory") };
        let store = stored.open();
        for from in (0..keys).step_by(20_000) {
            let batch = (from..keys.min(from + 20_000)).map(|number| record(number, Lifetime::Permanent));
            wait(store.insert(batch.collect())).iter().for_each(|told| assert!(told.is_ok()));
        }
        stored
    }

    fn open(&self) -> EmbeddedStore {
        open(self.root.path())
    }

    /// A copy taken while the store is open, with its last commit made: what a crash leaves.
    fn killed(&self) -> Self {
        let (store, copy) = (self.open(), Self { root: tempfile::tempdir().expect("a directory") });
        let far = record(1 << 40, Lifetime::Permanent);
        assert!(wait(store.insert(vec![far]))[0].is_ok());
        for file in ["data/keys.redb".into(), format!("sealing/{}.key", store.id())] {
            let to = copy.root.path().join(&file);
            fs::create_dir_all(to.parent().expect("a parent")).expect("a directory");
            fs::copy(self.root.path().join(&file), &to).expect("copied");
            fs::File::open(to).and_then(|copy| copy.sync_all()).expect("on the disk, as the original is");
        }
        copy
    }
}

fn open(root: &Path) -> EmbeddedStore {
    let source = SealingSource::Directory(root.join("sealing"));
    EmbeddedStore::open(&root.join("data/keys.redb"), &source, Box::new(OsRandom)).expect("a store")
}

struct Stores {
    hundred_thousand: Stored,
    million: Stored,
}

impl Stores {
    fn remove(&self) {
        for stored in [&self.hundred_thousand, &self.million] {
            fs::remove_dir_all(stored.root.path()).expect("removed");
        }
    }
}

fn stores() -> &'static Stores {
    static STORES: OnceLock<Stores> = OnceLock::new();
    STORES.get_or_init(|| Stores { hundred_thousand: Stored::with(100_000), million: Stored::with(MILLION) })
}

#[divan::bench(args = [100_000, MILLION])]
fn look_up(bencher: divan::Bencher<'_, '_>, keys: u64) {
    let stored = if keys == MILLION { &stores().million } else { &stores().hundred_thousand };
    let store = stored.open();
    let mut number = 0;
    bencher.bench_local(|| {
        number = (number + 49_999) % keys;
        wait(store.load(&[spread(number)]))
    });
}

#[divan::bench(args = [1, 16, 256], sample_count = 20)]
fn insert_batch_into_100k(bencher: divan::Bencher<'_, '_>, batch: u64) {
    insert_batches(bencher, &stores().hundred_thousand, batch);
}

#[divan::bench(args = [1, 256], sample_count = 20)]
fn insert_batch_into_1m(bencher: divan::Bencher<'_, '_>, batch: u64) {
    insert_batches(bencher, &stores().million, batch);
}

fn insert_batches(bencher: divan::Bencher<'_, '_>, stored: &Stored, batch: u64) {
    let store = stored.open();
    let mut next = 10 * MILLION + batch * MILLION;
    bencher
        .with_inputs(|| {
            next += batch;
            (next..next + batch).map(|number| record(number, Lifetime::Permanent)).collect::<Vec<_>>()
        })
        .bench_local_values(|records| wait(store.insert(records)));
}

#[divan::bench]
fn find_temporary_among_100k(bencher: divan::Bencher<'_, '_>) {
    let keys = RamTempKeys::new(TempLimits::default());
    (0..100_000).for_each(|number| insert_and_bind(&keys, number));
    let mut number = 0;
    bencher.bench_local(|| {
        number = (number + 49_999) % 100_000;
        wait(keys.find(&[spread(number)], 2000))
    });
}
