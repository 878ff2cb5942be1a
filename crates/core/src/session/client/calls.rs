//! The calls of a client's session: to be sent, sent, to be asked after.

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use dayfly_crypto::{RandomError, SecureRandom};

use crate::mutant;
use crate::session::SessionId;
use crate::session::msg_id::MsgId;

/// Names a call of one session.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallId(pub u64);

/// Builds the body of a call for one msg_id, anew for another: a bind (rule PF-21).
pub type BuildCall =
    Box<dyn FnMut(MsgId, SessionId, &mut dyn SecureRandom) -> Result<Vec<u8>, RandomError> + Send>;

/// Where the body of a call comes from.
pub(super) enum Source {
    /// The same under every msg_id.
    Body(Vec<u8>),
    /// Made for each msg_id; the last one made, for it to be sent again as it is.
    Built { build: BuildCall, last: Vec<u8> },
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(body) => write!(f, "Body({} bytes)", body.len()),
            Self::Built { .. } => f.write_str("Built(..)"),
        }
    }
}

impl Source {
    pub(super) fn body(&self) -> &[u8] {
        match self {
            Self::Body(body) | Self::Built { last: body, .. } => body,
        }
    }
}

/// A call that is not answered.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) source: Source,
    /// msg_id and seqno under which it goes; none before it is sent, and when it is to get new ones.
    pub(super) message: Option<(MsgId, i32)>,
    /// All msg_ids it ever had: an answer to any of them is its answer.
    ids: Vec<MsgId>,
    /// How often it went out under its present msg_id.
    pub(super) sent: u32,
    /// The server has it.
    pub(super) acknowledged: bool,
    /// How many notices refused it.
    notices: u32,
    /// When to ask what became of it, and how long to wait for the time after that.
    due: Option<Duration>,
    patience: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: BTreeMap<CallId, Call>,
    by_msg_id: BTreeMap<MsgId, CallId>,
    ready: BTreeSet<CallId>,
    dues: BTreeSet<(Duration, CallId)>,
    next: u64,
}

impl Calls {
    pub(super) fn add(&mut self, source: Source, patience: Duration) -> CallId {
        let id = CallId(self.next);
        self.next = self.next.wrapping_add(1);
        self.calls.insert(
            id,
            Call {
                source,
                message: None,
                ids: Vec::new(),
                sent: 0,
                acknowledged: false,
                notices: 0,
                due: None,
                patience,
            },
        );
        self.ready.insert(id);
        id
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// The call that has or had this msg_id: what an answer is for.
    pub(super) fn find(&self, msg_id: MsgId) -> Option<CallId> {
        self.by_msg_id.get(&msg_id).copied()
    }

    /// The call that goes under this msg_id now: what a notice is about. One about an earlier msg_id comes
    /// too late.
    pub(super) fn current(&self, msg_id: MsgId) -> Option<CallId> {
        let id = self.find(msg_id)?;
        let (current, _) = self.calls.get(&id)?.message?;
        (current == msg_id).then_some(id)
    }

    pub(super) fn get_mut(&mut self, id: CallId) -> Option<&mut Call> {
        self.calls.get_mut(&id)
    }

    pub(super) fn first_ready(&self) -> Option<CallId> {
        self.ready.first().copied()
    }

    /// The call got a msg_id.
    pub(super) fn named(&mut self, id: CallId, msg_id: MsgId, seqno: i32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.message = Some((msg_id, seqno));
        call.ids.push(msg_id);
        self.by_msg_id.insert(msg_id, id);
    }

    /// The call goes out now.
    pub(super) fn sent(&mut self, id: CallId, now: Duration) {
        self.ready.remove(&id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.sent = call.sent.saturating_add(1);
        }
        self.wait(id, now);
    }

    /// Asks after the call when its time is up, then after twice that.
    pub(super) fn wait(&mut self, id: CallId, now: Duration) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(due) = call.due.take() {
            self.dues.remove(&(due, id));
        }
        let due = now.saturating_add(call.patience);
        call.due = Some(due);
        call.patience = call.patience.saturating_mul(2).min(MAX_PATIENCE);
        self.dues.insert((due, id));
    }

    /// The next call that was not heard of in time.
    pub(super) fn next_due(&self, now: Duration) -> Option<CallId> {
        self.dues.first().filter(|(due, _)| *due <= now).map(|(_, id)| *id)
    }

    pub(super) fn first_due(&self) -> Option<Duration> {
        self.dues.first().map(|(due, _)| *due)
    }

    /// The server has the message.
    pub(super) fn acknowledge(&mut self, msg_id: MsgId) {
        let Some(id) = self.current(msg_id) else { return };
        if let Some(call) = self.calls.get_mut(&id) {
            call.acknowledged = true;
            self.ready.remove(&id);
        }
    }

    /// Sends the call again under the same msg_id.
    pub(super) fn again(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.acknowledged = false;
            self.ready.insert(id);
        }
    }

    /// Sends the call again under a new msg_id, for under the present one it was refused.
    pub(super) fn anew(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.message = None;
            call.sent = 0;
            call.acknowledged = false;
            self.ready.insert(id);
        }
    }

    /// Counts a notice that refused the call; `false` if it was one too many.
    pub(super) fn refused(&mut self, id: CallId) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return true };
        call.notices = call.notices.saturating_add(1);
        call.notices <= MAX_NOTICES
    }

    /// All that was sent and not acknowledged goes out again (rule MS-13).
    pub(super) fn all_again(&mut self) {
        let lost = |call: &Call| mutant!("MS-13.client-again", call.sent > 0 && !call.acknowledged, false);
        self.ready.extend(self.calls.iter().filter(|(_, call)| lost(call)).map(|(id, _)| *id));
    }

    /// Calls that went out under a msg_id below `first`.
    pub(super) fn below(&self, first: MsgId) -> Vec<CallId> {
        self.by_msg_id.range(..first).filter_map(|(msg_id, _)| self.current(*msg_id)).collect()
    }

    /// The call is over.
    pub(super) fn remove(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        for msg_id in &call.ids {
            self.by_msg_id.remove(msg_id);
        }
        if let Some(due) = call.due {
            self.dues.remove(&(due, id));
        }
        self.ready.remove(&id);
        Some(call)
    }

    pub(super) fn ids(&self) -> Vec<CallId> {
        self.calls.keys().copied().collect()
    }
}

/// The longest time between two questions after a call.
const MAX_PATIENCE: Duration = Duration::from_secs(60);
/// After so many notices a call fails: correcting clock and salt does not help it.
const MAX_NOTICES: u32 = 8;
