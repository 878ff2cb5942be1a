//! Transports: rules TR.

/// Every case, a rule after the other.
pub(super) fn cases() -> Vec<crate::server::Entry> {
    Vec::new()
}
