//! The server's salts: they belong to the key, live 30 minutes, and are taken 1800 s longer.

use std::collections::VecDeque;

use dayfly_tl::mtproto::FutureSalt;

use crate::env::{Env, Now, RandomError};
use crate::observer::Observer;
use crate::{holds, mutant};

/// The salts of one key: the one before, the current one, and those that were promised.
///
/// Every salt but the first is drawn as a secret, for whoever could tell it could replay.
///
/// Source: Mobile Protocol, "Server Salt"; Service Messages, "Request for several future salts" (rules MS-09,
/// MS-10).
#[derive(Clone, Debug)]
pub struct KeySalts {
    /// Unix second at which the front of `salts` became current.
    since: u64,
    /// The current one and those after it, 30 minutes each.
    salts: VecDeque<i64>,
    previous: Option<i64>,
}

impl KeySalts {
    /// `first` is what the handshake left (rule HS-28); it is current from `since`, a Unix second.
    #[must_use]
    pub fn new(first: i64, since: u64) -> Self {
        Self { since, salts: VecDeque::from([first]), previous: None }
    }

    /// The salt that the server's own messages carry. While no new one can be drawn, the last one stays.
    pub fn current<O: Observer>(&mut self, env: &mut Env<'_, O>) -> i64 {
        // A source that fails is told to whoever asks for future salts; until it is back, this one is as good
        // as before.
        self.roll(env).unwrap_or_default();
        self.front()
    }

    /// Whether a message with this salt is taken now: it is the current one or the one before.
    pub fn accepts<O: Observer>(&mut self, salt: i64, env: &mut Env<'_, O>) -> bool {
        let current = self.current(env);
        holds!("MS-09.salt", salt == current || self.previous == Some(salt))
    }

    /// The current salt and those after it, `num` cut to 1..=64, with the Unix seconds within which each is
    /// taken.
    ///
    /// # Errors
    /// [`RandomError`] if a salt could not be drawn.
    pub fn future<O: Observer>(
        &mut self,
        num: i32,
        env: &mut Env<'_, O>,
    ) -> Result<Vec<FutureSalt>, RandomError> {
        self.roll(env)?;
        let num = usize::try_from(num).unwrap_or(1).clamp(1, mutant!("MS-10.most", MAX_FUTURE, 65));
        while self.salts.len() < num {
            self.salts.push_back(draw(env)?);
        }
        let starts = (0u64..).map(|n| self.since.saturating_add(n.saturating_mul(LIFE)));
        Ok(starts.zip(&self.salts).take(num).map(|(since, salt)| valid(since, *salt)).collect())
    }

    /// Moves on to the period that the clock is in; never back, however the clock jumps.
    fn roll<O: Observer>(&mut self, env: &mut Env<'_, O>) -> Result<(), RandomError> {
        let life = mutant!("MS-09.life", LIFE, u64::MAX);
        let periods = periods(self.since, env.now, life);
        if periods == 0 {
            return Ok(());
        }
        let kept = usize::try_from(periods).unwrap_or(usize::MAX);
        let next = match self.salts.get(kept) {
            Some(promised) => *promised,
            None => draw(env)?,
        };
        let before = kept.checked_sub(1).and_then(|index| self.salts.get(index)).copied();
        self.previous = mutant!("MS-09.grace", before, None);
        self.salts.drain(..kept.min(self.salts.len()));
        if self.salts.is_empty() {
            self.salts.push_back(next);
        }
        self.since = self.since.saturating_add(periods.saturating_mul(LIFE));
        Ok(())
    }

    fn front(&self) -> i64 {
        self.salts.front().copied().unwrap_or_default() // never empty: `roll` sees to it
    }
}

fn periods(since: u64, now: Now, life: u64) -> u64 {
    now.unix_seconds().saturating_sub(since).checked_div(life).unwrap_or(0)
}

fn draw<O: Observer>(env: &mut Env<'_, O>) -> Result<i64, RandomError> {
    let mut bytes = [0; 8];
    env.random.fill_secret(&mut bytes)?;
    Ok(i64::from_le_bytes(bytes))
}

fn valid(since: u64, salt: i64) -> FutureSalt {
    let second = |unix: u64| i32::try_from(unix).unwrap_or(i32::MAX);
    let until = since.saturating_add(LIFE).saturating_add(GRACE);
    FutureSalt { valid_since: second(since), valid_until: second(until), salt }
}

/// Seconds for which a salt is the current one.
const LIFE: u64 = 1800;
/// Seconds for which it is taken after that.
const GRACE: u64 = 1800;
/// The most salts that one answer holds.
const MAX_FUTURE: usize = 64;

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::NoObserver;
    use crate::session::testing::{Broken, Counting};

    const START: u64 = 1_700_000_000;

    struct World(Counting);

    impl World {
        fn at<R>(&mut self, second: u64, act: impl FnOnce(&mut Env<'_>) -> R) -> R {
            let unix = Duration::from_secs(START + second);
            act(&mut Env::new(Now { monotonic: unix, unix }, &mut self.0, &mut NoObserver))
        }
    }

    fn world() -> (World, KeySalts) {
        (World(Counting::default()), KeySalts::new(111, START))
    }

    // rule: MS-09
    #[test]
    fn a_foreign_salt_is_refused_and_the_first_is_taken() {
        let (mut world, mut salts) = world();
        assert!(world.at(0, |env| salts.accepts(111, env)));
        assert!(!world.at(0, |env| salts.accepts(112, env)));
    }

    // rule: MS-09
    #[test]
    fn the_salt_changes_after_half_an_hour_and_the_one_before_lives_on_as_long() {
        let (mut world, mut salts) = world();
        assert_eq!(world.at(1799, |env| salts.current(env)), 111);
        let second = world.at(1800, |env| salts.current(env));
        assert_ne!(second, 111);
        assert!(world.at(3599, |env| salts.accepts(111, env) && salts.accepts(second, env)));
        assert!(world.at(3600, |env| !salts.accepts(111, env) && salts.accepts(second, env)));
    }

    // rule: MS-09
    #[test]
    fn after_a_long_silence_no_old_salt_is_taken() {
        let (mut world, mut salts) = world();
        assert!(world.at(36_000, |env| !salts.accepts(111, env)));
    }

    // rule: MS-10
    #[test]
    fn promised_salts_are_taken_within_their_times_and_not_before() {
        let (mut world, mut salts) = world();
        let promised = world.at(0, |env| salts.future(3, env)).unwrap();
        assert_eq!(promised.len(), 3);
        for future in promised {
            let since = u64::try_from(future.valid_since).unwrap() - START;
            let until = u64::try_from(future.valid_until).unwrap() - START;
            let mut then = salts.clone();
            assert!(since == 0 || !world.at(since - 1, |env| then.accepts(future.salt, env)));
            assert!(world.at(since, |env| then.accepts(future.salt, env)));
            assert!(world.at(until - 1, |env| then.accepts(future.salt, env)));
            assert!(!world.at(until, |env| then.accepts(future.salt, env)));
        }
    }

    // rule: MS-10
    #[test]
    fn the_number_of_future_salts_is_cut_to_1_to_64() {
        let (mut world, mut salts) = world();
        let counts = [i32::MIN, 0, 1, 64, 65, i32::MAX]
            .map(|num| world.at(0, |env| salts.future(num, env)).unwrap().len());
        assert_eq!(counts, [1, 1, 1, 64, 64, 64]);
    }

    #[test]
    fn a_clock_that_goes_back_changes_nothing() {
        let (mut world, mut salts) = world();
        let second = world.at(1800, |env| salts.current(env));
        assert_eq!(world.at(0, |env| salts.current(env)), second);
    }

    #[test]
    fn without_randomness_the_last_salt_stays() {
        let mut salts = KeySalts::new(111, START);
        let unix = Duration::from_secs(START + 1800);
        let mut env =
            Env { now: Now { monotonic: unix, unix }, random: &mut Broken, observer: &mut NoObserver };
        assert_eq!(salts.current(&mut env), 111);
        assert_eq!(salts.future(2, &mut env), Err(RandomError));
    }
}
