//! What a case is called, and which of them are chosen.

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;

use crate::verdict::Outcome;

/// How binding a case is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The specification demands it.
    Must,
    /// The specification recommends it.
    Should,
    /// Real clients and servers need it; no text demands it.
    Compat,
}

impl Severity {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Compat => "compat",
        }
    }

    /// Whether a peer that fails such a case is wrong; with `strict` the recommendations count too.
    #[must_use]
    pub fn is_binding(self, strict: bool) -> bool {
        self == Self::Must || (strict && self == Self::Should)
    }
}

/// What is known of a case before it runs.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its id: the rule and a number, such as `HS-20/3`. It keeps it for ever.
    pub id: &'static str,
    /// How binding it is.
    pub severity: Severity,
    /// What is done, in a few words.
    pub title: &'static str,
    /// Why it matters, in one sentence: what an attacker gains, or whom it shuts out.
    pub why: &'static str,
    /// What a peer that keeps the rule does.
    pub expected: &'static str,
    /// When it runs.
    pub cost: Cost,
}

/// What a case costs the one who waits for it, or the peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cost {
    /// It runs at once.
    Usual,
    /// It waits for over 5 seconds: it runs when slow cases are asked for.
    Slow,
    /// It loads the peer: it runs when that is allowed.
    Load,
}

impl Case {
    /// The rule, such as `HS-20`.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(rule, _)| rule)
    }
}

/// A case and what it does with what it has in its hands.
pub(crate) struct Entry<Hands: 'static> {
    pub(crate) case: Case,
    pub(crate) run: Run<Hands>,
    /// Whether it runs also where the plain exchange fails: it may tell why.
    pub(crate) first: bool,
}

pub(crate) type Run<Hands> = for<'a> fn(&'a mut Hands) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A table of cases: id, severity, title, why, expected, and the function that runs it, with what it is given beside its hands;
/// `Slow` or `Load` behind it. `Entry` is that of the role.
macro_rules! cases {
    ($($id:literal $severity:ident $title:literal
        why $why:literal
        expected $expected:literal
        $run:ident $(($($given:expr),* $(,)?))? $(, $cost:ident)?;)*) => {
        pub(super) fn cases() -> Vec<Entry> {
            vec![$(Entry {
                case: crate::case::Case {
                    id: $id,
                    severity: crate::case::Severity::$severity,
                    title: $title,
                    why: $why,
                    expected: $expected,
                    cost: crate::case::cost!($($cost)?),
                },
                run: |hands| Box::pin($run(hands $($(, $given)*)?)),
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

pub(crate) use {cases, cost};

/// Chooses cases: a family (`PF`), a rule (`HS-20`) or a case (`HS-20/3`), in which `?` stands for any one character.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern(String);

/// A text that chooses no case.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{0:?} names no case: a family (PF), a rule (HS-20) or a case (HS-20/3) is expected, with ? for any one character"
)]
pub struct NoPattern(pub String);

impl FromStr for Pattern {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-/?".contains(&byte);
        if text.is_empty() || !text.bytes().all(fits) {
            return Err(NoPattern(text.to_owned()));
        }
        Ok(Self(text.to_ascii_uppercase()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pattern {
    /// Whether it chooses this case.
    #[must_use]
    pub fn chooses(&self, case: &Case) -> bool {
        let family = case.id.split_once('-').map_or(case.id, |(family, _)| family);
        [family, case.rule(), case.id].iter().any(|name| self.fits(name))
    }

    fn fits(&self, name: &str) -> bool {
        self.0.len() == name.len()
            && self.0.bytes().zip(name.bytes()).all(|(own, its)| own == b'?' || own == its)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Every id of a role is used once, and every sentence is there.
    pub(crate) fn assert_in_order<Hands>(entries: &[Entry<Hands>]) {
        let mut ids: Vec<_> = entries.iter().map(|entry| entry.case.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), entries.len());
        for Entry { case, .. } in entries {
            let (rule, number) = case.id.split_once('/').unwrap();
            assert!(rule.len() == 5 && number.parse::<u32>().is_ok(), "{}", case.id);
            for text in [case.title, case.why, case.expected] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text:?}", case.id);
            }
        }
    }

    fn case(id: &'static str) -> Case {
        let severity = Severity::Must;
        Case { id, severity, title: "", why: "", expected: "", cost: Cost::Usual }
    }

    fn chosen(pattern: &str, id: &'static str) -> bool {
        pattern.parse::<Pattern>().unwrap().chooses(&case(id))
    }

    #[test]
    fn a_family_a_rule_and_a_case_choose_what_is_below_them() {
        assert!(chosen("HS", "HS-20/3") && chosen("HS-20", "HS-20/3") && chosen("hs-20/3", "HS-20/3"));
        assert!(!chosen("HS-2", "HS-20/3") && !chosen("HS-20/3", "HS-20/31") && !chosen("PF", "HS-20/3"));
    }

    #[test]
    fn a_question_mark_stands_for_one_character() {
        assert!(chosen("HS-2?", "HS-20/3") && chosen("?S-20", "MS-20/1") && chosen("HS-20/?", "HS-20/3"));
        assert!(!chosen("HS-2?", "HS-2/3") && !chosen("HS-20/?", "HS-20/13"));
    }

    #[test]
    fn what_can_name_no_case_is_told() {
        for text in ["", "HS 20", "HS-20*", "ü"] {
            assert_eq!(text.parse::<Pattern>(), Err(NoPattern(text.to_owned())));
        }
    }
}
