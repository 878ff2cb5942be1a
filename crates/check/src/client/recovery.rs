//! Verdicts over calls that need a second attempt: the key is lost, or the clocks part.

use std::collections::BTreeSet;
use std::time::Duration;

use dayfly_core::observer::Direction;
use dayfly_core::server::Event;

use super::binding::{calls_under_permanent, none_temporary, objection};
use super::evidence::{Did, Said, meddled};
use super::judge::{Look, watch};
use super::stage::Stage;
use crate::lab::{Fault, LabClock, Rule, Step, What};
use crate::verdict::{Outcome, failed};

/// The code of bad_msg_notification for a msg_id that is too low.
const TOO_LOW: i32 = 16;
/// A client that has got more notices than this does not believe them. Several messages may have been on their way.
const NOTICES: u32 = 12;

/// -404 comes instead of the answer to the first call: the call has to be made again, under another key.
pub(super) async fn calls_once_more(stage: &mut Stage) -> Outcome {
    stage.begin(vec![Rule::once(Fault::Error404).at(Step::Call)]).await?;
    let (mut called, mut lost) = (BTreeSet::new(), false);
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else {
            return lost.then(|| failed("it gave up: it ended without calling again"));
        };
        if calls_under_permanent(event) {
            return Some(none_temporary());
        }
        lost |= meddled(event).is_some();
        let Did::Sealed(said) = did? else { return None };
        let mut methods = said.iter().filter(|said| !said.is_bind()).filter_map(Said::method);
        if !lost {
            called.extend(methods);
            return None;
        }
        let method = methods.next()?;
        Some(if called.contains(&method) {
            Ok(())
        } else {
            failed(format!(
                "it went on with the call #{method:08x}, and the one that was lost did not come again"
            ))
        })
    })
    .await
}

/// The lab's clock is set ahead once a call was answered: what the client sends next gets bad_msg_notification 16, and has to come
/// again by the lab's time.
///
/// Not behind: within a session msg_ids only grow, and those of a client that goes by the lab's time could not follow.
pub(super) async fn corrects_its_clock(stage: &mut Stage, seconds: i64) -> Outcome {
    let mut clock = LabClock::default();
    stage.begin_with(Vec::new(), |config| clock = config.clock.clone()).await?;
    let (mut moved, mut notices) = (false, 0);
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else {
            return moved.then(|| failed("it gave up: it ended without calling again"));
        };
        match &event.what {
            What::Server(Event::Call { .. }) if notices > 0 => return Some(Ok(())),
            What::Server(Event::Call { .. }) if !moved => {
                moved = true;
                clock.set(away(clock.now().unix, seconds));
            }
            What::Sealed { direction: Direction::Out, body, .. } => {
                notices += u32::from(objection(body) == Some(TOO_LOW));
            }
            _ => {}
        }
        match did {
            _ if notices > NOTICES => {
                Some(failed(format!("after {notices} notices it goes by its own time")))
            }
            Some(Did::Asked(_)) if notices > 0 => {
                Some(failed("it made new keys, though nothing is wrong with the old ones"))
            }
            _ => None,
        }
    })
    .await
}

/// The time so many seconds after `unix`, or before.
pub(super) fn away(unix: Duration, seconds: i64) -> Duration {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { unix.saturating_sub(by) } else { unix.saturating_add(by) }
}
