//! A server that dies at any moment keeps every permanent key that a client was told of, and no temporary one.
//!
//! Shown twice. A killed process says nothing about syncing, because the system still writes what the process had handed
//! over; so the same is shown of a server whose disk forgets, at the cut, all that was not synced.

mod cut;
mod disk;
mod exchange;
mod killed;
mod server;
