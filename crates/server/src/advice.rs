//! What the log tells an operator where one setting would end a client's trouble.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dayfly_core::env::Now;
use dayfly_core::server::Event;
use dayfly_crypto::AuthKeyId;

/// How many keys are remembered; beyond it all are forgotten, and some advice may come twice.
const MOST_KEYS: usize = 1024;
/// More replaced bindings than this within [`CHURN_WITHIN`] are no renewal (rule PF-10).
const CHURN: u32 = 6;
const CHURN_WITHIN: Duration = Duration::from_secs(60);
/// What a call under a permanent key is answered where that is not allowed.
const REFUSED_WITHOUT_PFS: &str = "TEMP_AUTH_KEY_EMPTY";

/// Looks at events, and says each thing once a key.
#[derive(Debug, Default)]
pub(crate) struct Advice {
    told_of_pfs: BTreeSet<AuthKeyId>,
    churning: BTreeMap<AuthKeyId, Churn>,
}

/// How often bindings of one permanent key replaced each other lately.
#[derive(Debug)]
struct Churn {
    since: Duration,
    count: u32,
    told: bool,
}

impl Advice {
    /// What is to be said now that `event` has happened, if anything.
    pub(crate) fn on(&mut self, event: &Event, now: Now) -> Option<String> {
        match event {
            Event::CallRefused { key, error: REFUSED_WITHOUT_PFS, .. } => self.on_call_without_pfs(*key),
            Event::Bound { perm, replaced, .. } if !replaced.is_empty() => {
                self.on_replaced(*perm, now.monotonic)
            }
            _ => None,
        }
    }

    /// Rule PF-23: the flag is named once for each client.
    fn on_call_without_pfs(&mut self, key: AuthKeyId) -> Option<String> {
        if self.told_of_pfs.len() >= MOST_KEYS {
            self.told_of_pfs.clear();
        }
        self.told_of_pfs.insert(key).then(|| {
            format!(
                "a client calls under its permanent key {key}, without forward secrecy, and is refused; \
                 --allow no-pfs would serve it"
            )
        })
    }

    /// Rule PF-10: more than six replacements a minute are two sessions that take each other's place.
    fn on_replaced(&mut self, perm: AuthKeyId, now: Duration) -> Option<String> {
        if self.churning.len() >= MOST_KEYS {
            self.churning.clear();
        }
        let churn = self.churning.entry(perm).or_insert(Churn { since: now, count: 0, told: false });
        if now.saturating_sub(churn.since) >= CHURN_WITHIN {
            (churn.since, churn.count) = (now, 0);
        }
        churn.count = churn.count.saturating_add(1);
        if churn.count <= CHURN || churn.told {
            return None;
        }
        churn.told = true;
        Some(format!(
            "temporary keys of the permanent key {perm} replaced each other {} times within a minute: the client runs \
             sessions in parallel, each with a key of its own; a higher tmp_sessions in the configuration allows that",
            churn.count
        ))
    }
}

#[cfg(test)]
mod tests {
    use dayfly_core::server::KeyUse;

    use super::*;

    fn at(seconds: u64) -> Now {
        Now { monotonic: Duration::from_secs(seconds), unix: Duration::from_secs(seconds) }
    }

    fn refused(key: u64) -> Event {
        let key_use = KeyUse::Permanent;
        Event::CallRefused { key: AuthKeyId(key), key_use, method: 0, error: REFUSED_WITHOUT_PFS }
    }

    fn bound(replaced: Vec<AuthKeyId>) -> Event {
        Event::Bound { temp: AuthKeyId(2), perm: AuthKeyId(1), expires_at: 9, replaced }
    }

    /// In which of these seconds a replaced binding made it speak.
    fn spoke_at(seconds: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut advice = Advice::default();
        let replaced = bound(vec![AuthKeyId(3)]);
        seconds.into_iter().filter(|second| advice.on(&replaced, at(*second)).is_some()).collect()
    }

    // rule: PF-23
    #[test]
    fn the_flag_for_clients_without_forward_secrecy_is_named_once_for_each() {
        let mut advice = Advice::default();
        assert!(advice.on(&refused(1), at(0)).unwrap().contains("--allow no-pfs"));
        assert_eq!(advice.on(&refused(1), at(1)), None);
        assert!(advice.on(&refused(2), at(1)).is_some());
        let key_use = KeyUse::Unbound;
        let other =
            Event::CallRefused { key: AuthKeyId(3), key_use, method: 0, error: "AUTH_KEY_PERM_EMPTY" };
        assert_eq!(advice.on(&other, at(1)), None);
    }

    // rule: PF-10
    #[test]
    fn bindings_that_keep_replacing_each_other_bring_up_the_setting_once() {
        assert_eq!(spoke_at(0..20), [6]);
        let mut advice = Advice::default();
        let told: Vec<String> =
            (0..7).filter_map(|second| advice.on(&bound(vec![AuthKeyId(3)]), at(second))).collect();
        assert!(told[0].contains("tmp_sessions"), "{told:?}");
    }

    // rule: PF-10
    #[test]
    fn renewals_and_first_bindings_bring_up_nothing() {
        assert!(spoke_at((0..20).map(|n| n * 10)).is_empty());
        let mut advice = Advice::default();
        assert!((0..20).all(|second| advice.on(&bound(Vec::new()), at(second)).is_none()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut advice = Advice::default();
        for key in 0..10_000 {
            advice.on(&refused(key), at(0));
        }
        assert!(advice.told_of_pfs.len() <= MOST_KEYS);
    }
}
