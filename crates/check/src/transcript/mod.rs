//! What happened in the lab, so that somebody who was not there can tell why a handshake failed.
//!
//! A [`Recorder`] makes an [`Entry`] of each event of the lab. Written with serde, an entry is one line of JSON. A [`Book`]
//! keeps the entries of the last runs, of which each is a connection; [`markdown`] writes one for people.

mod book;
mod entry;
mod markdown;
mod recorder;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

pub use book::{Book, Bounds, Run};
pub use entry::{Entry, Told};
pub use markdown::{heading, markdown};
pub use recorder::Recorder;
pub use verdict::{Standing, Verdict, verdict};
