//! The RSA step of the client, as something that can be replaced.

use dayfly_crypto::rsa_key::{Fingerprint, PublicKey};
use dayfly_crypto::{SecureRandom, rsa_pad};

use super::HandshakeError;

/// An RSA key that can encrypt inner data: [`PublicKey`] by RSA_PAD.
///
/// A trait for one reason: of recorded handshakes the `temp_key` of RSA_PAD is not known, so their `encrypted_data` can
/// be replayed but not recomputed.
pub trait Wrap {
    /// The name of the key in `resPQ` and `req_DH_params`.
    fn fingerprint(&self) -> Fingerprint;

    /// `encrypted_data` of the inner data: 256 big-endian bytes.
    ///
    /// # Errors
    /// [`HandshakeError::Random`] if the source of randomness failed, [`HandshakeError::Arithmetic`] otherwise.
    fn wrap(&self, data: &[u8], random: &mut dyn SecureRandom) -> Result<[u8; 256], HandshakeError>;
}

impl Wrap for PublicKey {
    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint()
    }

    /// Done inline and not as a job: the public exponent is small (e = 65537), which takes some 20 µs.
    fn wrap(&self, data: &[u8], random: &mut dyn SecureRandom) -> Result<[u8; 256], HandshakeError> {
        rsa_pad::wrap(data, self, random).map_err(|error| match error {
            dayfly_crypto::Error::Random(error) => error.into(),
            _ => HandshakeError::Arithmetic,
        })
    }
}
