//! The salts that a client knows: the current one, and those it was promised.

use dayfly_tl::mtproto::FutureSalt;

use crate::holds;

/// Changes to a promised salt when its time has come, so that no message is refused for an old one.
#[derive(Clone, Debug)]
pub(super) struct Salts {
    current: i64,
    promised: Vec<FutureSalt>,
}

impl Salts {
    pub(super) fn new(current: i64) -> Self {
        Self { current, promised: Vec::new() }
    }

    /// The salt for a message made at `server_now`, a Unix second by the server's clock.
    pub(super) fn current(&mut self, server_now: u64) -> i64 {
        let begun =
            |salt: &FutureSalt| u64::try_from(salt.valid_since).is_ok_and(|since| since <= server_now);
        let lives = |salt: &FutureSalt| u64::try_from(salt.valid_until).is_ok_and(|until| server_now < until);
        let newest = self
            .promised
            .iter()
            .filter(|salt| begun(salt) && lives(salt))
            .max_by_key(|salt| salt.valid_since);
        if let Some(newest) = newest {
            self.current = newest.salt;
        }
        self.promised.retain(|salt| holds!("MS-10.change", !begun(salt)));
        self.current
    }

    /// The server said which one it is.
    pub(super) fn set(&mut self, current: i64) -> bool {
        let changed = current != self.current;
        self.current = current;
        changed
    }

    /// Those to come, in the place of what was promised before; as many as one answer may hold.
    pub(super) fn promise(&mut self, promised: &[FutureSalt]) {
        self.promised = promised.iter().take(MAX_PROMISED).copied().collect();
    }

    pub(super) fn knows_the_next(&self) -> bool {
        !self.promised.is_empty()
    }
}

/// The most salts that one answer holds.
const MAX_PROMISED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn promised(valid_since: i32, salt: i64) -> FutureSalt {
        FutureSalt { valid_since, valid_until: valid_since + 3600, salt }
    }

    // rule: MS-10
    #[test]
    fn a_promised_salt_is_used_from_its_second_on() {
        let mut salts = Salts::new(1);
        salts.promise(&[promised(1000, 1), promised(2800, 2), promised(4600, 3)]);
        assert_eq!(salts.current(1000), 1);
        assert_eq!(salts.current(2799), 1);
        assert_eq!(salts.current(2800), 2);
        assert!(salts.knows_the_next());
        assert_eq!(salts.current(4600), 3);
        assert!(!salts.knows_the_next());
    }

    // rule: MS-10
    #[test]
    fn a_salt_whose_time_is_over_is_not_used() {
        let mut salts = Salts::new(1);
        salts.promise(&[promised(1000, 2)]);
        assert_eq!(salts.current(4600), 1);
    }

    #[test]
    fn what_the_server_says_outdoes_what_it_promised() {
        let mut salts = Salts::new(1);
        salts.promise(&[promised(1000, 2)]);
        assert_eq!(salts.current(1000), 2);
        assert!(salts.set(9) && !salts.set(9));
        assert_eq!(salts.current(1001), 9);
    }
}
