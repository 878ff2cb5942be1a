//! What went over the wire in a case, in words.

use std::sync::{Arc, Mutex, PoisonError};

/// One thing that happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Happened {
    /// The suite sent something.
    Sent(String),
    /// The peer did something.
    Got(String),
}

/// The trace of one case, shared by its connections.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<Happened>>>);

impl Trace {
    pub(crate) fn sent(&self, what: impl Into<String>) {
        self.add(Happened::Sent(what.into()));
    }

    pub(crate) fn got(&self, what: impl Into<String>) {
        self.add(Happened::Got(what.into()));
    }

    fn add(&self, happened: Happened) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(happened);
    }

    /// All of it, in its order.
    pub(crate) fn take(&self) -> Vec<Happened> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
