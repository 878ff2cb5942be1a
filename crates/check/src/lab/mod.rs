//! The lab: an offline server for the tests of client libraries, which can be made to do what no server should.
//!
//! What it is: the server of `crates/core` with randomness from a seed, a clock that can be set, keys in memory, and somebody
//! between it and the wire who alters what is sent as a scenario says ([`Rule`]). Everything that happens is told as a
//! [`LabEvent`].
//!
//! What it is not: a server for anybody's data. Its randomness is known to whoever knows the seed.

mod answers;
mod backend;
mod clock;
mod connection;
mod engine;
pub mod event;
mod fault;
mod handle;
mod intake;
mod manners;
mod meddle;
mod random;
mod store;
mod watch;
mod wire;

pub use answers::Answers;
pub use clock::LabClock;
pub use event::{LabEvent, What};
pub use fault::{Fault, NoSuchRule, Rule, Step, UnknownFault, UnknownStep};
pub use handle::{Lab, LabConfig, LabEnded};
pub use manners::Manners;
