//! A client without I/O: [`ClientEndpoint`] and what goes in and out of it.

mod calls;
mod config;
mod endpoint;
mod ends;
mod event;
mod frames;
mod keys;
mod line;
mod lines;
mod serving;

pub use config::{ClientConfig, ClientInfo, Delays, SavedKey};
pub use endpoint::ClientEndpoint;
pub use event::{CallId, Event, LinkId, Output, Sent};
