//! Empty for now.
pub(super) fn cases() -> Vec<crate::server::Entry> {
    Vec::new()
}
