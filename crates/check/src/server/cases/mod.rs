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

/// A table of cases: id, severity, title, why, expected, and the function that runs it, with what it is given beside the
/// probe; `Slow` or `Load` behind it.
macro_rules! cases {
    ($($id:literal $severity:ident $title:literal
        why $why:literal
        expected $expected:literal
        $run:ident $(($($given:expr),* $(,)?))? $(, $cost:ident)?;)*) => {
        pub(super) fn cases() -> Vec<crate::server::Entry> {
            vec![$(crate::server::Entry {
                case: crate::case::Case {
                    id: $id,
                    severity: crate::case::Severity::$severity,
                    title: $title,
                    why: $why,
                    expected: $expected,
                    cost: crate::server::cases::cost!($($cost)?),
                },
                run: |probe| Box::pin($run(probe $($(, $given)*)?)),
                first: false,
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
