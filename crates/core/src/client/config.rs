//! What a client is told before it starts.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use dayfly_crypto::AuthKey;
use dayfly_crypto::dh::GroupCache;
use dayfly_crypto::rsa_key::PublicKey;
use dayfly_tl::{api, to_bytes};

use crate::handshake::client::Patience;
use crate::keys::rotation::RotationPolicy;
use crate::transport::{Kind, Obfuscation};

/// A client of one DC.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The RSA keys that are trusted.
    pub keys: Arc<[PublicKey]>,
    /// The DC: 10000 added on test servers, negative for a media DC.
    pub dc: i32,
    /// The transport of every connection.
    pub transport: Kind,
    /// How it is obfuscated.
    pub obfuscation: Arc<Obfuscation>,
    /// How long a temporary key shall live, in seconds.
    pub expires_in: u32,
    /// When the next one is made.
    pub rotation: RotationPolicy,
    /// What is told of the client after each binding (rule PF-11).
    pub info: ClientInfo,
    /// The length of b in bits: 2048; tests may take less.
    pub exponent_bits: usize,
    /// DH groups that are known to be good, shared by the handshakes of a process.
    pub groups: GroupCache,
    /// How long a handshake waits, and how often.
    pub patience: Patience,
    /// How long everything else waits.
    pub delays: Delays,
}

/// How long a client waits before it tries again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Delays {
    /// The first delay of a series; it doubles, with jitter.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
    /// How long a binding waits for the calls in flight under the key before it (rule PF-13).
    pub drain: Duration,
    /// How long answers owed under a replaced key are waited for before their calls are sent again.
    pub grace: Duration,
    /// How old a permanent key is before ENCRYPTED_MESSAGE_INVALID means that it is lost (rule PF-12).
    pub young_key: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            grace: Duration::from_secs(10),
            young_key: Duration::from_secs(60),
        }
    }
}

/// What `initConnection` says of the client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientInfo {
    /// The layer of the API that the client speaks.
    pub layer: i32,
    /// The application's id.
    pub api_id: i32,
    /// The device.
    pub device_model: String,
    /// Its system.
    pub system_version: String,
    /// The application's version.
    pub app_version: String,
    /// The language of the application, such as `en`.
    pub lang_code: String,
}

impl ClientInfo {
    /// `query`, a whole TL function, inside `invokeWithLayer(initConnection(…))`: the form of a client's first call, by which a
    /// server learns who calls. TL bytes.
    #[must_use]
    pub fn introduce(&self, query: &[u8]) -> Vec<u8> {
        let init = to_bytes(&api::InitConnection {
            api_id: self.api_id,
            device_model: self.device_model.as_bytes(),
            system_version: self.system_version.as_bytes(),
            app_version: self.app_version.as_bytes(),
            system_lang_code: self.lang_code.as_bytes(),
            lang_pack: b"",
            lang_code: self.lang_code.as_bytes(),
            proxy: None,
            params: None,
            query,
        });
        to_bytes(&api::InvokeWithLayer { layer: self.layer, query: &init })
    }
}

impl Default for ClientInfo {
    fn default() -> Self {
        Self {
            layer: api::LAYER,
            api_id: 1,
            device_model: "dayfly".to_owned(),
            system_version: core::env!("CARGO_PKG_VERSION").to_owned(),
            app_version: core::env!("CARGO_PKG_VERSION").to_owned(),
            lang_code: "en".to_owned(),
        }
    }
}

impl ClientConfig {
    /// The defaults, for DC 2 of the server that has one of `keys`.
    #[must_use]
    pub fn new(keys: Arc<[PublicKey]>) -> Self {
        Self {
            keys,
            dc: 2,
            transport: Kind::Intermediate,
            obfuscation: Arc::new(Obfuscation::Plain),
            expires_in: 86_400,
            rotation: RotationPolicy::default(),
            info: ClientInfo::default(),
            exponent_bits: 2048,
            groups: GroupCache::default(),
            patience: Patience::default(),
            delays: Delays::default(),
        }
    }
}

/// A permanent key as a caller keeps it between runs.
#[derive(Clone)]
pub struct SavedKey {
    /// The key.
    pub key: Arc<AuthKey>,
    /// Unix second of its creation by the server's clock: the 60 seconds of rule PF-12 count from it.
    pub created_at: u64,
    /// The DC it was made with.
    pub dc: i32,
}

/// Without the key.
impl fmt::Debug for SavedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created_at, dc, .. } = self;
        f.debug_struct("SavedKey").field("created_at", created_at).field("dc", dc).finish_non_exhaustive()
    }
}
