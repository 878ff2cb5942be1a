//! Keys that server and clients both know from their numbers, so that no figure waits for handshakes it is not about.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use dayfly_core::keys::requests::{
    BindOutcome, BindRequest, KeyRecord, Lifetime, StoreOutcome, StoreRequest, Ticket,
};
use dayfly_crypto::AuthKey;
use dayfly_crypto::digest::sha256;
use dayfly_store::{KeyStore, Keys, TempKeys};

/// How long a planted temporary key lives, in seconds: longer than any figure takes.
const LIFE: u64 = 86_400;
/// The salt of every planted key.
pub(crate) const SALT: i64 = 0x5a17;
/// Keys that are planted with one request to the store.
const AT_ONCE: u32 = 1000;

/// Which of the two keys of a client.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    Permanent,
    Temporary,
}

/// The key of the client of this number.
pub(crate) fn key(which: Which, number: u32) -> Arc<AuthKey> {
    let name: &[u8] = match which {
        Which::Permanent => b"permanent",
        Which::Temporary => b"temporary",
    };
    let mut bytes = [0; 256];
    for (block, part) in (0_u8..).zip(bytes.chunks_exact_mut(32)) {
        part.copy_from_slice(&sha256(&[name, &number.to_le_bytes(), &[block]]));
    }
    Arc::new(AuthKey::take(&mut bytes))
}

/// The Unix second now.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Keeps the permanent keys of clients 0 to `count`.
///
/// # Errors
/// If the store does not take one.
pub(crate) async fn permanent<K: KeyStore, T: TempKeys>(keys: &Keys<K, T>, count: u32) -> Result<()> {
    insert(keys, Which::Permanent, count).await
}

/// Keeps the temporary keys of clients 0 to `count`, each bound to its permanent key.
///
/// # Errors
/// If the store does not take one.
pub(crate) async fn temporary<K: KeyStore, T: TempKeys>(keys: &Keys<K, T>, count: u32) -> Result<()> {
    insert(keys, Which::Temporary, count).await?;
    let bind = |number| {
        StoreRequest::Bind(BindRequest {
            temp: key(Which::Temporary, number).id(),
            perm: key(Which::Permanent, number).id(),
            expires_at: unix_now() + LIFE,
            capacity: 1,
        })
    };
    for outcome in perform(keys, count, bind).await {
        ensure!(
            matches!(outcome, StoreOutcome::Bind(BindOutcome::Bound { .. })),
            "a planted key was not bound"
        );
    }
    Ok(())
}

async fn insert<K: KeyStore, T: TempKeys>(keys: &Keys<K, T>, which: Which, count: u32) -> Result<()> {
    for outcome in perform(keys, count, |number| StoreRequest::Insert(record(which, number))).await {
        ensure!(matches!(outcome, StoreOutcome::Inserted), "a planted key was not taken");
    }
    Ok(())
}

async fn perform<K: KeyStore, T: TempKeys>(
    keys: &Keys<K, T>,
    count: u32,
    request: impl Fn(u32) -> StoreRequest,
) -> Vec<StoreOutcome> {
    let numbers: Vec<u32> = (0..count).collect();
    let mut outcomes = Vec::new();
    for some in numbers.chunks(AT_ONCE as usize) {
        let requests = some.iter().map(|number| (Ticket(u64::from(*number)), request(*number))).collect();
        let some = keys.perform(requests, unix_now()).await;
        outcomes.extend(some.into_iter().map(|(_, outcome)| outcome));
    }
    outcomes
}

fn record(which: Which, number: u32) -> KeyRecord {
    let key = key(which, number);
    let created_at = unix_now();
    let lifetime = match which {
        Which::Permanent => Lifetime::Permanent,
        Which::Temporary => Lifetime::Temporary { expires_at: created_at + LIFE },
    };
    KeyRecord { id: key.id(), key, lifetime, dc: 2, created_at, first_salt: SALT, bound_to: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_two_keys_of_its_own() {
        let ids: std::collections::BTreeSet<_> = (0..50)
            .flat_map(|number| [Which::Permanent, Which::Temporary].map(|which| key(which, number).id()))
            .collect();
        assert_eq!(ids.len(), 100);
        assert_eq!(key(Which::Temporary, 7).id(), key(Which::Temporary, 7).id());
    }
}
