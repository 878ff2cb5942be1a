//! Ten kinds of `req_DH_params` that are wrong inside of RSA only: whoever can tell two of them apart has a padding oracle.

use dayfly_tl::mtproto::PQInnerDataDc;

use super::exchange::Exchange;
use crate::dice::Dice;
use crate::verdict::Outcome;

/// What is wrong inside.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    Random,
    Hash,
    Inverted,
    Constructor,
    Cut,
    TooFarBack,
    Nonce,
    ServerNonce,
    Factors,
    Expiry,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Random,
        Self::Hash,
        Self::Inverted,
        Self::Constructor,
        Self::Cut,
        Self::TooFarBack,
        Self::Nonce,
        Self::ServerNonce,
        Self::Factors,
        Self::Expiry,
    ];

    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Random => "random bytes below the modulus",
            Self::Hash => "one bit of the SHA256 wrong",
            Self::Inverted => "every bit of the data and of its SHA256 wrong",
            Self::Constructor => "an unknown constructor, hashed right",
            Self::Cut => "inner data cut after 40 bytes, hashed right",
            Self::TooFarBack => "inner data beyond the first 144 bytes, hashed right",
            Self::Nonce => "another nonce, hashed right",
            Self::ServerNonce => "another server_nonce, hashed right",
            Self::Factors => "other factors, hashed right",
            Self::Expiry => "expires_in 0, hashed right",
        }
    }

    /// A whole `req_DH_params` of this kind.
    pub(crate) fn query(self, run: &Exchange, dice: &mut Dice) -> Outcome<Vec<u8>> {
        let encrypted = self.encrypted(run, dice)?;
        Ok(run.req_dh_params(&encrypted, |_| {}))
    }

    fn encrypted(self, run: &Exchange, dice: &mut Dice) -> Outcome<[u8; 256]> {
        let right = run.inner(|_| {});
        let after = |change: fn(&mut PQInnerDataDc<'_>)| run.inner(change);
        match self {
            Self::Random => {
                let mut bytes: [u8; 256] = dice.bytes();
                // The top byte of a modulus is 80 at least.
                bytes[0] &= 0x7f;
                Ok(bytes)
            }
            // In the block the reversed data come first, and then the hash.
            Self::Hash => run.rsa_pad_with(&right, dice, flip_last),
            Self::Inverted => {
                run.rsa_pad_with(&right, dice, |block| block.iter_mut().for_each(|byte| *byte = !*byte))
            }
            Self::Constructor => {
                run.rsa_pad(&[&[0xff; 4], right.get(4..).unwrap_or_default()].concat(), dice)
            }
            Self::Cut => run.rsa_pad(right.get(..40).unwrap_or_default(), dice),
            Self::TooFarBack => {
                // Factors with leading zeros are the same integers, and 60 bytes longer.
                let long = [&[0; 60][..], &run.p].concat();
                run.rsa_pad(&run.inner(|inner| inner.p = &long), dice)
            }
            Self::Nonce => run.rsa_pad(&after(|inner| inner.nonce[0] ^= 1), dice),
            Self::ServerNonce => run.rsa_pad(&after(|inner| inner.server_nonce[0] ^= 1), dice),
            Self::Factors => run.rsa_pad(&run.inner(|inner| inner.p = inner.q), dice),
            Self::Expiry => run.rsa_pad(&run.inner_temp(0, |_| {}), dice),
        }
    }
}

fn flip_last(block: &mut [u8]) {
    if let Some(byte) = block.last_mut() {
        *byte ^= 1;
    }
}
