//! Wrong tokens are counted by address; one that has shown too many is not listened to for a while.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use dayfly_core::handshake::server::PeerAddr;

/// So many wrong tokens within [`WINDOW`] are one mistyped and some more.
const MOST_WRONG: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// How many addresses are remembered; the one whose window began first makes room.
const MOST_ADDRESSES: usize = 1024;

/// Who showed wrong tokens lately. An IPv6 address counts by its /64.
#[derive(Debug, Default)]
pub(crate) struct WrongTokens {
    lately: BTreeMap<PeerAddr, Tries>,
}

#[derive(Clone, Copy, Debug)]
struct Tries {
    since: Instant,
    count: u32,
}

impl WrongTokens {
    /// How long `peer` is not listened to, if it has shown too many.
    pub(crate) fn refuse(&self, peer: IpAddr, now: Instant) -> Option<Duration> {
        let tries = self.lately.get(&peer.into())?;
        let left = WINDOW.checked_sub(now.saturating_duration_since(tries.since))?;
        (tries.count >= MOST_WRONG && left > Duration::ZERO).then_some(left)
    }

    /// `peer` showed a wrong one.
    pub(crate) fn count(&mut self, peer: IpAddr, now: Instant) {
        let peer = PeerAddr::from(peer);
        if !self.lately.contains_key(&peer) && self.lately.len() >= MOST_ADDRESSES {
            self.make_room();
        }
        let tries = self.lately.entry(peer).or_insert(Tries { since: now, count: 0 });
        if now.saturating_duration_since(tries.since) >= WINDOW {
            *tries = Tries { since: now, count: 0 };
        }
        tries.count = tries.count.saturating_add(1);
    }

    fn make_room(&mut self) {
        let oldest = self.lately.iter().min_by_key(|(_, tries)| tries.since).map(|(peer, _)| *peer);
        oldest.and_then(|peer| self.lately.remove(&peer));
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn ten_wrong_tokens_close_the_ears_until_their_minute_is_over() {
        let (mut wrong, start) = (WrongTokens::default(), Instant::now());
        for _ in 1..MOST_WRONG {
            wrong.count(address(1), start);
        }
        assert_eq!(wrong.refuse(address(1), start), None);
        wrong.count(address(1), start + Duration::from_secs(20));
        assert_eq!(wrong.refuse(address(1), start + Duration::from_secs(20)), Some(Duration::from_secs(40)));
        assert_eq!(wrong.refuse(address(2), start + Duration::from_secs(20)), None);
        assert_eq!(wrong.refuse(address(1), start + WINDOW), None);
        wrong.count(address(1), start + WINDOW);
        assert_eq!(wrong.refuse(address(1), start + WINDOW), None, "a new window begins at one");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes() {
        let (mut wrong, start) = (WrongTokens::default(), Instant::now());
        for number in 0..10_000 {
            wrong.count(address(number), start + Duration::from_millis(u64::from(number)));
        }
        assert_eq!(wrong.lately.len(), MOST_ADDRESSES);
        assert!(
            wrong.lately.contains_key(&address(9_999).into())
                && !wrong.lately.contains_key(&address(0).into())
        );
    }
}
