//! Lifetimes of keys, and bounds on what peers may take up.

use serde::Deserialize;

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
    /// Open connections; one more is closed without a word, since it has no framing yet to say -429 in. Unset, as many as
    /// the process may open files, less a few for everything else.
    pub connections: Option<usize>,
    /// Handshakes begun and not finished, for one address (an IPv6 one by its /64).
    pub unfinished_per_address: usize,
    /// Handshakes begun and not finished, in all.
    pub unfinished_handshakes: usize,
    /// Private-key operations a minute for one address (an IPv6 one by its /64); beyond it -429 (rule HS-35).
    pub handshakes_per_address: u32,
    /// Costly jobs of the key exchange that may wait when a handshake asks for more; beyond it -429 (rule HS-35). 250 for each
    /// processor, unless it is set.
    pub crypto_queue: Option<usize>,
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
            connections: None,
            unfinished_per_address: 2_000,
            unfinished_handshakes: 20_000,
            handshakes_per_address: 600,
            crypto_queue: None,
            frame_bytes: 1 << 20,
            answer_memory_bytes: 64 << 20,
            temp_keys: 1_000_000,
            first_frame_seconds: 60,
            call_seconds: 30,
        }
    }
}
