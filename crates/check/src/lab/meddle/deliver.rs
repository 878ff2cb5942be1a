//! What becomes of an answer on its way: altered as a whole, late, twice, not at all.

use dayfly_core::plain as plain_message;

use super::{Act, Call, Meddler, Message, Planned};
use crate::dice::Dice;
use crate::lab::fault::Fault;

/// A payload, and the fault that altered it.
type Packet = (Vec<u8>, Option<Fault>);

impl Meddler {
    /// What becomes of an answer on its way.
    pub(super) fn deliver(
        &mut self,
        connection: u64,
        packets: Vec<Packet>,
        honest: Vec<u8>,
        plan: &[Planned],
    ) -> Vec<Act> {
        let mut acts = Vec::new();
        for planned in plan {
            let Planned { fault, late, .. } = *planned;
            let error = |code| vec![Act::Error { code, fault, honest: honest.clone() }];
            match fault {
                Fault::Error404 => return error(-404),
                Fault::Error429 => return error(-429),
                Fault::Error444 => return error(-444),
                Fault::Dropped => return vec![Act::Nothing { fault, honest }],
                Fault::Close => return vec![Act::Close { fault, honest }],
                Fault::Late => {
                    let later = |(payload, _)| Act::Later { after: late, payload, fault };
                    return packets.into_iter().map(later).collect();
                }
                Fault::Reordered => {
                    let held = self.held.entry(connection).or_default();
                    held.extend(packets.into_iter().map(|(payload, _)| (fault, payload)));
                    return vec![Act::Nothing { fault, honest }];
                }
                Fault::Nop => acts.push(Act::Send { payload: vec![0; 4], fault: Some((fault, Vec::new())) }),
                _ => {}
            }
        }
        let altered = |(payload, by): &Packet| Act::Send {
            payload: payload.clone(),
            fault: by.map(|by| (by, honest.clone())),
        };
        acts.extend(packets.iter().map(altered));
        if plan.iter().any(|planned| planned.fault == Fault::Doubled) {
            let again = |(payload, _)| Act::Send { payload, fault: Some((Fault::Doubled, Vec::new())) };
            acts.extend(packets.into_iter().map(again));
        }
        acts
    }
}

/// The plain message around an altered answer.
pub(super) fn framed(payload: &[u8], body: &[u8], plan: &[Planned], by: &mut Option<Fault>) -> Vec<u8> {
    let id = payload.get(8..).and_then(<[u8]>::first_chunk).copied();
    let mut msg_id = id.map(i64::from_le_bytes).unwrap_or_default();
    let mut mark = |fault: Fault| {
        let planned = plan.iter().any(|planned| planned.fault == fault);
        *by = if planned { Some(fault) } else { *by };
        planned
    };
    if mark(Fault::PlainMsgId) {
        msg_id &= !3;
    }
    let mut whole = plain_message::write(msg_id, body);
    if mark(Fault::PlainLength) {
        let says = u32::try_from(body.len()).unwrap_or(u32::MAX).saturating_add(400);
        whole.iter_mut().skip(16).zip(says.to_le_bytes()).for_each(|(byte, new)| *byte = new);
    }
    whole
}

/// The packets in the place of an answer; none if no fault alters it.
pub(super) fn altered_packets(
    part: &Message,
    plan: &[Planned],
    call: Option<Call>,
    dice: &mut Dice,
) -> Vec<Packet> {
    let Some(call) = call else { return Vec::new() };
    let altering = plan.iter().find(|planned| planned.fault.step().is_some());
    let Some(planned) = altering else { return Vec::new() };
    let packets = part.altered(planned.fault, &call, dice).unwrap_or_default();
    let mut packets: Vec<_> = packets.into_iter().map(|packet| (packet, Some(planned.fault))).collect();
    let follow_up = part.follow_up().filter(|_| planned.follow_up);
    packets.extend(follow_up.and_then(|message| message.seal(dice)).map(|packet| (packet, None)));
    packets
}
