//! A line: one thing that the client does over one connection at a time, and goes on with over the next one.

use core::time::Duration;
use std::collections::BTreeMap;

use dayfly_crypto::AuthKeyId;

use crate::handshake::client::ClientHandshake;
use crate::keys::kind::{BoundTempKey, TrafficKey, UnboundTempKey};
use crate::keys::rotation::{RotationPlan, ServerClock};
use crate::session::client::{CallId as SessionCall, ClientSession};
use crate::transport::ClientTransport;

use super::event::{CallId, LinkId};

/// What a line is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum LineId {
    /// Makes the permanent key.
    Perm,
    /// Makes the next temporary key and binds it.
    Next,
    /// Carries calls.
    Active,
    /// Waits for the answers owed under the key before.
    Draining,
}

pub(super) struct Line {
    pub(super) link: Option<LinkId>,
    /// Set once the connection is up.
    pub(super) transport: Option<ClientTransport>,
    /// Connections in a row on which the server said nothing that makes sense.
    pub(super) failures: u32,
    pub(super) work: Work,
}

pub(super) enum Work {
    Handshake(Box<ClientHandshake>),
    Traffic(Box<Traffic>),
}

impl Line {
    pub(super) fn new(work: Work) -> Self {
        Self { link: None, transport: None, failures: 0, work }
    }

    pub(super) fn traffic(&mut self) -> Option<&mut Traffic> {
        match &mut self.work {
            Work::Traffic(traffic) => Some(traffic),
            Work::Handshake(_) => None,
        }
    }

    pub(super) fn handshake(&mut self) -> Option<&mut ClientHandshake> {
        match &mut self.work {
            Work::Handshake(handshake) => Some(handshake),
            Work::Traffic(_) => None,
        }
    }
}

/// How far the temporary key of a line has come.
pub(super) enum Standing {
    /// Made; the binding is not sent yet.
    Unbound(UnboundTempKey),
    /// `auth.bindTempAuthKey` is out, as this call.
    Binding(UnboundTempKey, SessionCall),
    /// Calls may go under it.
    Bound(BoundTempKey),
}

/// A temporary key and the session that speaks under it.
pub(super) struct Traffic {
    pub(super) key: TrafficKey,
    pub(super) standing: Standing,
    pub(super) session: ClientSession,
    pub(super) clock: ServerClock,
    pub(super) plan: RotationPlan,
    /// Which call of the owner each call of the session is.
    pub(super) calls: BTreeMap<SessionCall, Handed>,
    /// A call that carried client info was answered, so the server has it (rule PF-11).
    pub(super) greeted: bool,
    /// Bindings refused in a row.
    pub(super) refusals: u32,
    /// When it was bound.
    pub(super) bound_at: Option<Duration>,
}

/// A call of the owner that a session has.
#[derive(Clone, Copy)]
pub(super) struct Handed {
    pub(super) call: CallId,
    /// It went out without client info.
    pub(super) bare: bool,
}

impl Traffic {
    pub(super) fn id(&self) -> AuthKeyId {
        self.key.id()
    }

    pub(super) fn has_ended(&self, now: Duration) -> bool {
        now >= self.plan.ends_at
    }
}
