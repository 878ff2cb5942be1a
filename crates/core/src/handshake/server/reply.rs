//! What a peer is told when its query is refused: decided here and nowhere else.

use super::event::{HandshakeEvent, PutOff};
use crate::handshake::SpecCheck;
use crate::mutant;

/// Why a query is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// It failed a check before the private-key operation of its run.
    Early(SpecCheck),
    /// It failed a check, or we failed, after the private-key operation of its run.
    Late,
    /// The strict policy does not serve its dc.
    Dc(i32),
    /// Not now.
    PutOff(PutOff),
}

/// The transport error of a refusal.
///
/// Whatever fails after the private-key operation gets the same error, so that the server is no oracle; the one
/// exception is the dc, which is looked at when everything else is known to be right (rules HS-12, HS-14, HS-15).
pub(super) fn wire_reply(refusal: Refusal) -> i32 {
    match refusal {
        Refusal::Early(SpecCheck::UnknownRun) => mutant!("HS-33.not-found", -404, -429),
        Refusal::Early(_) | Refusal::Late => -404,
        Refusal::Dc(_) => -444,
        Refusal::PutOff(_) => -429,
    }
}

impl Refusal {
    /// Whether the run is spent by it (rule HS-15): by everything that is wrong, but not by a late repeat of an earlier
    /// query (rule HS-32) and not by what is merely put off.
    pub(super) fn spends(self) -> bool {
        let earlier = matches!(self, Self::Early(SpecCheck::EarlierQuery));
        !matches!(self, Self::PutOff(_)) && !mutant!("HS-32.stays", earlier, false)
    }

    /// What the log is told.
    pub(super) fn event(self) -> HandshakeEvent {
        match self {
            Self::Early(check) => HandshakeEvent::Refused { check },
            Self::Late => HandshakeEvent::RefusedAfterDecryption,
            Self::Dc(dc) => HandshakeEvent::WrongDc { dc },
            Self::PutOff(reason) => HandshakeEvent::PutOff { reason },
        }
    }
}

impl From<SpecCheck> for Refusal {
    fn from(check: SpecCheck) -> Self {
        Self::Early(check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // rule: HS-12, HS-14
    #[test]
    fn only_the_dc_is_answered_apart() {
        for check in SpecCheck::ALL {
            assert_eq!(wire_reply(Refusal::Early(*check)), -404, "{check:?}");
        }
        assert_eq!(wire_reply(Refusal::Late), -404);
        assert_eq!(wire_reply(Refusal::Dc(7)), -444);
        assert_eq!(wire_reply(Refusal::PutOff(PutOff::Store)), -429);
    }
}
