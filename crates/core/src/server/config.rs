//! What an operator decides of the message side of a server.

use core::time::Duration;

use crate::keys::requests::Slot;

/// Policies and bounds of the endpoint; those of the key exchange are in [`crate::handshake::server::ServerConfig`].
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Whether calls under a permanent key are served (rule PF-23).
    pub allow_no_pfs: bool,
    /// Whether this is a CDN DC: nothing is bound, and an unbound temporary key may call what the back end serves (rule
    /// PF-24).
    pub cdn: bool,
    /// How many temporary keys a permanent key may have in its main slot (rule PF-10).
    pub tmp_sessions: usize,
    /// The same for a media DC.
    pub media_sessions: usize,
    /// The same for keys that were made without a dc: iOS makes a main and a media key so.
    pub sessions_without_dc: usize,
    /// How long the answers owed under a replaced key may still go out.
    pub grace: Duration,
    /// How long a frame waits for a store that cannot be asked (rule HS-36).
    pub store_patience: Duration,
    /// How long a connection may stay without a frame after it was opened.
    pub first_frame: Duration,
    /// How long a session without a connection is remembered.
    pub session_memory: Duration,
    /// Sessions of one key; the one longest without a message goes.
    pub sessions_per_key: usize,
    /// The largest encrypted frame, in bytes (rule TR-06).
    pub frame_bytes: usize,
    /// Calls that wait for the back end's answer, in all; beyond it 420 FLOOD_WAIT_1.
    pub calls: usize,
    /// How long the back end may take for a call; after it 500 BACKEND_TIMEOUT.
    pub call_deadline: Duration,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            allow_no_pfs: false,
            cdn: false,
            tmp_sessions: 1,
            media_sessions: 24,
            sessions_without_dc: 2,
            grace: Duration::from_secs(10),
            store_patience: Duration::from_secs(5),
            first_frame: Duration::from_secs(60),
            session_memory: Duration::from_secs(600),
            sessions_per_key: 64,
            frame_bytes: 1 << 20,
            calls: 100_000,
            call_deadline: Duration::from_secs(30),
        }
    }
}

impl EndpointConfig {
    /// How much of one connection is kept while its key is being looked up: frames are not read then, and a store that is
    /// silent must not let a peer fill the memory (rule TR-06).
    pub(super) fn parked_bytes(&self) -> usize {
        self.frame_bytes.saturating_mul(4)
    }

    /// How many temporary keys may share `slot`.
    #[must_use]
    pub fn capacity(&self, slot: Slot) -> usize {
        match slot.dc {
            0 => self.sessions_without_dc.max(self.tmp_sessions),
            dc if dc < 0 => self.media_sessions.max(1),
            _ => self.tmp_sessions.max(1),
        }
    }
}
