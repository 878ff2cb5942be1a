//! What lies between a client and the server: a relay that cuts connections when the dice say so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::clock::Dice;
use super::ledger::Ledger;

/// A connection that is to be cut lives so long at most: somewhat longer than a key is used.
const LONGEST: Duration = Duration::from_secs(9);

/// Relays the connections of one client to `server`; gives where. One in two is cut, in the middle of whatever it carries.
///
/// # Errors
/// If the system gives no port.
pub(crate) async fn start(
    client: usize,
    server: SocketAddr,
    seed: u64,
    ledger: Arc<Ledger>,
) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut dice = Dice::new(seed, client as u64);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let life = (dice.upto(1) == 0).then(|| dice.time(LONGEST));
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { relay(client, near, server, life, &ledger).await });
        }
    });
    Ok(address)
}

async fn relay(
    client: usize,
    mut near: TcpStream,
    server: SocketAddr,
    life: Option<Duration>,
    ledger: &Ledger,
) {
    // Whoever cannot be reached is a connection cut short, for the client.
    let Ok(mut far) = TcpStream::connect(server).await else { return ledger.cut(client) };
    // A short frame must not wait for the acknowledgement of the one before.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let carried = copy_bidirectional(&mut near, &mut far);
    match life {
        None => drop(carried.await),
        Some(life) => tokio::select! {
            _ = carried => {}
            () = sleep(life) => ledger.cut(client),
        },
    }
}
