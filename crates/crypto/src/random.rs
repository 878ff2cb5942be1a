//! Where random bytes come from.

/// The source failed; nothing may be made of what it left behind.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct RandomError;

/// A source of cryptographically strong random bytes.
///
/// Two methods, so that a test can script what is seen on the wire, and a reviewer can see which bytes are secret. An
/// implementation draws from the operating system for each use: a buffered generator would hold bytes in memory that
/// become, or were, somebody's key.
pub trait SecureRandom {
    /// Fills `out` with bytes that go on the wire in the clear: nonces, padding, msg_id jitter.
    ///
    /// # Errors
    /// [`RandomError`] if the source failed; `out` must not be used then.
    fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError>;

    /// Fills `out` with bytes that stay secret: `new_nonce`, exponents, keys.
    ///
    /// # Errors
    /// [`RandomError`] if the source failed; `out` must not be used then.
    fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError>;
}
