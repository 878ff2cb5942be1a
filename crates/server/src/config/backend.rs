//! The table `[backend]`.

use std::path::PathBuf;

use serde::Deserialize;

use super::read;
use crate::grpc::BackendAddress;

/// The back end that answers calls, in a process of its own, over gRPC.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// Where it listens.
    #[serde(deserialize_with = "read::backend_address")]
    pub address: BackendAddress,
    /// With `https://`: the certificates of the authorities that the back end's may come from, in PEM. No others count.
    pub ca: Option<PathBuf>,
    /// With `https://`: our certificate, and those between it and its authority, in PEM.
    pub certificate: Option<PathBuf>,
    /// With `https://`: the private key of our certificate, in PEM.
    pub key: Option<PathBuf>,
    /// Whether plain TCP to this machine, `http://127.0.0.1:port`, is wanted: any user of the machine can take that port.
    #[serde(default)]
    pub plain_tcp: bool,
    /// How many conversations run in parallel, each over a connection of its own; calls of one key go by one of them.
    #[serde(default = "streams")]
    pub streams: u32,
    /// How many calls of one stream may be without a word of the back end; one more gets 420 FLOOD_WAIT_1.
    #[serde(default = "calls_in_flight")]
    pub calls_in_flight: usize,
    /// How many calls of one stream the back end may put off.
    #[serde(default = "calls_later")]
    pub calls_later: usize,
    /// How many bytes of calls may wait for a back end that does not read, a stream; one more gets 420 FLOOD_WAIT_1.
    #[serde(default = "queue_bytes")]
    pub queue_bytes: usize,
    /// The longest message either way, in bytes. A longer call gets 400 BACKEND_CALL_TOO_LONG; a longer message of the back
    /// end ends its stream.
    #[serde(default = "message_bytes")]
    pub message_bytes: u32,
    /// How long the back end may say nothing, in seconds, though it is pinged after half of that; then the stream is closed and
    /// opened again.
    #[serde(default = "silence_seconds")]
    pub silence_seconds: u64,
    /// Whether `help.getConfig` and `help.getNearestDc` go to the back end too, and are not answered by the server.
    #[serde(default)]
    pub takes_config: bool,
}

impl Backend {
    /// The defaults, for a back end at `address`.
    #[must_use]
    pub fn at(address: BackendAddress) -> Self {
        Self {
            address,
            ca: None,
            certificate: None,
            key: None,
            plain_tcp: false,
            streams: streams(),
            calls_in_flight: calls_in_flight(),
            calls_later: calls_later(),
            queue_bytes: queue_bytes(),
            message_bytes: message_bytes(),
            silence_seconds: silence_seconds(),
            takes_config: false,
        }
    }
}

fn streams() -> u32 {
    4
}

fn calls_in_flight() -> usize {
    1024
}

fn calls_later() -> usize {
    16_384
}

fn queue_bytes() -> usize {
    16 << 20
}

fn message_bytes() -> u32 {
    4 << 20
}

fn silence_seconds() -> u64 {
    60
}
