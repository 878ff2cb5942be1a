//! What the tests of the two endpoints share: a scripted world, a store that answers when it is told to, a server in
//! that world, and a peer that says what a test wants said.
#![allow(dead_code, unused_imports, reason = "each of the two test binaries uses its part")]

mod heard;
mod rig;
mod speaker;
mod store;
mod world;

pub(crate) use heard::{Heard, Outcome, frame, frames, read};
pub(crate) use rig::{PEER, Rig};
pub(crate) use speaker::{Said, Speaker};
pub(crate) use store::Store;
pub(crate) use world::{Key, START, World, call, private_key, public_key, seconds};
