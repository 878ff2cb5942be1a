//! The cases, a family of rules a module.

mod binding;
mod creating;
mod load;
mod messages;
mod oracle;
mod plain;
mod transports;

use std::sync::LazyLock;

use super::Entry;

/// Every case, in the order in which they run: the plain ones first.
pub(super) fn all() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let first = [plain::cases(), creating::first()].into_iter().flatten();
        let others = [
            creating::cases(),
            oracle::cases(),
            binding::cases(),
            messages::cases(),
            transports::cases(),
            load::cases(),
        ];
        first.map(|entry| Entry { first: true, ..entry }).chain(others.into_iter().flatten()).collect()
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(all().len() >= 120);
        crate::case::tests::assert_in_order(all());
    }
}
