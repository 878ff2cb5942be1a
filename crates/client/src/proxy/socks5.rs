//! SOCKS5: asks a proxy for a connection, with a user name and a password if it has any. The proxy looks hosts up.
//!
//! Source: RFC 1928, and RFC 1929 for the log-in.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::{ProxyError, checked_address, decoded};

const VERSION: u8 = 5;
/// The version of the log-in, which has one of its own.
const LOGIN_VERSION: u8 = 1;
const NO_LOGIN: u8 = 0;
const BY_PASSWORD: u8 = 2;
const NO_WAY: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const HOST: u8 = 3;
const IPV6: u8 = 4;

/// A SOCKS5 proxy.
#[derive(Clone)]
pub struct Socks5 {
    address: String,
    login: Option<Arc<Login>>,
}

struct Login {
    user: Zeroizing<Vec<u8>>,
    password: Zeroizing<Vec<u8>>,
}

/// Why a proxy gave no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Socks5Error {
    /// The proxy itself cannot be reached.
    #[error("the proxy cannot be reached: {0}")]
    Unreachable(io::Error),
    /// The connection to the proxy ended, or failed.
    #[error("the proxy hung up: {0}")]
    HungUp(#[from] io::Error),
    /// Something else listens there.
    #[error("no SOCKS5 proxy: its first byte is {0}, expected 5")]
    Version(u8),
    /// It wants a log-in, and there is none.
    #[error("the proxy wants a user name and a password, or a log-in that is not supported")]
    LoginNeeded,
    /// The user name or the password is wrong.
    #[error("the proxy refused the user name or the password")]
    LoginRefused,
    /// The address is none that can be asked for.
    #[error("no address that a proxy could connect to, expected HOST:PORT with a host of at most 255 bytes")]
    Target,
    /// It answered with this code of RFC 1928, section 6.
    #[error("the proxy gave no connection: {}", said(*.0))]
    Refused(u8),
}

impl Socks5 {
    /// The proxy that listens at `host` and `port` and asks for no log-in.
    ///
    /// # Errors
    /// [`ProxyError::Address`].
    pub fn new(host: &str, port: u16) -> Result<Self, ProxyError> {
        Ok(Self { address: checked_address(host, &port.to_string())?, login: None })
    }

    /// The same proxy, with a user name and a password of 1 to 255 bytes each.
    ///
    /// # Errors
    /// [`ProxyError::Login`].
    pub fn with_login(self, user: &[u8], password: &[u8]) -> Result<Self, ProxyError> {
        if [user, password].iter().any(|bytes| !(1..=255).contains(&bytes.len())) {
            return Err(ProxyError::Login);
        }
        let [user, password] = [user, password].map(|bytes| Zeroizing::new(bytes.to_vec()));
        Ok(Self { login: Some(Arc::new(Login { user, password })), ..self })
    }

    /// Reads `[USER:PASSWORD@]HOST:PORT`.
    pub(super) fn from_authority(text: &str) -> Result<Self, ProxyError> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (login, address) =
            text.rsplit_once('@').map_or((None, text), |(login, rest)| (Some(login), rest));
        let (host, port) = address.rsplit_once(':').ok_or(ProxyError::Address)?;
        if host.contains(':') && !host.starts_with('[') {
            return Err(ProxyError::Address);
        }
        let proxy = Self { address: checked_address(host, port)?, login: None };
        let Some(login) = login else { return Ok(proxy) };
        let (user, password) = login.split_once(':').ok_or(ProxyError::Login)?;
        proxy.with_login(&decoded(user)?, &decoded(password)?)
    }

    /// Where it listens: `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks for a connection to `target`, `HOST:PORT`; what comes on `stream` afterwards comes from there.
    pub(crate) async fn lead<S>(&self, stream: &mut S, target: &str) -> Result<(), Socks5Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let request = request(target).ok_or(Socks5Error::Target)?;
        let ways: &[u8] = if self.login.is_some() { &[NO_LOGIN, BY_PASSWORD] } else { &[NO_LOGIN] };
        let count = u8::try_from(ways.len()).unwrap_or(NO_WAY);
        stream.write_all(&[&[VERSION, count], ways].concat()).await?;
        match (read_after_version(stream).await?, &self.login) {
            (NO_LOGIN, _) => {}
            (BY_PASSWORD, Some(login)) => log_in(stream, login).await?,
            _ => return Err(Socks5Error::LoginNeeded),
        }
        stream.write_all(&request).await?;
        match read_after_version(stream).await? {
            0 => skip_address(stream).await,
            code => Err(Socks5Error::Refused(code)),
        }
    }
}

impl fmt::Debug for Socks5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = self.login.is_some();
        f.debug_struct("Socks5").field("address", &self.address).field("login", &login).finish()
    }
}

async fn log_in(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    login: &Login,
) -> Result<(), Socks5Error> {
    let mut words = Zeroizing::new(Vec::with_capacity(3 + 255 + 255));
    words.push(LOGIN_VERSION);
    for word in [&login.user, &login.password] {
        words.push(u8::try_from(word.len()).unwrap_or(u8::MAX)); // 255 at most, `with_login` sees to it
        words.extend_from_slice(word);
    }
    stream.write_all(&words).await?;
    let [_version, code] = read(stream).await?;
    if code == 0 { Ok(()) } else { Err(Socks5Error::LoginRefused) }
}

/// The bytes that ask for a connection to `HOST:PORT`.
fn request(target: &str) -> Option<Vec<u8>> {
    let (host, port) = target.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let mut request = vec![VERSION, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len()).ok().filter(|length| *length > 0)?;
            request.extend([HOST, length]);
            request.extend(host.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    Some(request)
}

/// The byte behind that of the version.
async fn read_after_version(stream: &mut (impl AsyncRead + Unpin)) -> Result<u8, Socks5Error> {
    let [version] = read(stream).await?;
    if version != VERSION {
        return Err(Socks5Error::Version(version));
    }
    let [byte] = read(stream).await?;
    Ok(byte)
}

/// Reads past the address that the proxy connects from, which nobody needs, and not a byte further.
async fn skip_address(stream: &mut (impl AsyncRead + Unpin)) -> Result<(), Socks5Error> {
    let [_reserved, kind] = read(stream).await?;
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        _ => {
            let [length] = read(stream).await?;
            usize::from(length)
        }
    };
    let mut address_and_port = vec![0; length + 2];
    stream.read_exact(&mut address_and_port).await?;
    Ok(())
}

async fn read<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> Result<[u8; N], Socks5Error> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn said(code: u8) -> String {
    match code {
        1 => "a general failure",
        2 => "its rules do not allow it",
        3 => "the network is unreachable",
        4 => "the host is unreachable",
        5 => "the server refused the connection",
        6 => "the time to live ran out",
        7 => "it does not make connections",
        8 => "it does not take this kind of address",
        _ => return format!("code {code}"),
    }
    .to_owned()
}
