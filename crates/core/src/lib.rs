//! The MTProto key exchange, binding and message layer without I/O.
//!
//! What it does: [`handshake`] makes authorization keys, both sides of it; [`keys`] knows their kinds, binds a temporary
//! one to a permanent one and plans its renewal; [`session`] is the encrypted message layer; [`transport`] marks where
//! payloads end. [`server::ServerEndpoint`] and [`client::ClientEndpoint`] join all of it into one machine for each side.
//!
//! What it does not: it opens no socket, reads no clock, draws no randomness of its own, starts no thread, knows no
//! runtime. Time and random bytes come in with each call ([`Env`]); bytes to send, work to do and questions to a store
//! come out by `poll_*`. So everything can be replayed from a seed.
//!
//! A client's first query, with time and randomness that a test has chosen:
//!
//! ```
//! use core::time::Duration;
//! use dayfly_core::handshake::client::{ClientConfig, ClientHandshake, Output};
//! use dayfly_core::keys::kind::KeyKind;
//! use dayfly_core::{Env, NoObserver, Now, SecureRandom};
//! use dayfly_crypto::RandomError;
//! use dayfly_crypto::rsa_key::PublicKey;
//!
//! struct Sevens;
//! impl SecureRandom for Sevens {
//!     fn fill_public(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
//!         out.fill(7);
//!         Ok(())
//!     }
//!     fn fill_secret(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
//!         self.fill_public(out)
//!     }
//! }
//!
//! let now = Now { monotonic: Duration::ZERO, unix: Duration::from_secs(1_790_000_000) };
//! let (mut random, mut observer) = (Sevens, NoObserver);
//! let mut env = Env::new(now, &mut random, &mut observer);
//! let trusted: [PublicKey; 0] = [];
//! let config = ClientConfig::new(trusted.into(), KeyKind::Temp { expires_in: 86_400 }, 2);
//! let mut handshake = ClientHandshake::new(config, &mut env)?;
//! let Some(Output::Send(message)) = handshake.poll_output() else { panic!("a query is due") };
//! assert_eq!(message[20..24], 0xbe7e_8ef1_u32.to_le_bytes()); // req_pq_multi
//! assert_eq!(message[24..], [7; 16]); // its nonce
//! # Ok::<(), dayfly_core::handshake::client::HandshakeError>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

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
