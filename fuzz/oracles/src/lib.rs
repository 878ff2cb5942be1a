//! What must hold for any input, as ordinary functions.
//!
//! Each oracle takes bytes and panics if something does not hold. libFuzzer feeds them (`cargo xtask fuzz`, the targets are
//! in `fuzz/fuzz_targets`), and `tests/tests/fuzz_regressions.rs` feeds them what is kept in `fuzz/corpus`. Where a peer
//! would need cryptography to be heard, the oracle has the keys and does it: the bytes decide what is said, not whether it
//! decrypts. Exponentiations are never made; their results are made up.
//!
//! ```
//! for (name, oracle) in dayfly_oracles::ALL {
//!     println!("{name}");
//!     oracle(b"any bytes at all");
//! }
//! ```
#![forbid(unsafe_code)]

pub mod bind;
pub mod client_endpoint;
mod handshake;
pub mod handshake_client;
pub mod handshake_server;
pub mod input;
mod jobs;
mod keys;
pub mod messages;
pub mod server_endpoint;
pub mod tl;
pub mod transport;
pub mod world;

/// Panics if something does not hold for these bytes.
pub type Oracle = fn(&[u8]);

/// Every oracle, by the name of its fuzz target and of its folder in `fuzz/corpus`.
pub const ALL: &[(&str, Oracle)] = &[
    ("tl", tl::check),
    ("transport_detect", transport::detect),
    ("transport_abridged", transport::abridged),
    ("transport_intermediate", transport::intermediate),
    ("transport_padded", transport::padded),
    ("transport_full", transport::full),
    ("messages", messages::check),
    ("bind", bind::check),
    ("handshake_client", handshake_client::check),
    ("handshake_server", handshake_server::check),
    ("server_endpoint", server_endpoint::check),
    ("client_endpoint", client_endpoint::check),
];

/// The oracle of a fuzz target.
///
/// # Panics
/// If there is none of that name.
#[must_use]
pub fn named(name: &str) -> Oracle {
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no oracle {name}")).1
}
