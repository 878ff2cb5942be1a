//! Every way in which this crate refuses.

use crate::RandomError;
use crate::dh::DhError;
use crate::pq::PqError;
use crate::rsa_key::KeyError;

/// Why something was refused. The narrow errors of single functions all turn into this one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// AES-IGE works on whole blocks.
    #[error("{0} bytes are not a multiple of 16")]
    NotBlocks(usize),
    /// Our own misuse: the data is longer than the padding scheme takes.
    #[error("{len} bytes of data, at most {max} fit")]
    DataTooLong {
        /// Bytes given.
        len: usize,
        /// Bytes that fit.
        max: usize,
    },
    /// The block of RSA is not one that this key can have made, or its hash is wrong. On purpose without detail.
    #[error("the encrypted data is refused")]
    Refused(#[from] Refused),
    /// See [`PqError`].
    #[error(transparent)]
    Pq(#[from] PqError),
    /// See [`DhError`].
    #[error(transparent)]
    Dh(#[from] DhError),
    /// See [`KeyError`].
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The source of randomness failed, or repeats itself.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The big-number library refused.
    #[error(transparent)]
    Arithmetic(#[from] dayfly_modexp::Error),
}

/// Which check of an RSA-encrypted block failed. For logs and tests: the peer is told the same in every case.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Not 256 bytes. Rule HS-12.
    #[error("the encrypted data has not 256 bytes")]
    Length,
    /// Not below the modulus. Rule HS-12.
    #[error("the encrypted data is not below the modulus")]
    NotBelowModulus,
    /// The SHA256 of RSA_PAD is wrong. Rule HS-12.
    #[error("the hash inside the encrypted data is wrong")]
    Hash,
    /// The library could not do its part.
    #[error("the encrypted data could not be processed")]
    Internal,
}
