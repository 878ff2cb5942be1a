//! Written by `cargo xtask tl` from `schema/*.tl`; a test of xtask fails when they differ.

pub mod api;
pub mod mtproto;

/// Whether flag `n` is set.
fn has(flags: u32, n: u32) -> bool {
    flags.wrapping_shr(n) & 1 == 1
}

/// Flag `n`, set or not.
fn flag(n: u32, set: bool) -> u32 {
    u32::from(set).wrapping_shl(n)
}
