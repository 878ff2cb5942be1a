//! How a session begins: rule MS-11.

use dayfly_tl::mtproto::NewSessionCreated;
use dayfly_tl::read_exact;

use super::get_config;
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe};
use crate::verdict::{Outcome, failed};

cases! {
    "MS-11/1" Must "the first message of a session"
        why "a client that is not told of a new session waits for answers that the server has forgotten"
        expected "new_session_created with its msg_id, and a salt that is taken"
        created;
    "MS-11/2" Must "the messages after it"
        why "a client that is told so again sends all its calls a second time"
        expected "no second new_session_created"
        created_once;
    "MS-11/3" Must "a second session under the same key"
        why "by the same unique_id a client takes it for news that it has had"
        expected "new_session_created with another unique_id"
        another_unique_id;
    "MS-11/4" Compat "a container as the first message"
        why "clients send everything below first_msg_id again: a call in the container would run twice"
        expected "first_msg_id is the lowest msg_id in it"
        container_first;
    "MS-11/5" Compat "a later message below first_msg_id"
        why "a client that was told first_msg_id takes a message below it for lost"
        expected "new_session_created once more, with the lower msg_id"
        below_the_first;
}

/// What was said of new sessions, in the order in which it came.
fn notices(line: &Line) -> Vec<NewSessionCreated> {
    let notices = line.unasked(NewSessionCreated::CONSTRUCTOR).into_iter();
    notices
        .filter(|message| message.session == line.talk.session)
        .filter_map(|message| read_exact(&message.body).ok())
        .collect()
}

/// A session of one ping, and that ping's msg_id.
async fn pinged(probe: &mut Probe) -> Outcome<(Line, i64)> {
    let made = probe.perm().await?;
    let mut line = probe.line(&made).await?;
    let said = line.ping(&mut probe.dice);
    line.ask(&said, "a ping as the first message", &mut probe.dice).await?;
    line.goes_on(&mut probe.dice).await?;
    Ok((line, said.msg_id))
}

async fn created(probe: &mut Probe) -> Outcome {
    let (mut line, first) = pinged(probe).await?;
    let notices = notices(&line);
    let Some(notice) = notices.first() else { return failed("no new_session_created came") };
    if notice.first_msg_id != first {
        return failed("first_msg_id is not the msg_id of the first message");
    }
    line.talk.salt = notice.server_salt;
    line.goes_on(&mut probe.dice).await
}

async fn created_once(probe: &mut Probe) -> Outcome {
    let mut line = probe.caller().await?;
    line.call(&get_config(), "help.getConfig", &mut probe.dice).await?.ok();
    for _ in 0..5 {
        line.goes_on(&mut probe.dice).await?;
    }
    // On a new connection of the session too.
    probe.move_on(&mut line).await?;
    line.goes_on(&mut probe.dice).await?;
    let mut ids: Vec<_> =
        notices(&line).iter().map(|notice| (notice.unique_id, notice.first_msg_id)).collect();
    // What was not acknowledged comes again: that is the same notice.
    ids.dedup();
    match ids.len() {
        0 => failed("no new_session_created came"),
        1 => Ok(()),
        count => failed(format!("{count} different ones came")),
    }
}

async fn another_unique_id(probe: &mut Probe) -> Outcome {
    let (line, _) = pinged(probe).await?;
    let mut second = probe.beside(&line).await?;
    second.goes_on(&mut probe.dice).await?;
    second.goes_on(&mut probe.dice).await?;
    match (notices(&line).first(), notices(&second).first()) {
        (Some(first), Some(second)) if first.unique_id != second.unique_id => Ok(()),
        (Some(_), Some(_)) => failed("both have the same unique_id"),
        _ => failed("no new_session_created came"),
    }
}

async fn container_first(probe: &mut Probe) -> Outcome {
    let made = probe.perm().await?;
    let mut line = probe.line(&made).await?;
    let pings = [line.ping(&mut probe.dice), line.ping(&mut probe.dice)];
    let container = line.talk.together(&pings);
    line.send(&container, "a container of two pings as the first message", &mut probe.dice).await?;
    let [first, second] = pings;
    line.fate_of(&second).await?;
    line.goes_on(&mut probe.dice).await?;
    match notices(&line).first() {
        Some(notice) if notice.first_msg_id == first.msg_id => Ok(()),
        Some(_) => failed("first_msg_id is another one"),
        None => failed("no new_session_created came"),
    }
}

async fn below_the_first(probe: &mut Probe) -> Outcome {
    let made = probe.perm().await?;
    let mut line = probe.line(&made).await?;
    let mut early = line.ping(&mut probe.dice);
    early.seqno = 0;
    line.greet(&mut probe.dice).await?;
    line.send(&early, "a ping that is older than the first one", &mut probe.dice).await?;
    line.fate_of(&early).await?;
    line.goes_on(&mut probe.dice).await?;
    match notices(&line).iter().any(|notice| notice.first_msg_id == early.msg_id) {
        true => Ok(()),
        false => failed("no new_session_created with its msg_id came"),
    }
}
