//! Who is logged in. A session's cookie is not the token, and is kept in memory alone: a restart ends every session.

use std::time::{Duration, Instant};

use dayfly_core::env::SecureRandom;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::token::random_hex;

/// A session that nothing was asked under for so long is over.
const IDLE: Duration = Duration::from_secs(3600);
/// And so is one this old.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// The oldest makes room.
const MOST_SESSIONS: usize = 32;

/// The sessions that are open.
#[derive(Default)]
pub(crate) struct Sessions {
    open: Vec<Session>,
}

struct Session {
    cookie: Zeroizing<String>,
    form_token: Zeroizing<String>,
    since: Instant,
    last: Instant,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= IDLE
            || now.saturating_duration_since(self.since) >= LONGEST
    }
}

impl Sessions {
    /// Opens a session and gives the value of its cookie.
    ///
    /// # Errors
    /// The source of randomness failed.
    pub(crate) fn begin(
        &mut self,
        random: &mut dyn SecureRandom,
        now: Instant,
    ) -> Result<Zeroizing<String>, String> {
        let (cookie, form_token) = (random_hex(random)?, random_hex(random)?);
        self.open.retain(|session| !session.is_over(now));
        if self.open.len() >= MOST_SESSIONS {
            self.open.remove(0);
        }
        self.open.push(Session { cookie: cookie.clone(), form_token, since: now, last: now });
        Ok(cookie)
    }

    /// The form token of the session with this cookie, which goes on being open for a while.
    pub(crate) fn form_token(&mut self, cookie: &str, now: Instant) -> Option<Zeroizing<String>> {
        self.open.retain(|session| !session.is_over(now));
        let session = self.open.iter_mut().find(|session| same(&session.cookie, cookie))?;
        session.last = now;
        Some(session.form_token.clone())
    }

    /// Ends the session with this form token.
    pub(crate) fn end(&mut self, form_token: &str) {
        self.open.retain(|session| !same(&session.form_token, form_token));
    }
}

/// Compares secrets in constant time.
pub(crate) fn same(secret: &str, shown: &str) -> bool {
    bool::from(secret.as_bytes().ct_eq(shown.as_bytes()))
}

#[cfg(test)]
mod tests {
    use dayfly_store::OsRandom;

    use super::*;

    fn begin(sessions: &mut Sessions, now: Instant) -> String {
        sessions.begin(&mut OsRandom, now).unwrap().to_string()
    }

    #[test]
    fn a_session_is_known_by_its_cookie_until_it_is_ended() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let (one, other) = (begin(&mut sessions, now), begin(&mut sessions, now));
        let form_token = sessions.form_token(&one, now).unwrap();
        assert_ne!(*form_token, one, "a page shows the form token, and never the cookie");
        assert_ne!(*form_token, *sessions.form_token(&other, now).unwrap());
        assert_eq!(sessions.form_token("", now), None);
        sessions.end(&form_token);
        assert_eq!(sessions.form_token(&one, now), None);
        assert!(sessions.form_token(&other, now).is_some());
    }

    #[test]
    fn a_session_ends_an_hour_after_its_last_request_and_twelve_after_its_first() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let cookie = begin(&mut sessions, start);
        let half_hours = |count: u32| start + IDLE / 2 * count;
        for half_hour in 1..24 {
            assert!(sessions.form_token(&cookie, half_hours(half_hour)).is_some(), "{half_hour}");
        }
        assert_eq!(sessions.form_token(&cookie, half_hours(24)), None);
        let idle = begin(&mut sessions, start);
        assert_eq!(sessions.form_token(&idle, half_hours(2)), None);
    }

    #[test]
    fn there_is_a_bound_and_the_oldest_makes_room() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let first = begin(&mut sessions, now);
        let last = (0..MOST_SESSIONS).map(|_| begin(&mut sessions, now)).last().unwrap();
        assert_eq!(sessions.open.len(), MOST_SESSIONS);
        assert_eq!(sessions.form_token(&first, now), None);
        assert!(sessions.form_token(&last, now).is_some());
    }
}
