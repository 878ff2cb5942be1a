//! The MTProto key exchange, binding and message layer without I/O.
#![forbid(unsafe_code)]

mod agenda;
pub mod client;
pub mod env;
pub mod handshake;
pub mod job;
pub mod keys;
pub mod observer;
pub mod plain;
pub mod server;
pub mod session;
pub mod transport;

pub use dayfly_crypto::{enforce, holds, mutant, rules};
pub use env::{Env, Now, SecureRandom};
pub use observer::{NoObserver, Observer};
