//! What dayfly and a back end say to each other, as Rust: the messages, and both sides of the service.
//!
//! What it is: the code of `proto/dayfly/backend/v1/backend.proto`, written by `cargo xtask proto`. The server dials with
//! [`v1::backend_client`]; a back end in Rust implements [`v1::backend_server`].
//!
//! What it is not: a back end. A small one that answers calls, puts them off and sends updates is in `examples/backend-rust`.
//!
//! ```
//! use dayfly_backend_proto::v1::{Answer, Later, ToEdge, answer, to_edge};
//!
//! /// Call number 7 is taken; its result follows.
//! let later = Answer { call: 7, answer: Some(answer::Answer::Later(Later {})) };
//! let said = ToEdge { message: Some(to_edge::Message::Answer(later)) };
//! assert!(said.message.is_some());
//! ```
#![forbid(unsafe_code)]

/// Version 1 of the interface. Its fields are explained in the `.proto`, and the comments come from there.
#[allow(missing_docs, clippy::all, reason = "generated")]
#[rustfmt::skip]
#[path = "dayfly.backend.v1.rs"]
pub mod v1;
