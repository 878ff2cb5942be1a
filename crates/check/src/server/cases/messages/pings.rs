//! Pings and waiting: rule MS-16.

use std::time::Duration;

use dayfly_tl::mtproto::{HttpWait, Ping, PingDelayDisconnect, Pong};
use dayfly_tl::{read_exact, to_bytes};

use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe};
use crate::server::talk::Message;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed};

cases! {
    "MS-16/1" Must "ping"
        why "a client that cannot tell its pongs apart cannot tell a dead connection"
        expected "pong with its msg_id and ping_id"
        pong;
    "MS-16/2" Must "pings of one session on two connections"
        why "a ping asks whether this connection lives, not another one"
        expected "each pong on the connection of its ping"
        same_connection;
    "MS-16/3" Must "ping_delay_disconnect of one second"
        why "connections of clients that are gone pile up"
        expected "pong, and the connection is closed when the second is over"
        disconnects;
    "MS-16/4" Must "ping_delay_disconnect of one second, then one of a minute"
        why "a client that keeps its connection alive so would lose it"
        expected "the connection stays open"
        prolonged;
    "MS-16/5" Compat "http_wait over TCP"
        why "clients that share one code for all transports send it there too"
        expected "it changes nothing"
        http_wait_means_nothing;
}

fn is_pong(message: &Message, msg_id: i64, ping_id: i64) -> Outcome {
    match read_exact::<Pong>(&message.body) {
        Ok(pong) if (pong.msg_id, pong.ping_id) == (msg_id, ping_id) => Ok(()),
        Ok(_) => failed("the pong has another msg_id or ping_id"),
        Err(_) => failed(format!("it got #{:08x}", message.constructor())),
    }
}

async fn pong(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    for ping_id in [0, -1, probe.dice.long()] {
        let said = line.talk.say(to_bytes(&Ping { ping_id }));
        let answer = line.ask(&said, "ping", &mut probe.dice).await?;
        is_pong(&answer, said.msg_id, ping_id)?;
    }
    Ok(())
}

async fn same_connection(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let mut other = probe.move_on(&mut line).await?;
    for _ in 0..4 {
        // A pong on the other connection would not be heard.
        line.goes_on(&mut probe.dice).await?;
        std::mem::swap(&mut line.wire, &mut other);
    }
    Ok(())
}

async fn ping_delay(line: &mut Line, disconnect_delay: i32, probe: &mut Probe) -> Outcome {
    let ping_id = probe.dice.long();
    let said = line.talk.say(to_bytes(&PingDelayDisconnect { ping_id, disconnect_delay }));
    let what = format!("ping_delay_disconnect of {disconnect_delay} s");
    let answer = line.ask(&said, &what, &mut probe.dice).await?;
    is_pong(&answer, said.msg_id, ping_id)
}

async fn disconnects(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    ping_delay(&mut line, 1, probe).await?;
    loop {
        match line.wire.hear().await? {
            Heard::Closed => return Ok(()),
            Heard::Payload(_) => {}
            other => return failed(format!("instead of its end came {}", other.told())),
        }
    }
}

async fn prolonged(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    ping_delay(&mut line, 1, probe).await?;
    ping_delay(&mut line, 60, probe).await?;
    match line.wire.hear_within(Duration::from_millis(1500)).await? {
        Heard::Closed => failed("it is closed after the first delay"),
        _ => line.goes_on(&mut probe.dice).await,
    }
}

async fn http_wait_means_nothing(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let wait = to_bytes(&HttpWait { max_delay: 10_000, wait_after: 10_000, max_wait: 10_000 });
    let said = line.talk.mention(wait);
    line.send(&said, "http_wait", &mut probe.dice).await?;
    line.goes_on(&mut probe.dice).await?;
    match line.notice_about(&said) {
        true => failed("it got bad_msg_notification"),
        false => Ok(()),
    }
}
