//! How many encrypted calls a server answers in a second of its processor time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use dayfly_core::session::MsgId;
use dayfly_tl::mtproto::RpcResult;
use dayfly_tl::read_exact;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::server_with;
use crate::child::{Served, runtime};
use crate::process;
use crate::report::{Figure, Target};
use crate::speaker::{Ear, Heard, OPENING, Speaker};

const CONNECTIONS: u32 = 64;
const IN_FLIGHT: usize = 32;
const CALL: usize = 1024;
/// One answer in so many is opened and compared.
const OPENED: usize = 64;
/// Calls of each connection before the clock starts.
const WARM_UP: usize = 4 * IN_FLIGHT;
/// No answer for so long means that one was lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// # Errors
/// If an answer is wrong or missing.
pub(super) fn measure(calls: u32) -> Result<Vec<Figure>> {
    let (server, _folder) = server_with(CONNECTIONS)?;
    let each = usize::try_from(calls / CONNECTIONS)?.max(IN_FLIGHT);
    let (cpu, wall) = runtime()?.block_on(run(&server, each))?;
    let count = f64::from(CONNECTIONS) * f64::from(u32::try_from(each)?);
    let note = format!(
        "{CONNECTIONS} connections with {IN_FLIGHT} calls of {CALL} bytes in flight each, intermediate, sealed before \
         the clock starts; {count:.0} answers in {:.2} s of the server's processor time and {:.2} s of the wall's, one \
         in {OPENED} opened and compared",
        cpu.as_secs_f64(),
        wall.as_secs_f64()
    );
    Ok(vec![Figure {
        name: "encrypted echo of 1 KiB",
        value: count / cpu.as_secs_f64(),
        unit: "calls a CPU second",
        target: Target::AtLeast(40_000.0),
        note,
    }])
}

/// The processor time and the wall's time of all calls after the warm-up.
async fn run(server: &Served, each: usize) -> Result<(Duration, Duration)> {
    let start = Arc::new(Barrier::new(CONNECTIONS as usize + 1));
    let mut lanes = JoinSet::new();
    for number in 0..CONNECTIONS {
        let lane = Lane::open(server, number, WARM_UP + each).await?;
        let start = Arc::clone(&start);
        lanes.spawn(async move { lane.run(&start).await });
    }
    timeout(PATIENCE, start.wait()).await.context("the warm-up did not end")?;
    let (cpu, wall) = (process::cpu(server.pid())?, Instant::now());
    // From here on the lanes run.
    timeout(PATIENCE, start.wait()).await.context("a lane has ended")?;
    while let Some(lane) = timeout(PATIENCE, lanes.join_next()).await.context("answers are missing")? {
        lane??;
    }
    Ok((process::cpu(server.pid())? - cpu, wall.elapsed()))
}

/// One connection with the frames that it will send.
struct Lane {
    speaker: Speaker,
    ear: Ear,
    mouth: OwnedWriteHalf,
    frames: Vec<(MsgId, Vec<u8>)>,
    sent: usize,
    answered: usize,
    /// How many answers there were when one was last opened.
    looked: usize,
}

impl Lane {
    async fn open(server: &Served, number: u32, calls: usize) -> Result<Self> {
        let socket = TcpStream::connect(server.address()).await?;
        socket.set_nodelay(true)?;
        let (ear, mut mouth) = socket.into_split();
        mouth.write_all(&OPENING).await?;
        let mut speaker = Speaker::new(number);
        let frames = (0..calls).map(|_| speaker.frame(&call(number), true)).collect::<Result<_>>()?;
        Ok(Self { speaker, ear: Ear::new(ear), mouth, frames, sent: 0, answered: 0, looked: 0 })
    }

    async fn run(mut self, start: &Barrier) -> Result<()> {
        self.drive(WARM_UP).await?;
        start.wait().await;
        start.wait().await;
        self.drive(self.frames.len()).await
    }

    /// Sends until `until` calls are answered, as many at a time as are allowed in flight.
    async fn drive(&mut self, until: usize) -> Result<()> {
        while self.answered < until {
            self.fill(until).await?;
            self.ear.listen().await?;
            while let Some(packet) = self.ear.packet() {
                let answers = answers_in(packet.len());
                if self.answered + answers >= self.looked + OPENED {
                    self.looked = self.answered + answers;
                    let heard = self.speaker.open(packet)?;
                    check(&heard, answers, &self.frames)?;
                }
                self.answered += answers;
            }
        }
        ensure!(self.answered == until, "{} answers to {until} calls", self.answered);
        Ok(())
    }

    async fn fill(&mut self, until: usize) -> Result<()> {
        let until = until.min(self.answered + IN_FLIGHT);
        let frames = self.frames.get(self.sent..until).unwrap_or_default();
        let bytes: Vec<u8> = frames.iter().flat_map(|(_, frame)| frame).copied().collect();
        self.sent = until;
        Ok(self.mouth.write_all(&bytes).await?)
    }
}

/// A call that no server answers by itself.
fn call(number: u32) -> Vec<u8> {
    let word = 0xec40_0000 | number;
    word.to_le_bytes().repeat(CALL / 4)
}

/// How many answers a packet of this length holds: each is as long as its call and a little more, and whatever else may
/// stand beside them is far shorter than one.
fn answers_in(length: usize) -> usize {
    length / (CALL + 16)
}

/// Whether a packet holds so many answers, each the echo of a call that was made.
fn check(heard: &[Heard], answers: usize, frames: &[(MsgId, Vec<u8>)]) -> Result<()> {
    let mut found = 0;
    for message in heard {
        let Ok(result) = read_exact::<RpcResult<'_>>(&message.body) else { continue };
        let asked = MsgId::from_long(result.req_msg_id);
        ensure!(frames.binary_search_by_key(&asked, |(id, _)| *id).is_ok(), "an answer to nothing");
        let Some(word) = result.result.first_chunk::<4>() else { bail!("an empty answer") };
        ensure!(result.result == word.repeat(CALL / 4), "the echo of something else");
        found += 1;
    }
    ensure!(found == answers, "{found} answers in a packet that is as long as {answers}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_packet_tells_how_many_answers_it_holds() {
        let sealed = |body: usize| 24 + (32 + body + 12).next_multiple_of(16);
        let answer = 12 + CALL;
        assert_eq!(answers_in(sealed(28)), 0);
        assert_eq!(answers_in(sealed(answer)), 1);
        for count in 2..=IN_FLIGHT {
            assert_eq!(answers_in(sealed(8 + count * (16 + answer))), count);
        }
    }
}
