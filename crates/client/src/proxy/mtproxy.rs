//! MTProxy: the obfuscated transport, with keys that a shared secret goes into.
//!
//! Source: MTProto transports, "Transport obfuscation" (rule TR-03).

use std::fmt;
use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use dayfly_core::client::ClientConfig;
use dayfly_core::transport::{Kind, Obfuscation, ProxySecret};
use zeroize::Zeroizing;

use super::{ProxyError, checked_address, decoded};

/// The first byte of a secret that asks for padded packets.
const PADDED: u8 = 0xdd;
/// The first byte of a secret for fake TLS.
const FAKE_TLS: u8 = 0xee;

/// An MTProxy, and the secret that it gave out.
#[derive(Clone)]
pub struct MtProxy {
    address: String,
    secret: Arc<ProxySecret>,
    /// The secret says that packets are to be padded.
    padded: bool,
}

impl MtProxy {
    /// The proxy that listens at `host` and `port`; `secret` as it is handed out, in hexadecimal or base64url: 16 bytes, or
    /// `dd` and 16 bytes.
    ///
    /// # Errors
    /// [`ProxyError::Address`], [`ProxyError::Secret`], and [`ProxyError::FakeTls`] for a secret that begins with `ee`.
    pub fn new(host: &str, port: u16, secret: &str) -> Result<Self, ProxyError> {
        let address = checked_address(host, &port.to_string())?;
        let bytes = secret_bytes(secret)?;
        let (padded, bytes) = match bytes.as_slice() {
            [PADDED, rest @ ..] if rest.len() == 16 => (true, rest),
            [FAKE_TLS, rest @ ..] if rest.len() >= 16 => return Err(ProxyError::FakeTls),
            bytes => (false, bytes),
        };
        let mut copy = Zeroizing::new(<[u8; 16]>::try_from(bytes).map_err(|_| ProxyError::Secret)?);
        Ok(Self { address, secret: Arc::new(ProxySecret::take(&mut copy)), padded })
    }

    /// Reads what stands behind the `?` of a link.
    pub(super) fn from_query(query: &str) -> Result<Self, ProxyError> {
        let part = |name: &'static str| {
            let mut found = query
                .split('&')
                .filter_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
                .map(|(_, value)| value);
            let value = found.next().filter(|value| !value.is_empty() && found.next().is_none());
            let bytes = decoded(value.ok_or(ProxyError::Part(name))?)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| ProxyError::Part(name))?;
            Ok(Zeroizing::new(text.to_owned()))
        };
        let port = part("port")?.parse().map_err(|_| ProxyError::Address)?;
        Self::new(&part("server")?, port, &part("secret")?)
    }

    /// Where it listens: `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Makes a client speak to the proxy: obfuscated with its secret, padded if the secret says so, and with the id of the DC.
    pub(crate) fn prepare(&self, config: &mut ClientConfig) -> Result<(), ProxyError> {
        if self.padded {
            config.transport = Kind::Padded;
        } else if config.transport == Kind::Full {
            return Err(ProxyError::Full);
        }
        let dc = i16::try_from(config.dc).map_err(|_| ProxyError::Dc(config.dc))?;
        let mut copy = Zeroizing::new(*self.secret.expose());
        config.obfuscation = Arc::new(Obfuscation::Proxy { secret: ProxySecret::take(&mut copy), dc });
        Ok(())
    }
}

impl fmt::Debug for MtProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MtProxy").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Hexadecimal if it can be that, else base64url, whose padding may be there or not.
fn secret_bytes(text: &str) -> Result<Zeroizing<Vec<u8>>, ProxyError> {
    let bytes = if text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        hex::decode(text).map_err(|_| ProxyError::Secret)
    } else {
        Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).map_err(|_| ProxyError::Secret)
    };
    bytes.map(Zeroizing::new)
}
