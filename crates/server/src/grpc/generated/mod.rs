//! Written by `cargo xtask proto` from `proto/`; `cargo xtask proto --check` fails when they differ.

#[rustfmt::skip]
#[path = "dayfly.backend.v1.rs"]
mod backend_v1;

pub(super) use backend_v1::*;
