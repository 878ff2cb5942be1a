//! The calls of a session: waiting, running, answered.

use std::collections::{BTreeMap, VecDeque};

use crate::mutant;
use crate::session::Limits;
use crate::session::msg_id::MsgId;

/// A call for whoever runs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IncomingCall {
    /// The msg_id of its message, by which it is answered.
    pub msg_id: MsgId,
    /// The serialized call, its wrappers still around it, unpacked if it was packed as a whole.
    pub body: Vec<u8>,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    /// It waits or runs, and is so many bytes long.
    Running { bytes: usize },
    /// This message answers it.
    Answered { by: MsgId },
    /// Its answer was acknowledged.
    Settled,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    progress: BTreeMap<MsgId, Progress>,
    waiting: VecDeque<IncomingCall>,
    running: usize,
    bytes: usize,
}

impl Calls {
    /// Whether calls of these lengths can be taken.
    pub(super) fn has_room(&self, lengths: impl Iterator<Item = usize>, limits: &Limits) -> bool {
        let (count, bytes) = lengths.fold((0_usize, 0_usize), |(count, bytes), length| {
            (count.saturating_add(1), bytes.saturating_add(length))
        });
        count == 0 || (self.running.saturating_add(count) <= limits.calls && bytes <= self.room(limits))
    }

    /// How many bytes of calls can still be taken.
    pub(super) fn room(&self, limits: &Limits) -> usize {
        limits.call_bytes.saturating_sub(self.bytes)
    }

    /// Takes a call that was not seen before, for which there is room.
    pub(super) fn add(&mut self, call: IncomingCall) {
        let bytes = call.body.len();
        self.running = self.running.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        self.progress.insert(call.msg_id, Progress::Running { bytes });
        self.waiting.push_back(call);
    }

    /// The next call to run.
    pub(super) fn next(&mut self) -> Option<IncomingCall> {
        let call = self.waiting.pop_front();
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new(); // most sessions are idle: they hold no memory for it
        }
        call
    }

    /// Whether the call waits or runs, so that an answer to it is wanted.
    pub(super) fn is_running(&self, call: MsgId) -> bool {
        matches!(self.progress(call), Some(Progress::Running { .. }))
    }

    pub(super) fn progress(&self, call: MsgId) -> Option<Progress> {
        self.progress.get(&call).copied()
    }

    /// `by` answers the call, for the first time or in the place of an answer that was forgotten.
    pub(super) fn answered(&mut self, call: MsgId, by: MsgId) {
        let before =
            self.progress.insert(call, mutant!("MS-03.answer", Progress::Answered { by }, Progress::Settled));
        if let Some(Progress::Running { bytes }) = before {
            self.running = self.running.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(bytes);
            self.waiting.retain(|waiting| waiting.msg_id != call);
        }
    }

    /// Nobody will ask for the answer again.
    pub(super) fn settled(&mut self, call: MsgId) {
        if let Some(progress @ Progress::Answered { .. }) = self.progress.get_mut(&call) {
            *progress = Progress::Settled;
        }
    }

    /// Forgets answered calls below `lowest`: their repeats are too old to be taken for new ones.
    pub(super) fn forget_below(&mut self, lowest: Option<MsgId>) {
        let Some(lowest) = lowest else { return };
        while let Some(entry) = self.progress.first_entry() {
            if *entry.key() >= lowest || matches!(entry.get(), Progress::Running { .. }) {
                return;
            }
            entry.remove();
        }
    }
}
