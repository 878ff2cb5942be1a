//! What a connection costs that says nothing.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use dayfly_client::ClientInfo;
use dayfly_tl::mtproto::RpcResult;
use dayfly_tl::{api, read_exact, to_bytes};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::any_port;
use crate::child::{Served, runtime};
use crate::process;
use crate::report::{Figure, Target};
use crate::speaker::{Ear, OPENING, Speaker};

const CONNECTIONS: u32 = 10_000;
/// Connections that are being opened at the same time.
const AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(60);
/// After the last acknowledgement the server has this long to come to rest.
const REST: Duration = Duration::from_secs(3);

/// # Errors
/// If a connection is not served.
pub(super) fn measure() -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let mut server = Served::start(folder.path(), any_port(), None)?;
    server.order(&format!("permanent {CONNECTIONS}"))?;
    let without = process::resident(server.pid())?;
    server.order(&format!("temporary {CONNECTIONS}"))?;
    let with_keys = process::resident(server.pid())?;
    let open = runtime()?;
    let connections = open.block_on(open_all(server.address()))?;
    let with = process::resident(server.pid())?;
    let each =
        |bytes: u64| f64::from(u32::try_from(bytes / u64::from(CONNECTIONS)).unwrap_or(u32::MAX)) / 1024.0;
    let note = format!(
        "{} connections, each with a temporary key of its own that is bound, a session, client info, one call answered \
         and acknowledged; resident memory {:.1} MiB with the permanent keys on disk, {:.1} MiB with the temporary ones, \
         {:.1} MiB with the connections",
        connections.len(),
        mebibytes(without),
        mebibytes(with_keys),
        mebibytes(with),
    );
    drop(connections);
    Ok(vec![Figure {
        name: "an idle encrypted connection",
        value: each(with.saturating_sub(without)),
        unit: "KiB of user memory",
        target: Target::AtMost(4.0),
        note,
    }])
}

fn mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) / 1024.0
}

async fn open_all(address: SocketAddr) -> Result<Vec<(Ear, OwnedWriteHalf)>> {
    let mut opening = JoinSet::new();
    let mut open = Vec::new();
    for number in 0..CONNECTIONS {
        if opening.len() >= AT_ONCE {
            open.extend(opening.join_next().await.transpose()?.transpose()?);
        }
        opening.spawn(async move {
            timeout(PATIENCE, greet(address, number)).await.with_context(|| format!("client {number}"))?
        });
    }
    while let Some(connection) = opening.join_next().await {
        open.push(connection??);
    }
    sleep(REST).await;
    Ok(open)
}

/// One client: a call with client info around it, its answer, the acknowledgement of that.
async fn greet(address: SocketAddr, number: u32) -> Result<(Ear, OwnedWriteHalf)> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (ear, mut mouth) = socket.into_split();
    let (mut ear, mut speaker) = (Ear::new(ear), Speaker::new(number));
    let (_, frame) = speaker.frame(&first_call(), true)?;
    mouth.write_all(&[&OPENING[..], &frame].concat()).await?;
    let mut answered = false;
    while !answered {
        ear.listen().await?;
        while let Some(packet) = ear.packet() {
            let heard = speaker.open(packet)?;
            answered |= heard.iter().any(|message| read_exact::<RpcResult<'_>>(&message.body).is_ok());
            if let Some(acknowledgement) = speaker.acknowledge(&heard)? {
                mouth.write_all(&acknowledgement).await?;
            }
        }
    }
    ear.rest();
    Ok((ear, mouth))
}

fn first_call() -> Vec<u8> {
    ClientInfo::default().introduce(&to_bytes(&api::HelpGetNearestDc))
}
