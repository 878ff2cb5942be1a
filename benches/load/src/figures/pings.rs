//! How long a ping takes while a thousand connections are active.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use dayfly_tl::mtproto::{Ping, Pong};
use dayfly_tl::{read_exact, to_bytes};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::server_with;
use crate::child::runtime;
use crate::report::{Figure, Target};
use crate::speaker::{Ear, OPENING, Speaker};

const CONNECTIONS: u32 = 1000;
/// Each connection pings so often; they are spread evenly over the time between.
const EVERY: Duration = Duration::from_secs(1);
const PINGS: u32 = 15;
const PATIENCE: Duration = Duration::from_secs(60);

/// # Errors
/// If a ping is not answered.
pub(super) fn measure() -> Result<Vec<Figure>> {
    let (server, _folder) = server_with(CONNECTIONS)?;
    let mut times = runtime()?.block_on(ping_all(server.address()))?;
    times.sort_unstable();
    let at = |share: f64| percentile(&times, share).as_secs_f64() * 1000.0;
    let note = format!(
        "{CONNECTIONS} connections, a ping each second each, {} in all, timed from before it is sealed until the pong is \
         opened, by a driver on the same machine; half of them within {:.2} ms, the slowest took {:.2} ms",
        times.len(),
        at(0.5),
        at(1.0),
    );
    Ok(vec![Figure {
        name: "a ping with 1,000 active connections",
        value: at(0.99),
        unit: "ms, 99th percentile",
        target: Target::AtMost(5.0),
        note,
    }])
}

/// The time that `share` of all stay below; `times` in order.
fn percentile(times: &[Duration], share: f64) -> Duration {
    let last = times.len().saturating_sub(1);
    let index = (0..times.len()).find(|index| *index as f64 >= share * last as f64).unwrap_or(last);
    times.get(index).copied().unwrap_or_default()
}

async fn ping_all(address: SocketAddr) -> Result<Vec<Duration>> {
    let start = Instant::now() + EVERY;
    let mut pinging = JoinSet::new();
    for number in 0..CONNECTIONS {
        let first = start + EVERY * number / CONNECTIONS;
        pinging.spawn(async move { ping(address, number, first).await });
    }
    let mut times = Vec::new();
    while let Some(some) = timeout(PATIENCE, pinging.join_next()).await.context("pongs are missing")? {
        times.extend(some??);
    }
    Ok(times)
}

/// The times of one connection. The first ping opens the session and does not count.
async fn ping(address: SocketAddr, number: u32, first: Instant) -> Result<Vec<Duration>> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (ear, mut mouth) = socket.into_split();
    let (mut ear, mut speaker) = (Ear::new(ear), Speaker::new(number));
    mouth.write_all(&OPENING).await?;
    let mut ticks = interval_at(first.into(), EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut times = Vec::new();
    for ping_id in 0..=i64::from(PINGS) {
        ticks.tick().await;
        let sent = Instant::now();
        let (_, frame) = speaker.frame(&to_bytes(&Ping { ping_id }), false)?;
        mouth.write_all(&frame).await?;
        let mut acknowledgements = Vec::new();
        while !take(&mut ear, &mut speaker, ping_id, &mut acknowledgements)? {
            ear.listen().await?;
        }
        times.push(sent.elapsed());
        mouth.write_all(&acknowledgements).await?;
    }
    Ok(times.split_off(1))
}

/// Whether the pong is among what has arrived; what is to be acknowledged of the rest is sealed into `out`.
fn take(ear: &mut Ear, speaker: &mut Speaker, ping_id: i64, out: &mut Vec<u8>) -> Result<bool> {
    let mut found = false;
    while let Some(packet) = ear.packet() {
        let heard = speaker.open(packet)?;
        found |= heard
            .iter()
            .any(|message| read_exact::<Pong>(&message.body).is_ok_and(|pong| pong.ping_id == ping_id));
        out.extend(speaker.acknowledge(&heard)?.unwrap_or_default());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times: Vec<Duration> = (0..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 0.0), Duration::ZERO);
        assert_eq!(percentile(&times, 0.5), Duration::from_millis(50));
        assert_eq!(percentile(&times, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&times, 1.0), Duration::from_millis(100));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }
}
