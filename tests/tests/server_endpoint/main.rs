//! The server endpoint, driven by hand: every rule that it keeps is broken alone, by a peer that says what a test wants.

mod binding;
mod destroying;
mod ends;
mod http;
mod lookups;
#[path = "../peers/mod.rs"]
mod peers;
mod permission;
mod sessions;
mod slots;
mod upstream;
mod view;
