//! Raw RSA: keys in and out, and the two bare operations. No padding scheme lives here.

mod handle;
mod private;
mod public;

pub use private::RsaPrivateKey;
pub use public::RsaPublicKey;

/// Bytes of a block: keys that compute have moduli of exactly 2048 bits.
const BLOCK: usize = 256;
