//! Type Language (TL): reads and writes the bytes of MTProto's objects.
//!
//! What it does: [`mtproto`] and [`api`] hold one struct for each constructor and function of `schema/*.tl`, and one
//! enum for each type of several constructors; `cargo xtask tl` writes them. [`Reader`] and [`Sink`] are the
//! hand-written half: the base types of "Binary Data Serialization".
//!
//! What it does not: it checks no rule of the protocol but the form of the bytes, does no I/O, and copies nothing
//! that it can lend: strings, `int256` (a secret wherever the schema has one), lists of longs and embedded queries
//! are slices of the bytes that were read.
//!
//! Bytes from the wire never make it panic. They make it allocate only for items that were read, never on the word
//! of a count, and nested types end at [`MAX_DEPTH`].
//!
//! ```
//! use dayfly_tl::{Error, mtproto, read_exact, to_bytes};
//!
//! let query = mtproto::ReqPqMulti { nonce: [7; 16] };
//! let bytes = to_bytes(&query);
//! assert_eq!(bytes[..4], mtproto::ReqPqMulti::CONSTRUCTOR.to_le_bytes());
//!
//! let read: mtproto::ReqPqMulti = read_exact(&bytes)?;
//! assert_eq!(read, query);
//!
//! let cut = read_exact::<mtproto::ReqPqMulti>(&bytes[..19]);
//! assert_eq!(cut, Err(Error::UnexpectedEnd { at: 4, needed: 16 }));
//! # Ok::<(), Error>(())
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

mod error;
mod generated;
#[cfg(test)]
mod hostile_tests;
mod long_vec;
mod reader;
mod sink;
mod traits;

pub use error::Error;
pub use generated::{api, mtproto};
pub use long_vec::LongVec;
pub use reader::{MAX_DEPTH, Reader};
pub use sink::{MAX_STRING, Sink};
pub use traits::{
    Constructor, Read, ReadBare, Write, WriteBare, read_exact, read_prefix, to_bytes, to_secret_bytes,
};

/// `vector#1cb5c415`, the constructor of every boxed vector.
pub const VECTOR: u32 = 0x1cb5_c415;
/// `boolTrue#997275b5`.
pub const BOOL_TRUE: u32 = 0x9972_75b5;
/// `boolFalse#bc799737`.
pub const BOOL_FALSE: u32 = 0xbc79_9737;
