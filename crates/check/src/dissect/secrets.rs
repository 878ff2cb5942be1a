//! What opens sealed bytes: authorization keys, and the `new_nonce` of key exchanges.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use dayfly_crypto::{AesKeyIv, AuthKey, AuthKeyId, NewNonce, kdf};
use dayfly_tl::Reader;
use dayfly_tl::mtproto::{PQInnerDataDc, PQInnerDataPlain, PQInnerDataTemp, PQInnerDataTempDc};
use zeroize::Zeroizing;

/// Of each kind, the youngest so many are remembered.
const MOST: usize = 65_536;

/// The secrets of exchanges that may be looked into. Wiped when dropped; has no `Debug`.
#[derive(Default)]
pub struct Secrets {
    keys: Youngest<AuthKeyId, AuthKey>,
    by_nonce: Youngest<[u8; 16], Arc<Run>>,
    by_server_nonce: Youngest<[u8; 16], Arc<Run>>,
    inner: Youngest<[u8; 16], Zeroizing<Vec<u8>>>,
}

/// A key exchange whose `new_nonce` is known.
struct Run {
    server_nonce: [u8; 16],
    new_nonce: NewNonce,
}

impl Secrets {
    /// Takes an authorization key.
    pub fn learn_key(&mut self, key: AuthKey) {
        self.keys.insert(key.id(), key);
    }

    /// Takes the `new_nonce` of a key exchange.
    pub fn learn_new_nonce(&mut self, nonce: [u8; 16], server_nonce: [u8; 16], new_nonce: NewNonce) {
        let run = Arc::new(Run { server_nonce, new_nonce });
        self.by_nonce.insert(nonce, Arc::clone(&run));
        self.by_server_nonce.insert(server_nonce, run);
    }

    /// Takes a serialized `p_q_inner_data`, with whatever follows it; `false` if it is none of the four forms.
    pub fn learn_inner_data(&mut self, inner: &[u8]) -> bool {
        let Some((nonce, server_nonce, new_nonce)) = inner_nonces(inner) else { return false };
        self.learn_new_nonce(nonce, server_nonce, NewNonce::copy_of(new_nonce));
        self.inner.insert(server_nonce, Zeroizing::new(inner.to_vec()));
        true
    }

    pub(super) fn key(&self, id: AuthKeyId) -> Option<&AuthKey> {
        self.keys.get(&id)
    }

    /// The temporary AES key and IV of a run. Known by its `server_nonce`; by its `nonce` where that was altered.
    pub(super) fn tmp_aes(&self, nonce: &[u8; 16], server_nonce: &[u8; 16]) -> Option<AesKeyIv> {
        let run = self.by_server_nonce.get(server_nonce).or_else(|| self.by_nonce.get(nonce))?;
        Some(kdf::tmp_aes(&run.new_nonce, &run.server_nonce))
    }

    pub(super) fn inner_data(&self, server_nonce: &[u8; 16]) -> Option<&[u8]> {
        self.inner.get(server_nonce).map(|inner| inner.as_slice())
    }
}

/// `nonce`, `server_nonce` and `new_nonce`, which stand at the same place in all four forms of inner data.
pub(crate) fn inner_nonces(inner: &[u8]) -> Option<([u8; 16], [u8; 16], &[u8; 32])> {
    let mut reader = Reader::new(inner);
    if !INNER_DATA.contains(&reader.u32().ok()?) {
        return None;
    }
    for _ in ["pq", "p", "q"] {
        reader.bytes().ok()?;
    }
    Some((reader.int128().ok()?, reader.int128().ok()?, reader.int256().ok()?))
}

/// The four forms of inner data.
const INNER_DATA: [u32; 4] = [
    PQInnerDataDc::CONSTRUCTOR,
    PQInnerDataTempDc::CONSTRUCTOR,
    PQInnerDataPlain::CONSTRUCTOR,
    PQInnerDataTemp::CONSTRUCTOR,
];

/// A map that forgets its oldest entry when it is full.
struct Youngest<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V> Default for Youngest<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new() }
    }
}

impl<K: Copy + Eq + Hash, V> Youngest<K, V> {
    fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key, value).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_makes_room() {
        let mut map = Youngest::default();
        for key in 0..=MOST {
            map.insert(key, key);
        }
        map.insert(1, 7);
        assert_eq!((map.get(&0), map.get(&1), map.get(&MOST)), (None, Some(&7), Some(&MOST)));
        assert_eq!((map.entries.len(), map.order.len()), (MOST, MOST));
    }

    #[test]
    fn what_is_no_inner_data_is_not_taken() {
        let mut secrets = Secrets::default();
        let cut = PQInnerDataDc::CONSTRUCTOR.to_le_bytes();
        for wrong in [&[][..], &[1, 2, 3, 4], &cut] {
            assert!(!secrets.learn_inner_data(wrong));
        }
    }
}
