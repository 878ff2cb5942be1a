//! What can be wrong with an operand, a batch or a key.

/// Why an operation was refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A modulus must be odd, above 2 and at most 8192 bits long.
    #[error("the modulus is even, below 3, or longer than 8192 bits")]
    Modulus,
    /// A base, or the input of an RSA operation, is not below the modulus.
    #[error("the operand is not below the modulus")]
    NotReduced,
    /// An exponent has no bytes.
    #[error("the exponent is empty")]
    EmptyExponent,
    /// A batch holds one to eight operations.
    #[error("a batch holds 1 to 8 operations")]
    BatchSize,
    /// A raw RSA operation was asked of a key that has not 2048 bits.
    #[error("raw RSA operations are for moduli of 2048 bits")]
    KeySize,
    /// The bytes are no DER encoding of the kind of key that was expected, or the key's numbers contradict each other.
    #[error("not a well-formed RSA key of the expected kind")]
    Key,
    /// The library could not do it: out of memory, or its own fault check failed.
    #[error("the big-number library failed")]
    Library,
}
