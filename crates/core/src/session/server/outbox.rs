//! Messages that wait to be sent or, content-related ones, to be acknowledged.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use crate::mutant;
use crate::session::container::Inner;
use crate::session::msg_id::MsgId;
use crate::session::seqno::is_content_related;
use crate::session::{CloseReason, Limits};

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) msg_id: MsgId,
    pub(super) seqno: i32,
    pub(super) body: Vec<u8>,
    /// It was sent before, so it must not travel on its own.
    pub(super) again: bool,
}

impl Outgoing {
    /// As a message of a container.
    pub(super) fn inner(&self) -> Inner<'_> {
        Inner { msg_id: self.msg_id, seqno: self.seqno, body: &self.body }
    }
}

/// What is kept of a message.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) seqno: i32,
    pub(super) body: Vec<u8>,
    /// The call that it answers.
    pub(super) answers: Option<MsgId>,
    sent: bool,
    since: Duration,
}

/// Ordered by msg_id, so that what is oldest goes first.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    kept: BTreeMap<MsgId, Kept>,
    ready: BTreeSet<MsgId>,
    bytes: usize,
}

impl Outbox {
    /// Adds a message that waits to be sent. What was sent and not acknowledged makes room, oldest first.
    pub(super) fn add(
        &mut self,
        message: Outgoing,
        answers: Option<MsgId>,
        now: Duration,
        limits: &Limits,
    ) -> Result<(), CloseReason> {
        let size = message.body.len();
        while self.kept.len() >= limits.outbox || self.bytes.saturating_add(size) > limits.outbox_bytes {
            self.forget_oldest_sent().ok_or(CloseReason::Flood)?;
        }
        let Outgoing { msg_id, seqno, body, .. } = message;
        self.bytes = self.bytes.saturating_add(size);
        self.ready.insert(msg_id);
        self.kept.insert(msg_id, Kept { seqno, body, answers, sent: false, since: now });
        Ok(())
    }

    /// What waits to be sent, lowest msg_id first, as much as fits into `count` messages and about `bytes`;
    /// at least one.
    pub(super) fn take(&mut self, count: usize, bytes: usize) -> Vec<Outgoing> {
        let (mut taken, mut size) = (Vec::new(), 0_usize);
        while let Some(msg_id) = self.ready.first().copied() {
            let length = self.kept.get(&msg_id).map_or(0, |kept| kept.body.len());
            let full = taken.len() >= count || size.saturating_add(length) > bytes;
            if full && !taken.is_empty() {
                break;
            }
            self.unready(msg_id);
            size = size.saturating_add(length);
            taken.extend(self.send(msg_id));
        }
        taken
    }

    fn send(&mut self, msg_id: MsgId) -> Option<Outgoing> {
        let kept = self.kept.get_mut(&msg_id)?;
        let (seqno, again) = (kept.seqno, kept.sent);
        kept.sent = true;
        let body = if is_content_related(seqno) { kept.body.clone() } else { self.remove(msg_id)?.body };
        Some(Outgoing { msg_id, seqno, body, again })
    }

    /// Forgets a message, for it was acknowledged or is not wanted.
    pub(super) fn remove(&mut self, msg_id: MsgId) -> Option<Kept> {
        let kept = self.kept.remove(&msg_id)?;
        if self.kept.is_empty() {
            self.kept = BTreeMap::new(); // an empty one keeps its last node, of eleven messages
        }
        self.unready(msg_id);
        self.bytes = self.bytes.saturating_sub(kept.body.len());
        Some(kept)
    }

    fn unready(&mut self, msg_id: MsgId) {
        self.ready.remove(&msg_id);
        if self.ready.is_empty() {
            self.ready = BTreeSet::new();
        }
    }

    /// Sends a message again with its msg_id; `false` if it is no longer known.
    pub(super) fn again(&mut self, msg_id: MsgId) -> bool {
        let known = self.kept.contains_key(&msg_id);
        if known {
            self.ready.insert(msg_id);
        }
        known
    }

    /// Sends all that was not acknowledged again (rule MS-13).
    pub(super) fn all_again(&mut self) {
        self.ready.extend(self.kept.keys().take(mutant!("MS-13.again", usize::MAX, 0)));
    }

    /// Forgets what was sent and not acknowledged for so long (rule MS-13).
    pub(super) fn forget_before(&mut self, time: Duration) {
        let old: Vec<_> =
            self.kept.iter().filter(|(_, kept)| kept.sent && kept.since < time).map(|(id, _)| *id).collect();
        for msg_id in old {
            self.remove(msg_id);
        }
    }

    /// When the first of what was sent was made.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.kept.values().find(|kept| kept.sent).map(|kept| kept.since)
    }

    pub(super) fn knows(&self, msg_id: MsgId) -> bool {
        self.kept.contains_key(&msg_id)
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) fn ready_count(&self) -> usize {
        self.ready.len()
    }

    fn forget_oldest_sent(&mut self) -> Option<Kept> {
        let waits = |msg_id: &MsgId| self.ready.contains(msg_id);
        let oldest = self.kept.iter().find(|(id, kept)| kept.sent && !waits(id)).map(|(id, _)| *id)?;
        self.remove(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: u64, seqno: i32, size: usize) -> Outgoing {
        Outgoing { msg_id: MsgId(id), seqno, body: vec![0; size], again: false }
    }

    fn add(outbox: &mut Outbox, message: Outgoing, limits: &Limits) -> Result<(), CloseReason> {
        outbox.add(message, None, Duration::ZERO, limits)
    }

    fn ids(taken: &[Outgoing]) -> Vec<u64> {
        taken.iter().map(|message| message.msg_id.0).collect()
    }

    // rule: MS-13
    #[test]
    fn only_content_related_messages_are_kept_and_sent_again() {
        let (mut outbox, limits) = (Outbox::default(), Limits::default());
        add(&mut outbox, message(5, 1, 4), &limits).unwrap();
        add(&mut outbox, message(9, 2, 4), &limits).unwrap();
        assert_eq!(ids(&outbox.take(10, 1000)), [5, 9]);
        outbox.all_again();
        let again = outbox.take(10, 1000);
        assert_eq!((ids(&again), again[0].again), (vec![5], true));
        assert!(outbox.remove(MsgId(5)).is_some());
        outbox.all_again();
        assert!(outbox.take(10, 1000).is_empty());
    }

    #[test]
    fn a_packet_is_bounded_but_never_empty() {
        let (mut outbox, limits) = (Outbox::default(), Limits::default());
        for id in [1, 5, 9, 13] {
            add(&mut outbox, message(id, 1, 100), &limits).unwrap();
        }
        assert_eq!(ids(&outbox.take(10, 50)), [1]);
        assert_eq!(ids(&outbox.take(10, 200)), [5, 9]);
        assert_eq!(ids(&outbox.take(10, 200)), [13]);
    }

    #[test]
    fn what_was_sent_makes_room_and_what_waits_does_not() {
        let (mut outbox, limits) = (Outbox::default(), Limits { outbox_bytes: 250, ..Limits::default() });
        add(&mut outbox, message(1, 1, 100), &limits).unwrap();
        outbox.take(1, 1000);
        add(&mut outbox, message(5, 3, 100), &limits).unwrap();
        add(&mut outbox, message(9, 5, 100), &limits).unwrap();
        assert!(!outbox.knows(MsgId(1)) && outbox.knows(MsgId(5)));
        assert_eq!(add(&mut outbox, message(13, 7, 100), &limits), Err(CloseReason::Flood));
    }

    // rule: MS-13
    #[test]
    fn after_ten_minutes_what_was_sent_is_forgotten() {
        let (mut outbox, limits) = (Outbox::default(), Limits::default());
        add(&mut outbox, message(1, 1, 4), &limits).unwrap();
        outbox.forget_before(Duration::from_secs(601));
        assert!(outbox.knows(MsgId(1)));
        outbox.take(1, 1000);
        outbox.forget_before(Duration::from_secs(601));
        assert!(!outbox.knows(MsgId(1)));
    }
}
