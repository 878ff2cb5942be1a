//! What costs the server something: within stated bounds, and only where the operator allows it.

use crate::case::cases;
use crate::server::Entry;
use crate::server::fate::must;
use crate::server::probe::Probe;
use crate::server::wire::Heard;
use crate::verdict::{Outcome, failed};

cases! {
    "HS-35/50" Compat "2,000 runs are opened from one address, and one more is finished"
        why "a table of runs that can be filled by one address shuts everybody out"
        expected "resPQ to each, and a key for the last one"
        many_runs, Load;
    "HS-35/51" Compat "500 runs are opened on one connection, and the first one is finished"
        why "a client whose run goes because others open theirs begins again and again"
        expected "a key for the first one, or -404 and a key for a new one"
        first_of_many, Load;
    "MS-12/50" Compat "20 containers of 1,024 pings in one write"
        why "one client that has much to say would hold up all the others"
        expected "every ping is answered, or -429; another session is served meanwhile"
        many_pings, Load;
    "MS-08/50" Compat "100 sessions under one key"
        why "a key that may have sessions without end takes memory without end"
        expected "each first ping is answered, and the last session goes on"
        many_sessions, Load;
}

/// How many queries go out before their answers are taken.
const AT_ONCE: usize = 100;

async fn many_runs(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    for _ in 0..2_000 / AT_ONCE {
        for _ in 0..AT_ONCE {
            let query = dayfly_tl::to_bytes(&dayfly_tl::mtproto::ReqPqMulti { nonce: probe.dice.bytes() });
            wire.send_plain(&query, "req_pq_multi").await?;
        }
        for count in 1..=AT_ONCE {
            match wire.hear().await? {
                Heard::Payload(_) => {}
                other => return failed(format!("after {count} answers came {}", other.told())),
            }
        }
    }
    must(probe.perm().await.map(drop))
}

async fn first_of_many(probe: &mut Probe) -> Outcome {
    let mut wire = probe.connect().await?;
    let mut first = probe.open(&mut wire).await?;
    for _ in 0..500 {
        probe.open(&mut wire).await?;
    }
    let query = first.proof(&first.inner(|_| {}), &mut probe.dice)?;
    match probe.ask(&mut wire, &query, "req_DH_params of the first run").await? {
        Heard::Error(-404) => must(probe.key_on(&mut wire, None).await.map(drop)),
        Heard::Payload(payload) => {
            let body = crate::server::wire::plain_body(&payload);
            probe.take_dh_params(&mut first, body)?;
            must(probe.finish(&mut wire, &mut first, None).await.map(drop))
        }
        other => failed(format!("req_DH_params of the first run got {}", other.told())),
    }
}

async fn many_pings(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    let mut other = probe.session().await?;
    let mut bytes = Vec::new();
    for _ in 0..20 {
        let pings: Vec<_> = (0..1024).map(|_| line.ping(&mut probe.dice)).collect();
        let container = line.talk.together(&pings);
        let packet = line.talk.seal(&container, &mut probe.dice)?;
        bytes.extend(line.wire.framed(&packet, false)?);
    }
    line.wire.write_as("20 containers of 1,024 pings in one write", &bytes).await;
    other.goes_on(&mut probe.dice).await?;
    let mut left = 20 * 1024;
    while left > 0 {
        match line.hear().await? {
            Ok(messages) => left -= messages.len().min(left),
            Err(Heard::Error(-429)) => break,
            Err(heard) => return failed(format!("{left} pongs are missing: {}", heard.told())),
        }
    }
    other.goes_on(&mut probe.dice).await
}

async fn many_sessions(probe: &mut Probe) -> Outcome {
    let mut line = probe.session().await?;
    for _ in 0..100 {
        line.talk = line.talk.another(probe.dice.long() | 1);
        line.goes_on(&mut probe.dice).await?;
        line.others.clear();
    }
    line.goes_on(&mut probe.dice).await
}
