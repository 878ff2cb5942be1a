//! Creating an authorization key: the client's side, and the server's table of all runs.
//!
//! Neither side does an exponentiation or a private-key operation itself: `poll_job` gives the work out and `handle_job`
//! takes the result (see [`crate::job`]).
//!
//! Source: Creating an Authorization Key. "Step" and "item" below count as that page does.

mod check;
pub mod client;
mod plain_id;
mod sealed;
pub mod server;

pub use check::SpecCheck;
