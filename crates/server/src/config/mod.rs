//! What an operator may set, read from TOML. A wrong file is refused with the line, the key and what is expected there.

mod backend;
mod check;
mod error;
mod files;
mod limits;
mod read;
mod reference;
mod reload;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dayfly_core::transport::ProxySecret;
use serde::Deserialize;

use crate::proxy::Network;

pub use backend::Backend;
pub use error::ConfigError;
pub use limits::{Keys, Limits};

/// Everything that can be set; what a file leaves out has its default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    #[serde(deserialize_with = "read::socket_address")]
    pub listen: SocketAddr,
    /// Where to listen as well.
    #[serde(deserialize_with = "read::socket_addresses")]
    pub listen_also: Vec<SocketAddr>,
    /// The address that `help.getConfig` names to clients; the one listened on, unless it is set.
    pub advertise: Option<SocketAddr>,
    /// Secrets of MTProxies whose clients are taken too, each `dd` and 16 bytes in hexadecimal (rule TR-03).
    #[serde(deserialize_with = "read::proxy_secrets")]
    pub proxy_secrets: Vec<Arc<ProxySecret>>,
    /// More listeners, for balancers that put a PROXY protocol header in front of each connection (rule TR-08).
    pub proxy: Vec<ProxyListener>,
    /// Where the RSA key and the store of permanent keys are kept.
    pub data_dir: PathBuf,
    /// The RSA keys, in the order in which they are offered; the one in the data directory, unless some are listed.
    pub rsa_keys: Vec<RsaKey>,
    /// The id of this DC, 1 to 9999.
    pub dc: u16,
    /// Whether this is a test server: clients then add 10000 to the dc.
    pub test: bool,
    /// Only this DC's ids are taken in `p_q_inner_data*_dc`; another one gets -444 (rule HS-14).
    pub strict_dc: bool,
    /// A CDN DC: `auth.bindTempAuthKey` gets CDN_METHOD_INVALID, and a temporary key that is not bound may call what the back
    /// end serves (rule PF-24).
    pub cdn: bool,
    /// What old clients need and nobody else should have.
    pub allow: Vec<Allow>,
    /// How many temporary keys a permanent key may have in its main slot at once (rule PF-10).
    pub tmp_sessions: usize,
    /// JSON lines of what happened, without secrets.
    pub event_log: Option<PathBuf>,
    /// How long a stopping server goes on answering what it owes, in seconds.
    pub drain_seconds: u64,
    /// Served on the same addresses, with HTTP and WebSocket inside; without it a ClientHello is refused.
    pub tls: Option<Tls>,
    /// The operator's side.
    pub admin: Admin,
    /// What answers calls; without it the server refuses all but `help.getConfig` and `help.getNearestDc`.
    pub backend: Option<Backend>,
    /// Where the key that seals the store comes from.
    pub sealing: Sealing,
    /// Lifetimes of keys.
    pub keys: Keys,
    /// Bounds on what peers may take up.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4430)),
            listen_also: Vec::new(),
            advertise: None,
            proxy_secrets: Vec::new(),
            proxy: Vec::new(),
            data_dir: PathBuf::from("dayfly-data"),
            rsa_keys: Vec::new(),
            dc: 2,
            test: false,
            strict_dc: false,
            cdn: false,
            allow: Vec::new(),
            tmp_sessions: 1,
            event_log: None,
            drain_seconds: 5,
            tls: None,
            admin: Admin::default(),
            backend: None,
            sealing: Sealing::default(),
            keys: Keys::default(),
            limits: Limits::default(),
        }
    }
}

/// An RSA key of the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RsaKey {
    /// The private key, in PEM.
    pub file: PathBuf,
    /// Whether the scheme before RSA_PAD is taken under it too (rule HS-13).
    #[serde(default)]
    pub old_rsa: bool,
}

/// A listener on which a PROXY protocol header is required; without one, or from elsewhere, a connection is closed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ProxyListener {
    /// Where to listen.
    #[serde(deserialize_with = "read::socket_address")]
    pub listen: SocketAddr,
    /// From where balancers connect; nobody else may.
    #[serde(deserialize_with = "read::networks")]
    pub networks: Vec<Network>,
}

/// The certificate and key of TLS, in PEM.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, and those between it and the authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The operator's side: metrics, health, the admin page. There is none unless it listens.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Where to listen; anywhere but on a loopback address with TLS alone.
    #[serde(deserialize_with = "read::some_socket_address")]
    pub listen: Option<SocketAddr>,
    /// The token's file, of mode 0600; `admin.token` in the data directory, unless it is set.
    pub token_file: Option<PathBuf>,
    /// The names and addresses under which browsers and programs ask for it, beside those of the loopback interface.
    #[serde(deserialize_with = "read::hosts")]
    pub hosts: Vec<String>,
    /// Its certificate and key.
    pub tls: Option<Tls>,
}

/// What old clients need.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Allow {
    /// Calls under a permanent key, without forward secrecy (rule PF-23): Telethon, gramjs, grammers.
    NoPfs,
    /// The RSA scheme before RSA_PAD (rule HS-13): Telethon, Pyrogram, gogram.
    OldRsa,
}

/// Where the key that seals the store comes from: a file by default, or one of these.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Sealing {
    /// A file of mode 0600 with the key, outside the data directory.
    pub file: Option<PathBuf>,
    /// The name of a systemd credential.
    pub credential: Option<String>,
    /// An open file descriptor from which the key is read at the start.
    pub descriptor: Option<i32>,
}

impl Config {
    /// Reads `path`.
    ///
    /// # Errors
    /// [`ConfigError`], which names file, line and what is expected.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a file; `path` is for messages only.
    ///
    /// # Errors
    /// [`ConfigError`], which names file, line and what is expected.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|wrong| {
            let line = error::line_at(text, wrong.span().map_or(0, |span| span.start));
            ConfigError::Wrong { path: path.to_owned(), line, message: error::in_words(wrong.message()) }
        })?;
        check::check(&config, text, path)?;
        Ok(config)
    }

    /// What is wrong with the setting `key`, such as `backend.ca`, of the file at `path`: for what is found out only when the
    /// setting is used.
    #[must_use]
    pub fn wrong(path: &Path, key: &str, message: String) -> ConfigError {
        // A file that has gone since it was read has no lines.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        ConfigError::Wrong { path: path.to_owned(), line: error::line_of(&text, key), message }
    }

    /// Whether `what` is allowed.
    #[must_use]
    pub fn allows(&self, what: Allow) -> bool {
        self.allow.contains(&what)
    }
}
