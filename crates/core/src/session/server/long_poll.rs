//! What HTTP asks of a session: how long a request may wait, and whether there is anything to say.

use core::time::Duration;

use dayfly_tl::mtproto;

use super::ServerSession;
use crate::env::{Env, Now};
use crate::mutant;
use crate::observer::Observer;
use crate::session::CloseReason;
use crate::session::salt::KeySalts;

/// The longest that a request is kept waiting, whatever it asks for: proxies give up on silence after a minute or so.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// `http_wait`: when a parked request is answered.
///
/// Source: Service Messages, "HTTP Wait/Long Poll" (rule MS-16).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LongPoll {
    /// How long the first message for the client may wait for others.
    pub max_delay: Duration,
    /// How long after the latest message another one is waited for.
    pub wait_after: Duration,
    /// How long the request waits for a message at all; at most a minute.
    pub max_wait: Duration,
}

impl Default for LongPoll {
    fn default() -> Self {
        let max_wait = mutant!("MS-16.http-default", Duration::from_secs(25), Duration::ZERO);
        Self { max_delay: Duration::ZERO, wait_after: Duration::ZERO, max_wait }
    }
}

impl From<mtproto::HttpWait> for LongPoll {
    fn from(asked: mtproto::HttpWait) -> Self {
        let time = |milliseconds| Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
        let (max_delay, wait_after) = (time(asked.max_delay), time(asked.wait_after));
        Self { max_delay, wait_after, max_wait: time(asked.max_wait).min(LONGEST_WAIT) }
    }
}

impl ServerSession {
    /// The latest `http_wait` of the packet just handled. Means nothing but over HTTP.
    pub fn poll_http_wait(&mut self) -> Option<LongPoll> {
        self.http_wait.take()
    }

    /// How many messages [`poll_transmit`](Self::poll_transmit) has ready; acknowledgements that are due count as one.
    #[must_use]
    pub fn ready_count(&self, now: Now) -> usize {
        let due = self.acks.values().any(|due| *due <= now.monotonic);
        self.outbox.ready_count().saturating_add(usize::from(due))
    }

    /// The plaintext of a packet that says nothing: an empty container ends a request that waited in vain (rule MS-16).
    pub fn empty_packet<O: Observer>(&mut self, salts: &mut KeySalts, env: &mut Env<'_, O>) -> Vec<u8> {
        self.packet(&[], salts, env)
    }

    pub(super) fn on_http_wait(&mut self, asked: mtproto::HttpWait) -> Result<(), CloseReason> {
        self.http_wait = Some(asked.into());
        Ok(())
    }
}
