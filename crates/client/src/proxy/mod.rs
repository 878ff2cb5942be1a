//! Proxies on the way to a DC: SOCKS5, and MTProxy with a secret that is shared with it.

mod mtproxy;
mod socks5;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

pub use self::mtproxy::MtProxy;
pub use self::socks5::{Socks5, Socks5Error};

/// A proxy, read from `socks5://[USER:PASSWORD@]HOST:PORT` or from an MTProxy's link `tg://proxy?server=..&port=..&secret=..`.
///
/// Neither [`Debug`](fmt::Debug) nor [`Display`](fmt::Display) shows its password or secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Proxy {
    /// Leads to any address; learns it, and nothing of what is said there.
    Socks5(Socks5),
    /// Leads to the DC that the client names by its id.
    Mt(MtProxy),
}

/// Why a proxy cannot be used. Nothing of a password or a secret is in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The text is no proxy's.
    #[error(
        "no proxy, expected socks5://[USER:PASSWORD@]HOST:PORT or tg://proxy?server=HOST&port=PORT&secret=SECRET"
    )]
    Scheme,
    /// Source: RFC 1928 and 3986.
    #[error(
        "the proxy has no address, expected HOST:PORT with a port from 1 to 65535 (an IPv6 host in brackets)"
    )]
    Address,
    /// The length fields of RFC 1929 are one byte each.
    #[error("the proxy's user name and password have to be of 1 to 255 bytes each")]
    Login,
    /// A `%` that stands for nothing.
    #[error("a % in the proxy is not followed by two hexadecimal digits (%25 stands for % itself)")]
    Percent,
    /// A link lacks a part, or has it twice.
    #[error("the proxy's link needs one `{0}=`")]
    Part(&'static str),
    /// The secret has a form that no MTProxy gives out.
    #[error("the proxy's secret is none, expected 16 bytes, or dd and 16 bytes, in hexadecimal or base64url")]
    Secret,
    /// The secret begins with `ee`.
    #[error(
        "the proxy's secret begins with ee: fake TLS is not supported, secrets of 16 bytes and those that begin with dd are"
    )]
    FakeTls,
    /// Rule TR-03: the full transport has no tag.
    #[error("an MTProxy takes no full transport: it has no obfuscated form")]
    Full,
    /// Two bytes of the init are for the id of the DC.
    #[error("an MTProxy cannot be asked for dc {0}, expected an id from -32768 to 32767")]
    Dc(i32),
}

impl Proxy {
    /// Where the proxy listens: `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Socks5(proxy) => proxy.address(),
            Self::Mt(proxy) => proxy.address(),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Socks5(_) => "SOCKS5 proxy",
            Self::Mt(_) => "MTProxy",
        };
        write!(f, "the {kind} at {}", self.address())
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        // socks5h is what curl calls a proxy that looks the host up by itself, which this one always does.
        for prefix in ["socks5://", "socks5h://"] {
            if let Some(rest) = text.strip_prefix(prefix) {
                return Socks5::from_authority(rest).map(Self::Socks5);
            }
        }
        for prefix in ["tg://proxy?", "https://t.me/proxy?"] {
            if let Some(rest) = text.strip_prefix(prefix) {
                return MtProxy::from_query(rest).map(Self::Mt);
            }
        }
        Err(ProxyError::Scheme)
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Result<Zeroizing<Vec<u8>>, ProxyError> {
    // Never grown, so that no copy of a password stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                bytes.push(from_hex(*high, *low)?);
                tail
            }
            (b'%', _) => return Err(ProxyError::Percent),
            (byte, tail) => {
                bytes.push(*byte);
                tail
            }
        };
    }
    Ok(bytes)
}

fn from_hex(high: u8, low: u8) -> Result<u8, ProxyError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low).ok_or(ProxyError::Percent)
}

/// `HOST:PORT` in one form, if it is one: an IPv6 host stands in brackets.
fn checked_address(host: &str, port: &str) -> Result<String, ProxyError> {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let strange = |c: char| c.is_whitespace() || c.is_control() || "/@?#[]".contains(c);
    let port: u16 = port.parse().map_err(|_| ProxyError::Address)?;
    if host.is_empty() || host.contains(strange) || port == 0 {
        return Err(ProxyError::Address);
    }
    Ok(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}
