//! What a live temporary key costs, measured at the process: alone in its binary, so that nothing else grows.

use std::{fs, sync::Arc};

use dayfly_core::keys::requests::{BindOutcome, BindRequest, KeyRecord, Lifetime};
use dayfly_crypto::{AuthKey, AuthKeyId};
use dayfly_store::{RamTempKeys, TempKeys, TempLimits};

/// One more than a hash table of 2^17 places takes: it has just doubled, so the cost of a key is at its worst.
const KEYS: u64 = (1 << 17) / 8 * 7 + 1;
/// Bytes of a page of memory.
const PAGE: u64 = 4096;

fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * PAGE
}

/// Spreads consecutive numbers as hashes are spread.
fn id(number: u64) -> AuthKeyId {
    AuthKeyId(number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn record(number: u64) -> KeyRecord {
    KeyRecord {
        key: Arc::new(AuthKey::copy_of(&[number as u8; 256])),
        id: id(number),
        lifetime: Lifetime::Temporary { expires_at: 100_000 + number % 86_400 },
        dc: 2,
        created_at: 1000,
        first_salt: 0,
        bound_to: None,
    }
}

// rule: PF-25
#[test]
fn a_bound_key_takes_no_more_than_it_is_counted_for() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let keys = RamTempKeys::new(TempLimits::default());
    let before = resident();
    for number in 1..=KEYS {
        runtime.block_on(keys.insert(record(number), 1000)).unwrap();
        let perm = AuthKeyId(id(number).0 ^ 0x5555);
        let request = BindRequest { temp: id(number), perm, expires_at: 200_000, capacity: 1 };
        let outcome = runtime.block_on(keys.bind(request, 1000)).unwrap();
        assert_eq!(outcome, BindOutcome::Bound { replaced: Vec::new() });
    }
    let bytes = (resident() - before) / KEYS;
    assert!(bytes > 256, "{bytes} B: the keys themselves are not in it");
    assert!(bytes <= TempLimits::BYTES_PER_KEY as u64, "{bytes} B a key");
}
