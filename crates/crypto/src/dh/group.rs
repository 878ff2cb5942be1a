//! The group: a safe prime of 2048 bits and a generator of its large subgroup.

use core::fmt;
use std::sync::Arc;

use dayfly_modexp::{Modulus, Pair, Results, is_safe_prime};

use super::{BYTES, DhError, GroupCache, PublicValue, known, padded, residue};
use crate::{AuthKey, Exponent, enforce, mutant};

/// A prime with its Montgomery constants.
pub(super) struct Prime {
    pub(super) be: [u8; BYTES],
    pub(super) modulus: Modulus,
}

impl Prime {
    fn new(be: [u8; BYTES]) -> Result<Self, DhError> {
        let modulus = Modulus::new(&be).map_err(|_| DhError::NotSafePrime)?;
        Ok(Self { be, modulus })
    }
}

/// A safe prime of 2048 bits and a generator g of its subgroup of prime order. Only the checks make one.
pub struct SafePrimeGroup {
    prime: Arc<Prime>,
    g: u8,
}

impl SafePrimeGroup {
    /// The published prime with g = 3: the only pair that every known client takes (rule HS-39).
    #[must_use]
    pub fn published() -> Arc<Self> {
        Arc::new(Self { prime: known::published(), g: 3 })
    }

    /// Makes all checks at once, the costly proof of an unknown prime too (some 150 ms). Where that must not happen, take
    /// [`Candidate::new`].
    ///
    /// # Errors
    /// As [`Candidate::new`] and [`Unproven::prove`].
    pub fn check(prime: &[u8], g: i32, cache: &GroupCache) -> Result<Arc<Self>, DhError> {
        match Candidate::new(prime, g, cache)? {
            Candidate::Proven(group) => Ok(group),
            Candidate::NeedsProof(unproven) => unproven.prove(cache),
        }
    }

    /// `dh_prime`, big-endian.
    #[must_use]
    pub fn prime(&self) -> &[u8; BYTES] {
        &self.prime.be
    }

    /// The generator, 2 to 7, as the `int` of TL.
    #[must_use]
    pub fn g(&self) -> i32 {
        i32::from(self.g)
    }

    /// The prime, ready for exponentiations.
    #[must_use]
    pub fn modulus(&self) -> &Modulus {
        &self.prime.modulus
    }

    /// g to each of one to eight secret exponents, each checked as the peer will check it (rule HS-20): for one that is out
    /// of range a new exponent must be drawn.
    ///
    /// # Errors
    /// [`dayfly_modexp::Error`] for a batch of a wrong size, or from the library.
    pub fn raise_generator(
        &self,
        exponents: &[&Exponent],
    ) -> Result<Vec<Result<PublicValue, DhError>>, dayfly_modexp::Error> {
        let base = [self.g];
        let pairs: Vec<_> =
            exponents.iter().map(|exponent| Pair { base: &base, exponent: exponent.expose() }).collect();
        let powers = self.prime.modulus.power(&pairs)?;
        Ok(powers.iter().map(|power| PublicValue::parse(power, self)).collect())
    }

    /// The peer's public value to our exponent, for one to eight exchanges: the authorization keys, exactly 256 bytes each
    /// (rule HS-24).
    ///
    /// # Errors
    /// As [`SafePrimeGroup::raise_generator`].
    pub fn shared_keys(
        &self,
        pairs: &[(&PublicValue, &Exponent)],
    ) -> Result<Vec<AuthKey>, dayfly_modexp::Error> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(value, secret)| Pair { base: value.bytes(), exponent: secret.expose() })
            .collect();
        Ok(auth_keys(&self.prime.modulus.power(&pairs)?))
    }
}

/// The big-number code pads on the left; a key without its leading zeros would begin at the wrong byte.
fn auth_keys(powers: &Results) -> Vec<AuthKey> {
    let mut keys = Vec::with_capacity(powers.len());
    for power in powers.iter() {
        let mut bytes = Box::new([0; BYTES]);
        let zeros = mutant!("HS-24.pad", 0, power.iter().take_while(|byte| **byte == 0).count());
        let digits = power.iter().skip(zeros);
        bytes.iter_mut().zip(digits).for_each(|(to, from)| *to = *from);
        keys.push(AuthKey::take(&mut bytes));
    }
    keys
}

impl fmt::Debug for SafePrimeGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SafePrimeGroup").field("g", &self.g).finish_non_exhaustive()
    }
}

/// A group whose cheap checks have passed.
#[derive(Debug)]
pub enum Candidate {
    /// The prime is in the table or in the cache.
    Proven(Arc<SafePrimeGroup>),
    /// Whether the prime is a safe one must be found out: a job, not for the thread that handles messages.
    NeedsProof(Unproven),
}

impl Candidate {
    /// Checks size and generator, and looks the prime up in the table and the cache. Leading zeros are allowed.
    ///
    /// # Errors
    /// [`DhError::PrimeSize`], [`DhError::GeneratorRange`], [`DhError::GeneratorNotResidue`].
    pub fn new(prime: &[u8], g: i32, cache: &GroupCache) -> Result<Self, DhError> {
        let be = padded(prime).ok_or(DhError::PrimeSize)?;
        enforce!("HS-18.size", be.first().is_some_and(|top| top & 0x80 != 0), DhError::PrimeSize);
        enforce!("HS-19.range", (2..=7).contains(&g), DhError::GeneratorRange);
        let g = u8::try_from(g).map_err(|_| DhError::GeneratorRange)?;
        enforce!("HS-19.residue", residue::is_residue(g, &be), DhError::GeneratorNotResidue);
        let known = if be == known::PUBLISHED { Some(known::published()) } else { cache.find(&be) };
        Ok(match known {
            Some(prime) => Self::Proven(Arc::new(SafePrimeGroup { prime, g })),
            None => Self::NeedsProof(Unproven { prime: Box::new(be), g }),
        })
    }
}

/// A prime of the right size, with a fitting generator, of which it is not known whether it is a safe prime.
pub struct Unproven {
    prime: Box<[u8; BYTES]>,
    g: u8,
}

impl Unproven {
    /// Proves the prime, and remembers it in `cache`.
    ///
    /// # Errors
    /// [`DhError::NotSafePrime`] if it is none, [`DhError::Internal`] if the library failed.
    pub fn prove(self, cache: &GroupCache) -> Result<Arc<SafePrimeGroup>, DhError> {
        enforce!("HS-18.prime", is_safe_prime(self.prime.as_slice())?, DhError::NotSafePrime);
        let prime = Arc::new(Prime::new(*self.prime)?);
        cache.remember(Arc::clone(&prime));
        Ok(Arc::new(SafePrimeGroup { prime, g: self.g }))
    }
}

impl fmt::Debug for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unproven").field("g", &self.g).finish_non_exhaustive()
    }
}
