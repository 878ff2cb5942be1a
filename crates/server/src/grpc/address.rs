//! Where a back end listens.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tonic::transport::Uri;

/// The longest path of a Unix socket, in bytes: `sun_path` without its final zero.
const LONGEST_PATH: usize = 107;

/// Where a back end listens: `unix:/path`, `https://host:port`, or `http://127.0.0.1:port`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BackendAddress {
    /// A Unix socket; who may connect is told by the rights of the file.
    Unix(PathBuf),
    /// TLS with certificates on both sides.
    Tls {
        /// A name or an address, without brackets; the back end's certificate is for it.
        host: String,
        /// The port.
        port: u16,
    },
    /// Plain TCP to this machine.
    Plain(SocketAddr),
}

/// A text that is no [`BackendAddress`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no address of a back end, {expected}")]
pub struct NoBackendAddress {
    text: String,
    expected: &'static str,
}

const EXPECTED: &str =
    "expected one such as \"unix:/run/backend.sock\", \"https://10.0.0.5:7443\" or \"http://127.0.0.1:7080\"";

impl FromStr for BackendAddress {
    type Err = NoBackendAddress;

    fn from_str(text: &str) -> Result<Self, NoBackendAddress> {
        let address = match text.strip_prefix("unix:") {
            Some(path) => unix(path),
            None => over_tcp(text),
        };
        address.map_err(|expected| NoBackendAddress { text: text.to_owned(), expected })
    }
}

fn unix(path: &str) -> Result<BackendAddress, &'static str> {
    if !Path::new(path).is_absolute() {
        return Err("expected an absolute path after unix:");
    }
    if path.len() > LONGEST_PATH {
        return Err("expected a path of at most 107 bytes, which is what the system takes for a socket");
    }
    Ok(BackendAddress::Unix(path.into()))
}

fn over_tcp(text: &str) -> Result<BackendAddress, &'static str> {
    let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains(['@', '#']);
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    let (true, true, Some(host)) = (bare, known, uri.host().filter(|host| !host.is_empty())) else {
        return Err(EXPECTED);
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().filter(|port| *port != 0);
    let port = port.ok_or("expected a port, 1 to 65535, after the host")?;
    if uri.scheme_str() == Some("https") {
        return Ok(BackendAddress::Tls { host: host.to_owned(), port });
    }
    match host.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => Ok(BackendAddress::Plain(SocketAddr::new(ip, port))),
        _ => {
            Err("expected a loopback address such as 127.0.0.1 after http://, or https:// with certificates")
        }
    }
}

impl fmt::Display for BackendAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tls { host, port } if host.contains(':') => write!(f, "https://[{host}]:{port}"),
            Self::Tls { host, port } => write!(f, "https://{host}:{port}"),
            Self::Plain(address) => write!(f, "http://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_again() {
        for text in [
            "unix:/run/dayfly/backend.sock",
            "https://backend.example:7443",
            "https://[2001:db8::1]:7443",
            "http://127.0.0.1:7080",
            "http://[::1]:7080",
        ] {
            assert_eq!(text.parse::<BackendAddress>().unwrap().to_string(), text);
        }
        let named: BackendAddress = "https://[::1]:1/".parse().unwrap();
        assert_eq!(named, BackendAddress::Tls { host: "::1".into(), port: 1 });
    }

    #[test]
    fn anything_else_is_told_what_is_expected() {
        let long = format!("unix:/{}", "x".repeat(LONGEST_PATH));
        for (text, expected) in [
            ("unix:backend.sock", "expected an absolute path after unix:"),
            (&long, "expected a path of at most 107 bytes"),
            ("http://10.0.0.1:80", "expected a loopback address"),
            ("http://localhost:80", "expected a loopback address"),
            ("http://0.0.0.0:80", "expected a loopback address"),
            ("https://backend.example", "expected a port"),
            ("https://backend.example:0", "expected a port"),
            ("https://backend.example:70000", "expected a port, 1 to 65535, "),
            ("https://backend.example:1/path", "expected one such as"),
            ("https://user@backend.example:1", "expected one such as"),
            ("https://backend.example:1?a=b", "expected one such as"),
            ("ftp://backend.example:1", "expected one such as"),
            ("10.0.0.1:7443", "expected one such as"),
            ("backend.sock", "expected one such as"),
            ("", "expected one such as"),
        ] {
            let refused = text.parse::<BackendAddress>().unwrap_err();
            assert!(refused.expected.starts_with(expected), "{refused}");
        }
    }
}
