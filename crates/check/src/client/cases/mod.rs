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

/// A table of cases: id, severity, title, why, expected, and the judge with what it is told; `Slow` behind it.
macro_rules! cases {
    ($($id:literal $severity:ident $title:literal
        why $why:literal
        expected $expected:literal
        $judge:ident($($told:expr),*) $(, $cost:ident)?;)*) => {
        pub(super) fn cases() -> Vec<crate::client::Entry> {
            vec![$(crate::client::Entry {
                case: crate::case::Case {
                    id: $id,
                    severity: crate::case::Severity::$severity,
                    title: $title,
                    why: $why,
                    expected: $expected,
                    cost: crate::client::cases::cost!($($cost)?),
                },
                run: |stage| Box::pin($judge(stage, $($told),*)),
            }),*]
        }
    };
}

macro_rules! cost {
    () => {
        crate::case::Cost::Usual
    };
    ($cost:ident) => {
        crate::case::Cost::$cost
    };
}

use {cases, cost};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_used_once_and_every_sentence_is_there() {
        let mut ids: Vec<_> = all().iter().map(|entry| entry.case.id).collect();
        let count = ids.len();
        assert!(count >= 80, "{count}");
        assert_eq!(ids.first(), Some(&FIRST));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for entry in all() {
            let case = &entry.case;
            let (rule, number) = case.id.split_once('/').unwrap();
            assert!(rule.len() == 5 && number.parse::<u32>().is_ok(), "{}", case.id);
            for text in [case.title, case.why, case.expected] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text:?}", case.id);
            }
        }
    }
}
