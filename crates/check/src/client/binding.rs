//! Verdicts over temporary keys: whether the client binds, and what it does when the binding fails or the key ends.

use std::time::Duration;

use dayfly_core::handshake::server::HandshakeEvent;
use dayfly_core::keys::requests::Lifetime;
use dayfly_core::observer::Direction;
use dayfly_core::server::{Event, KeyUse};
use dayfly_crypto::AuthKeyId;
use dayfly_tl::api::AuthBindTempAuthKey;
use dayfly_tl::read_exact;
use tokio::time::Instant;

use super::evidence::{Content, Did, Said, meddled};
use super::judge::{Look, watch};
use super::recovery::away;
use super::stage::Stage;
use crate::lab::{Fault, LabClock, LabConfig, LabEvent, Rule, Step, What};
use crate::verdict::{Outcome, Stop, failed, not_reached};

/// What the lab's server noticed, as far as it is about keys.
enum Noticed {
    Perm,
    Temp,
    Bound(AuthKeyId),
    BindRefused(&'static str),
    Call(KeyUse),
    CallRefused(KeyUse, &'static str),
}

fn noticed(event: &LabEvent) -> Option<Noticed> {
    let What::Server(event) = &event.what else { return None };
    Some(match event {
        Event::Handshake(HandshakeEvent::KeyMade { lifetime: Lifetime::Permanent, .. }) => Noticed::Perm,
        Event::Handshake(HandshakeEvent::KeyMade { .. }) => Noticed::Temp,
        Event::Bound { perm, .. } => Noticed::Bound(*perm),
        Event::BindRefused { error, .. } => Noticed::BindRefused(error),
        Event::Call { key_use, .. } => Noticed::Call(*key_use),
        Event::CallRefused { key_use, error, .. } => Noticed::CallRefused(*key_use, error),
        _ => return None,
    })
}

/// Whether a call came under a permanent key.
pub(super) fn calls_under_permanent(event: &LabEvent) -> bool {
    matches!(noticed(event), Some(Noticed::Call(KeyUse::Permanent)))
}

pub(super) fn none_temporary<T>() -> Outcome<T> {
    not_reached("the client makes no temporary keys")
}

/// The client ended; `temp` tells whether it had made a temporary key.
fn gave_up(temp: bool) -> Outcome {
    if temp { failed("it gave up: it ended without binding again") } else { none_temporary() }
}

/// The binding request of a message: its temporary and its permanent key, and expires_at.
fn bind_of(said: &Said) -> Option<(AuthKeyId, AuthKeyId, i32)> {
    let Content::Call { query, .. } = &said.content else { return None };
    let bind: AuthBindTempAuthKey<'_> = read_exact(query).ok()?;
    Some((said.key, AuthKeyId::from_long(bind.perm_auth_key_id), bind.expires_at))
}

/// What is looked for in an exchange in which nothing is altered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Habit {
    /// Calls go under a bound temporary key alone.
    CallsUnderBound,
    /// Nothing but what is allowed goes under an unbound one.
    WaitsForBinding,
    /// The first binding is right in every field.
    BindsRight,
    /// The client says who it is after the binding, or around it.
    IntroducesItself,
    /// The temporary key is begun before the permanent one is made.
    Parallel,
}

/// An exchange in which nothing is altered, up to the first call under a bound key.
pub(super) async fn has_habit(stage: &mut Stage, habit: Habit) -> Outcome {
    stage.begin(Vec::new()).await?;
    let (mut temp, mut alone, mut bound, mut introduced) = (false, false, false, false);
    watch(stage, |look, ledger| {
        let Look::Event(event, did) = look else { return None };
        if let Some(Did::Sealed(said)) = &did {
            let calls = said.iter().filter(|said| said.method().is_some());
            introduced |= calls
                .filter(|said| bound || said.is_bind())
                .any(|said| matches!(said.content, Content::Call { introduced: true, .. }));
        }
        match noticed(event)? {
            Noticed::Perm => {
                alone = !temp && ledger.begun() < 2;
                (habit == Habit::Parallel && !alone).then_some(Ok(()))
            }
            Noticed::Temp => {
                temp = true;
                (habit == Habit::Parallel && alone).then(one_at_a_time)
            }
            Noticed::Bound(_) => {
                bound = true;
                (habit == Habit::BindsRight).then_some(Ok(()))
            }
            Noticed::BindRefused(error) => {
                (habit == Habit::BindsRight).then(|| failed(format!("the bind got {error}")))
            }
            Noticed::CallRefused(KeyUse::Unbound, error) if habit == Habit::WaitsForBinding => {
                Some(failed(format!("it called before the binding: {error}")))
            }
            Noticed::Call(KeyUse::Permanent) | Noticed::CallRefused(KeyUse::Permanent, _) => {
                Some(if temp { failed("it called under the permanent key") } else { none_temporary() })
            }
            Noticed::Call(KeyUse::Bound) => Some(match habit {
                Habit::IntroducesItself if !introduced => {
                    failed("its first call after the binding is not in initConnection, nor was the binding")
                }
                _ => Ok(()),
            }),
            _ => None,
        }
    })
    .await
}

fn one_at_a_time() -> Outcome {
    failed("the permanent key was made before any other exchange was begun")
}

/// The lab's clock is far from the client's: expires_at has to be counted by the lab's.
pub(super) async fn goes_by_server_time(stage: &mut Stage, years: i64) -> Outcome {
    let set = |config: &mut LabConfig| {
        config.clock = LabClock::at(away(config.clock.now().unix, years * 365 * 86_400));
    };
    stage.begin_with(Vec::new(), set).await?;
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else { return None };
        if let Some(Did::Sealed(said)) = &did {
            let bind = said.iter().find_map(bind_of);
            if let Some((.., expires_at)) = bind {
                let left = i64::from(expires_at) - i64::try_from(event.at.as_secs()).unwrap_or(i64::MAX);
                // Two days are the longest that a temporary key is asked for; some clients add half a minute.
                return Some(match left {
                    1..=180_000 => Ok(()),
                    _ => failed(format!("expires_at is {left} s from the server's time")),
                });
            }
        }
        matches!(noticed(event)?, Noticed::Call(KeyUse::Permanent)).then(none_temporary)
    })
    .await
}

/// What a client is to do when its binding was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Then {
    /// Bind to the same permanent key again, whichever temporary key.
    BindAgain,
    /// Make another temporary key and bind it to the same permanent one.
    OtherTemp,
}

/// The first binding is refused in this way.
pub(super) async fn after_refusal(stage: &mut Stage, fault: Fault, then: Then) -> Outcome {
    stage.begin(vec![Rule::once(fault)]).await?;
    let (mut asked, mut temp, mut refused) = (None, false, false);
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else {
            return refused.then(|| gave_up(temp));
        };
        refused |= meddled(event).is_some_and(|(acted, _)| acted == fault);
        match noticed(event) {
            Some(Noticed::Perm) if refused && temp => return Some(failed("it made another permanent key")),
            Some(Noticed::Temp) => temp = true,
            Some(Noticed::Call(KeyUse::Permanent)) if !temp => return Some(none_temporary()),
            _ => {}
        }
        let Did::Sealed(said) = did? else { return None };
        let bind = said.iter().find_map(bind_of);
        if !refused {
            asked = bind.or(asked);
            return None;
        }
        match bind {
            Some(again) => Some(bound_again(asked?, again, then)),
            None => said.iter().any(|said| said.method().is_some()).then(|| went_on(fault)),
        }
    })
    .await
}

fn bound_again(
    (temp, perm, _): (AuthKeyId, AuthKeyId, i32),
    (other, same, _): (AuthKeyId, AuthKeyId, i32),
    then: Then,
) -> Outcome {
    match then {
        _ if perm != same => failed("it bound to another permanent key"),
        Then::OtherTemp if temp == other => failed("it bound the same temporary key again"),
        _ => Ok(()),
    }
}

/// A call that is no binding, after a binding that was refused.
fn went_on(fault: Fault) -> Outcome {
    match fault {
        Fault::BindFalse | Fault::BindNotBool => failed("it went on as if the answer had been boolTrue"),
        _ => Err(Stop::Undecided("it made a call that is allowed before the binding too".into())),
    }
}

/// ENCRYPTED_MESSAGE_INVALID again and again: after 60 s, and not before, the permanent key is given up.
pub(super) async fn gives_up_an_old_key(stage: &mut Stage) -> Outcome {
    stage.begin(vec![Rule::always(Fault::BindInvalid)]).await?;
    stage.patience = Duration::from_secs(90);
    let (mut made, mut refusals) = (None, 0_u32);
    watch(stage, |look, _| {
        let Look::Event(event, _) = look else { return (refusals > 0).then(|| failed("it gave up")) };
        refusals += u32::from(meddled(event).is_some());
        match noticed(event)? {
            Noticed::Call(KeyUse::Permanent) => Some(none_temporary()),
            Noticed::Perm => match made {
                None => {
                    made = Some(Instant::now());
                    None
                }
                Some(since) if since.elapsed() < Duration::from_secs(59) => Some(failed(format!(
                    "it gave up a permanent key that was {} s old",
                    since.elapsed().as_secs()
                ))),
                Some(_) => Some(Ok(())),
            },
            _ => None,
        }
    })
    .await
}

/// The server knows the temporary key no more, or says so: another one has to be made and bound to the same permanent key.
pub(super) async fn makes_another(stage: &mut Stage, fault: Fault, step: Step) -> Outcome {
    stage.begin(vec![Rule::once(fault).at(step)]).await?;
    let (mut key, mut bound, mut temp, mut lost) = (None, None, false, false);
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else { return lost.then(|| gave_up(temp)) };
        lost |= meddled(event).is_some_and(|(acted, _)| acted == fault);
        match noticed(event) {
            Some(Noticed::Perm) if lost && temp => return Some(failed("it made another permanent key")),
            Some(Noticed::Temp) => temp = true,
            Some(Noticed::Call(KeyUse::Permanent)) => return Some(none_temporary()),
            Some(Noticed::Bound(perm)) if !lost => bound = Some(perm),
            Some(Noticed::Bound(perm)) => {
                return Some(if bound.is_none_or(|before| before == perm) {
                    Ok(())
                } else {
                    failed("it bound the new key to another permanent key")
                });
            }
            _ => {}
        }
        let Did::Sealed(said) = did? else { return None };
        let of = said.first()?.key;
        if !lost {
            key = Some(of);
            return None;
        }
        (key == Some(of)).then(|| {
            Err(Stop::Undecided("it went on under the key that it was told is gone, which lives here".into()))
        })
    })
    .await
}

/// The salts were turned over: the binding gets bad_server_salt, and has to be made anew for its new msg_id.
pub(super) async fn binds_anew(stage: &mut Stage) -> Outcome {
    stage.begin(vec![Rule::always(Fault::Salt)]).await?;
    let mut binds = Vec::new();
    watch(stage, |look, _| {
        let Look::Event(event, did) = look else { return (!binds.is_empty()).then(|| failed("it gave up")) };
        if let Some(Did::Sealed(said)) = &did {
            binds.extend(said.iter().filter(|said| said.is_bind()).map(|said| said.msg_id));
        }
        match noticed(event)? {
            Noticed::Bound(_) if binds.len() > 1 => Some(Ok(())),
            Noticed::Bound(_) => Some(not_reached("its salt was right before the binding")),
            Noticed::BindRefused(error) => Some(failed(format!("the bind got {error}"))),
            Noticed::Call(KeyUse::Permanent) => Some(none_temporary()),
            _ => None,
        }
    })
    .await
}

/// Nothing is altered, and the lab's server has nothing to object to what comes under a key.
pub(super) async fn is_not_objected_to(stage: &mut Stage) -> Outcome {
    stage.begin(Vec::new()).await?;
    let mut called = 0_u32;
    watch(stage, |look, _| {
        let Look::Event(event, _) = look else { return (called > 0).then_some(Ok(())) };
        if let What::Sealed { direction: Direction::Out, body, .. } = &event.what
            && let Some(code) = objection(body)
        {
            return Some(failed(format!("the server answered bad_msg_notification {code}")));
        }
        if let Some(Noticed::Call(_)) = noticed(event) {
            called += 1;
        }
        (called > 2).then_some(Ok(()))
    })
    .await
}

/// The code of a bad_msg_notification.
pub(super) fn objection(body: &[u8]) -> Option<i32> {
    let notice: dayfly_tl::mtproto::BadMsgNotificationPlain = read_exact(body).ok()?;
    Some(notice.error_code)
}
