//! How long a payload may be.

use super::ProxySecret;

/// The longest payload that a client may send: 1 MiB (rule TR-06).
pub const MAX_FROM_CLIENT: usize = 1 << 20;

/// The longest payload that a server may send: 2 MiB, since Android takes no more (rule TR-06).
pub const MAX_FROM_SERVER: usize = 2 << 20;

/// The longest plain message, one whose `auth_key_id` is 0, with its 20 bytes of header: 4 KiB (rule TR-06).
pub const MAX_PLAIN: usize = 4 << 10;

/// What a server takes. Shared by all its connections.
///
/// The lengths count payloads: the envelope and the padding of padded intermediate come on top.
#[derive(Debug)]
pub struct Limits {
    /// The longest payload, in bytes.
    pub max_frame: usize,
    /// The longest plain message, in bytes.
    pub max_plain: usize,
    /// With which secrets a proxy's clients may obfuscate. Obfuscation without a secret is taken in any case.
    pub proxy_secrets: Vec<ProxySecret>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_frame: MAX_FROM_CLIENT, max_plain: MAX_PLAIN, proxy_secrets: Vec::new() }
    }
}
