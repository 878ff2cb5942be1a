//! What an operator may set, read from TOML. A wrong file is refused with the line, the key and what is expected there.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dayfly_core::transport::ProxySecret;
use serde::{Deserialize, Deserializer, de};
use toml::de::DeTable;
use zeroize::Zeroizing;

use crate::proxy::Network;

/// Everything that can be set; what a file leaves out has its default.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    #[serde(deserialize_with = "socket_address")]
    pub listen: SocketAddr,
    /// Where to listen as well.
    #[serde(deserialize_with = "socket_addresses")]
    pub listen_also: Vec<SocketAddr>,
    /// The address that `help.getConfig` names to clients; the one listened on, unless it is set.
    pub advertise: Option<SocketAddr>,
    /// Secrets of MTProxies whose clients are taken too, each `dd` and 16 bytes in hexadecimal (rule TR-03).
    #[serde(deserialize_with = "proxy_secrets")]
    pub proxy_secrets: Vec<Arc<ProxySecret>>,
    /// More listeners, for balancers that put a PROXY protocol header in front of each connection (rule TR-08).
    pub proxy: Vec<ProxyListener>,
    /// Where the RSA key and the store of permanent keys are kept.
    pub data_dir: PathBuf,
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
            dc: 2,
            test: false,
            strict_dc: false,
            cdn: false,
            allow: Vec::new(),
            tmp_sessions: 1,
            event_log: None,
            drain_seconds: 5,
            tls: None,
            sealing: Sealing::default(),
            keys: Keys::default(),
            limits: Limits::default(),
        }
    }
}

/// A listener on which a PROXY protocol header is required; without one, or from elsewhere, a connection is closed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyListener {
    /// Where to listen.
    #[serde(deserialize_with = "socket_address")]
    pub listen: SocketAddr,
    /// From where balancers connect; nobody else may.
    #[serde(deserialize_with = "networks")]
    pub networks: Vec<Network>,
}

/// The certificate and key of TLS, in PEM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, and those between it and the authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
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
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sealing {
    /// A file of mode 0600 with the key, outside the data directory.
    pub file: Option<PathBuf>,
    /// The name of a systemd credential.
    pub credential: Option<String>,
    /// An open file descriptor from which the key is read at the start.
    pub descriptor: Option<i32>,
}

/// Lifetimes of keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// The longest life of a temporary key, in seconds (rule PF-25).
    pub temp_seconds: u32,
    /// How long a temporary key may stay unbound, in seconds (rule PF-25).
    pub unbound_seconds: u32,
    /// After how many days a permanent key that nothing was ever bound to goes (rule PF-26).
    pub unused_days: u32,
    /// How many bits the server's exponent `a` has (rule HS-21).
    pub exponent_bits: usize,
}

impl Default for Keys {
    fn default() -> Self {
        Self { temp_seconds: 172_800, unbound_seconds: 3600, unused_days: 7, exponent_bits: 2048 }
    }
}

/// Bounds on what peers may take up.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Open connections; one more is closed without a word, since it has no framing yet to say -429 in.
    pub connections: usize,
    /// Handshakes begun and not finished, in all.
    pub unfinished_handshakes: usize,
    /// Private-key operations a minute for one address (an IPv6 one by its /64); beyond it -429 (rule HS-35).
    pub handshakes_per_address: u32,
    /// The largest encrypted frame, in bytes (rule TR-06).
    pub frame_bytes: usize,
    /// How much the memory of finished handshakes may take, in bytes (rule HS-31).
    pub answer_memory_bytes: usize,
    /// How many temporary keys are kept at once (rule PF-25).
    pub temp_keys: usize,
    /// Seconds that a connection may stay silent before its first frame.
    pub first_frame_seconds: u64,
    /// Seconds that the back end may take for a call; after it 500 BACKEND_TIMEOUT.
    pub call_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            unfinished_handshakes: 20_000,
            handshakes_per_address: 600,
            frame_bytes: 1 << 20,
            answer_memory_bytes: 64 << 20,
            temp_keys: 1_000_000,
            first_frame_seconds: 60,
            call_seconds: 30,
        }
    }
}

/// A file that is not a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("{}:{line}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there and what is expected.
        message: String,
    },
    /// A value has the right form and makes no sense.
    #[error("{}:{line}: {key} is {value}, expected {expected}", path.display())]
    OutOfRange {
        /// The file.
        path: PathBuf,
        /// The line on which the value stands, counted from 1.
        line: usize,
        /// The key, with its table.
        key: &'static str,
        /// What stands there.
        value: String,
        /// What is expected.
        expected: &'static str,
    },
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
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = line_at(text, error.span().map_or(0, |span| span.start));
            ConfigError::Wrong { path: path.to_owned(), line, message: in_words(error.message()) }
        })?;
        config.check(text, path)?;
        Ok(config)
    }

    fn check(&self, text: &str, path: &Path) -> Result<(), ConfigError> {
        let sources = [
            self.sealing.file.is_some(),
            self.sealing.credential.is_some(),
            self.sealing.descriptor.is_some(),
        ];
        let rows: [(&'static str, bool, String, &'static str); 11] = [
            ("dc", (1..10_000).contains(&self.dc), self.dc.to_string(), "1 to 9999"),
            ("tmp_sessions", self.tmp_sessions >= 1, self.tmp_sessions.to_string(), "at least 1"),
            (
                "sealing",
                sources.iter().filter(|&&set| set).count() <= 1,
                "set in more than one way".to_owned(),
                "one of file, credential, descriptor",
            ),
            (
                "sealing.descriptor",
                self.sealing.descriptor.is_none_or(|number| number >= 0),
                self.sealing.descriptor.unwrap_or_default().to_string(),
                "the number of an open descriptor, such as 3",
            ),
            (
                "keys.temp_seconds",
                self.keys.temp_seconds >= 1,
                self.keys.temp_seconds.to_string(),
                "at least 1",
            ),
            (
                "keys.exponent_bits",
                (256..=2048).contains(&self.keys.exponent_bits) && self.keys.exponent_bits.is_multiple_of(8),
                self.keys.exponent_bits.to_string(),
                "256 to 2048, a multiple of 8",
            ),
            (
                "limits.connections",
                self.limits.connections >= 1,
                self.limits.connections.to_string(),
                "at least 1",
            ),
            (
                "limits.unfinished_handshakes",
                self.limits.unfinished_handshakes >= 1,
                self.limits.unfinished_handshakes.to_string(),
                "at least 1",
            ),
            (
                "limits.frame_bytes",
                (4096..=1 << 24).contains(&self.limits.frame_bytes),
                self.limits.frame_bytes.to_string(),
                "4096 to 16777216",
            ),
            ("limits.temp_keys", self.limits.temp_keys >= 1, self.limits.temp_keys.to_string(), "at least 1"),
            (
                "limits.call_seconds",
                (1..=3600).contains(&self.limits.call_seconds),
                self.limits.call_seconds.to_string(),
                "1 to 3600",
            ),
        ];
        for (key, right, value, expected) in rows {
            if !right {
                let (path, line) = (path.to_owned(), line_of(text, key));
                return Err(ConfigError::OutOfRange { path, line, key, value, expected });
            }
        }
        Ok(())
    }

    /// Whether `what` is allowed.
    #[must_use]
    pub fn allows(&self, what: Allow) -> bool {
        self.allow.contains(&what)
    }
}

/// An address and a port; whoever leaves out the port is told so.
fn socket_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    parse_address(&String::deserialize(deserializer)?)
}

fn socket_addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parse_address(text)).collect()
}

fn parse_address<E: de::Error>(text: &str) -> Result<SocketAddr, E> {
    text.parse().map_err(|_| {
        de::Error::custom(format!(
            "{text:?} is no address to listen on, expected one such as \"127.0.0.1:4430\""
        ))
    })
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Network>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    if texts.is_empty() {
        return Err(de::Error::custom("no network is named, expected those of the balancers"));
    }
    let network = |text: &String| {
        text.parse().map_err(|_| {
            let expected = "expected one such as \"10.0.0.0/8\" or \"fd00::/8\"";
            de::Error::custom(format!("{text:?} is no network, {expected}"))
        })
    };
    texts.iter().map(network).collect()
}

/// What is wrong with a secret does not repeat it.
fn proxy_secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Arc<ProxySecret>>, D::Error> {
    let texts = Zeroizing::new(Vec::<String>::deserialize(deserializer)?);
    let secret = |text: &String| {
        proxy_secret(text).map(Arc::new).ok_or_else(|| {
            de::Error::custom("no secret of a proxy, expected dd and 32 more hexadecimal digits")
        })
    };
    texts.iter().map(secret).collect()
}

fn proxy_secret(text: &str) -> Option<ProxySecret> {
    let digits = text.strip_prefix("dd")?;
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 16]);
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    Some(ProxySecret::take(&mut bytes))
}

/// The line, counted from 1, in which the byte `at` stands.
fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count() + 1
}

/// The line on which the value of `key` stands, with its table in front: `keys.temp_seconds`.
fn line_of(text: &str, key: &str) -> usize {
    let find = || {
        let file = DeTable::parse(text).ok()?;
        let mut segments = key.split('.');
        let mut value = file.get_ref().get(segments.next()?)?;
        for segment in segments {
            value = value.get_ref().get(segment)?;
        }
        Some(value.span().start)
    };
    line_at(text, find().unwrap_or(0))
}

/// The parser's message on one line, with the ranges of Rust's integers written out.
fn in_words(message: &str) -> String {
    let message = message.replace('\n', " ");
    let ranges = [
        (" expected usize", " expected a number that is not negative"),
        (" expected u64", " expected a number that is not negative"),
        (" expected u32", " expected a number from 0 to 4294967295"),
        (" expected u16", " expected a number from 0 to 65535"),
    ];
    ranges.iter().fold(message, |message, (of_rust, plain)| message.replace(of_rust, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Config::parse(text, Path::new("dayfly.toml")).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_the_default() {
        let config = Config::parse("", Path::new("dayfly.toml")).unwrap();
        assert_eq!(config.listen, Config::default().listen);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let message = refusal("dc = 1\nlisten_on = \"127.0.0.1:1\"\n");
        assert!(
            message.starts_with("dayfly.toml:2: unknown field `listen_on`, expected one of `listen`"),
            "{message}"
        );
    }

    #[test]
    fn a_wrong_type_is_named_with_its_line() {
        let message = refusal("\n[limits]\nconnections = \"many\"\n");
        assert!(message.starts_with("dayfly.toml:3: invalid type: string \"many\""), "{message}");
    }

    #[test]
    fn an_unknown_allowance_lists_those_there_are() {
        let message = refusal("allow = [\"everything\"]");
        assert!(message.contains("expected `no-pfs` or `old-rsa`"), "{message}");
    }

    #[test]
    fn a_value_out_of_range_says_the_range() {
        assert_eq!(
            refusal("dc = 1\n[keys]\nexponent_bits = 100"),
            "dayfly.toml:3: keys.exponent_bits is 100, expected 256 to 2048, a multiple of 8"
        );
        assert_eq!(refusal("\ndc = 0"), "dayfly.toml:2: dc is 0, expected 1 to 9999");
        assert!(
            refusal("[sealing]\ndescriptor = -1").starts_with("dayfly.toml:2: sealing.descriptor is -1,")
        );
    }

    #[test]
    fn a_number_that_no_field_can_hold_is_told_what_one_can() {
        assert_eq!(
            refusal("[limits]\nconnections = -1"),
            "dayfly.toml:2: invalid value: integer `-1`, expected a number that is not negative"
        );
    }

    #[test]
    fn an_address_without_a_port_is_told_what_one_looks_like() {
        assert_eq!(
            refusal("dc = 1\nlisten = \"localhost\""),
            "dayfly.toml:2: \"localhost\" is no address to listen on, expected one such as \"127.0.0.1:4430\""
        );
        assert!(refusal("listen_also = [\"[::1]:1\", \"::1\"]").contains("\"::1\" is no address"));
    }

    // rule: TR-08
    #[test]
    fn a_listener_for_balancers_names_its_networks() {
        let text = "[[proxy]]\nlisten = \"[::1]:4431\"\nnetworks = [\"10.0.0.0/8\", \"::1\"]";
        let config = Config::parse(text, Path::new("dayfly.toml")).unwrap();
        let networks: Vec<String> = config.proxy[0].networks.iter().map(Network::to_string).collect();
        assert_eq!(
            (config.proxy[0].listen.port(), networks),
            (4431, vec!["10.0.0.0/8".into(), "::1/128".into()])
        );
        let listen = "[[proxy]]\nlisten = \"127.0.0.1:1\"\n";
        assert_eq!(refusal(listen), "dayfly.toml:1: missing field `networks`");
        assert_eq!(
            refusal(&format!("{listen}networks = []")),
            "dayfly.toml:3: no network is named, expected those of the balancers"
        );
        assert_eq!(
            refusal(&format!("{listen}networks = [\"10.0.0.0/40\"]")),
            "dayfly.toml:3: \"10.0.0.0/40\" is no network, expected one such as \"10.0.0.0/8\" or \"fd00::/8\""
        );
    }

    // rule: TR-03
    #[test]
    fn a_proxy_secret_is_read_and_never_shown() {
        let digits = "000102030405060708090a0b0c0d0eFf";
        let config =
            Config::parse(&format!("proxy_secrets = [\"dd{digits}\"]"), Path::new("dayfly.toml")).unwrap();
        assert_eq!(
            config.proxy_secrets[0].expose(),
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]
        );
        assert!(!format!("{config:?}").contains("0a0b"));
        for wrong in [digits, "dd00", &format!("ee{digits}"), &format!("dd{}", digits.replace("00", "+0"))] {
            let message = refusal(&format!("dc = 1\nproxy_secrets = [\"{wrong}\"]"));
            assert_eq!(
                message,
                "dayfly.toml:2: no secret of a proxy, expected dd and 32 more hexadecimal digits"
            );
        }
    }

    #[test]
    fn tls_wants_both_files() {
        assert_eq!(refusal("[tls]\ncertificate = \"a.pem\""), "dayfly.toml:1: missing field `key`");
    }

    #[test]
    fn two_sources_of_the_sealing_key_are_refused() {
        let message = refusal("[sealing]\nfile = \"a\"\ndescriptor = 3");
        assert!(message.contains("expected one of file, credential, descriptor"), "{message}");
    }
}
