//! The end of a temporary key: rules PF-01, PF-09 and PF-15. Keys of a few seconds make it short.

use std::time::Duration;

use dayfly_tl::api::HelpGetConfig;
use dayfly_tl::to_bytes;
use tokio::time::{Instant, sleep};

use super::{introduced, is_true, tried};
use crate::case::cases;
use crate::server::Entry;
use crate::server::probe::{Line, Probe};
use crate::server::talk::Made;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, Stop, failed, not_reached};

/// How many seconds a key lives; the longer ones where the machine is too slow for the shorter.
const LIVES: [i32; 3] = [2, 4, 8];
/// How long after its end a key may still serve: clocks have whole seconds, and servers sweep now and then.
const GRACE: Duration = Duration::from_secs(4);
/// How often is looked.
const PAUSE: Duration = Duration::from_millis(200);

cases! {
    "PF-01/1" Must "an unbound temporary key after expires_in"
        why "a key that outlives its time is one more that can be taken from the server's memory"
        expected "-404"
        unbound_ends;
    "PF-15/1" Must "a bound temporary key after its end"
        why "what was recorded can be read as long as the key exists: its end is the forward secrecy"
        expected "-404 on a new connection"
        bound_ends;
    "PF-15/2" Compat "the open connection of a key at its end"
        why "a client that is not told waits for answers and updates that never come"
        expected "-404 without being asked, and the connection closes"
        open_connection_is_told;
    "PF-09/10" Must "a bind until later than the key's own end"
        why "by its binding a key could be made to live for ever"
        expected "boolTrue, and -404 on the open connection at the key's own end"
        cut_to_its_own_end;
    "PF-09/11" Must "a bind until earlier than the key's own end"
        why "the client forgets the key then: what the server keeps longer is there for whoever takes it"
        expected "boolTrue, and -404 at the expires_at of the binding"
        ends_as_bound;
}

/// Waits until a key is gone, on new connections.
async fn goes(probe: &mut Probe, made: &Made, until: Instant, what: &str) -> Outcome {
    loop {
        let last = match tried(probe, made, what).await? {
            Err(Heard::Error(-404)) => return Ok(()),
            Err(other) => other.told(),
            Ok(answer) => super::told(&answer),
        };
        if Instant::now() > until {
            return failed(format!("{what} still got {last} {} s after its end", GRACE.as_secs()));
        }
        sleep(PAUSE).await;
    }
}

fn seconds(seconds: i32) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

async fn unbound_ends(probe: &mut Probe) -> Outcome {
    let made = probe.temp(2).await?;
    goes(probe, &made, Instant::now() + seconds(2) + GRACE, "an unbound key of 2 s").await
}

/// A bound key that ends soon.
struct Short {
    temp: Made,
    line: Line,
    /// From when on it is too late to serve.
    until: Instant,
}

/// Binds a key that lives so long as `life` says, in seconds of `LIVES`, until the end that `end` makes of that.
async fn short(
    probe: &mut Probe,
    life: impl Fn(i32) -> i32,
    end: impl Fn(&Line, i32) -> i64,
) -> Outcome<Short> {
    let perm = probe.perm().await?;
    for wanted in LIVES {
        let temp = probe.temp(life(wanted)).await?;
        let until = Instant::now() + seconds(wanted) + GRACE;
        let mut line = probe.line(&temp).await?;
        let end = end(&line, wanted);
        match probe.bind(&mut line, &perm, end).await {
            Ok(answer) => {
                is_true(&answer, "the bind of a key that ends soon")?;
                return Ok(Short { temp, line, until });
            }
            // It ended before it was bound.
            Err(Stop::NotReached(_)) => {}
            Err(other) => return Err(other),
        }
    }
    not_reached("keys of 2, 4 and 8 s ended before they were bound")
}

async fn bound_ends(probe: &mut Probe) -> Outcome {
    let Short { temp, line, until } = short(probe, |life| life, |line, _| line.ends).await?;
    drop(line);
    goes(probe, &temp, until, "a bound key that has ended").await
}

async fn open_connection_is_told(probe: &mut Probe) -> Outcome {
    let Short { mut line, until, .. } = short(probe, |life| life, |line, _| line.ends).await?;
    let mut told = false;
    loop {
        match line.wire.hear_within(until.saturating_duration_since(Instant::now())).await? {
            Heard::Error(-404) if !told => told = true,
            Heard::Closed if told => return Ok(()),
            Heard::Closed => return failed("the connection closed without -404"),
            Heard::Silence if told => return failed("the connection stays open after -404"),
            Heard::Silence => return failed("nothing came at the end of the key"),
            Heard::Error(code) => return failed(format!("the transport error {code} came, told: {told}")),
            Heard::Payload(_) | Heard::QuickAck(_) => {}
        }
    }
}

async fn cut_to_its_own_end(probe: &mut Probe) -> Outcome {
    let short = short(probe, |life| life, |line, _| line.ends + 3600).await?;
    let Short { mut line, until, .. } = short;
    let query = introduced(&to_bytes(&HelpGetConfig {}));
    loop {
        match line.attempt(&query, "help.getConfig on the open connection", &mut probe.dice).await? {
            Err(Heard::Error(-404)) => return Ok(()),
            Err(other) => return failed(format!("the open connection got {}", other.told())),
            Ok(_) if Instant::now() > until => {
                return failed(format!("the key still serves {} s after its own end", GRACE.as_secs()));
            }
            Ok(_) => sleep(PAUSE).await,
        }
    }
}

async fn ends_as_bound(probe: &mut Probe) -> Outcome {
    let end = |line: &Line, wanted: i32| line.ends - 3600 + i64::from(wanted);
    let Short { temp, line, until } = short(probe, |_| 3600, end).await?;
    drop(line);
    goes(probe, &temp, until, "a key that was bound until then").await
}
