//! Primes that were proven once.

use core::fmt;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::BYTES;
use super::group::Prime;

/// A bounded memory of proven primes, shared by all handshakes that have a clone of it (rule HS-18).
///
/// When it is full, the prime that was proven first is forgotten; a server that sends ever new primes costs a proof each
/// time, and no memory.
#[derive(Clone, Default)]
pub struct GroupCache(Arc<Mutex<VecDeque<Arc<Prime>>>>);

impl GroupCache {
    /// Primes remembered at most. Servers change theirs rarely, if ever.
    pub const CAPACITY: usize = 16;

    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many primes are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.with(|primes| primes.len())
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn find(&self, be: &[u8; BYTES]) -> Option<Arc<Prime>> {
        self.with(|primes| primes.iter().find(|prime| prime.be == *be).cloned())
    }

    pub(super) fn remember(&self, prime: Arc<Prime>) {
        self.with(|primes| {
            if primes.iter().any(|known| known.be == prime.be) {
                return;
            }
            if primes.len() >= Self::CAPACITY {
                primes.pop_front();
            }
            primes.push_back(prime);
        });
    }

    /// The list is whole after every statement that changes it, so a panic elsewhere does not make it unusable.
    fn with<R>(&self, work: impl FnOnce(&mut VecDeque<Arc<Prime>>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for GroupCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupCache({} primes)", self.len())
    }
}
