//! The cases, a family of answers a module.

mod binding;
mod delivery;
mod dh_gen;
mod dh_params;
mod messages;
mod plain;
mod res_pq;

use std::sync::LazyLock;

use super::Entry;

/// The plain exchange: without it nothing else can be reached.
pub(super) const FIRST: &str = "HS-01/1";

/// Every case, in the order in which they run: the plain ones first.
pub(super) fn all() -> &'static [Entry] {
    static ALL: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let families = [
            plain::cases(),
            res_pq::cases(),
            dh_params::cases(),
            dh_gen::cases(),
            delivery::cases(),
            binding::cases(),
            messages::cases(),
        ];
        families.into_iter().flatten().collect()
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert_eq!(all()[0].case.id, FIRST);
        assert!(all().len() >= 80);
        crate::case::tests::assert_in_order(all());
    }
}
