//! The client endpoint against the server endpoint, with a wire between them that a test can cut, hold, or speak on.

mod binding;
mod pair;
#[path = "../peers/mod.rs"]
mod peers;
mod recovery;
mod rotation;
mod secrecy;
mod start;
mod wire;
