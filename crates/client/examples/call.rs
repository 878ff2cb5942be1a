//! Makes or takes up a session and calls one method.
//!
//!     cargo run --release --package dayfly-client --example call -- 127.0.0.1:4430 server.pub.pem me.session
#![allow(clippy::print_stdout, clippy::print_stderr)]

use dayfly_client::{Client, ClientConfig, FileSession, PublicKey, forbid_core_dumps, swap_is_on};
use grammers_tl_types::functions::help::GetNearestDc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A core dump, or swap, would write keys to a disk that exist nowhere else.
    forbid_core_dumps()?;
    if swap_is_on() == Some(true) {
        eprintln!("swap is on: the system may write temporary keys to a disk");
    }
    let [address, pem, session] = std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(
        |_| "expected three arguments: the server's address, its public key in PEM, a session file",
    )?;
    let server = PublicKey::from_pem(&std::fs::read_to_string(pem)?)?;
    let config = ClientConfig::new([server].into());
    let (client, mut events) = Client::connect(address, config, FileSession::new(session)).await?;
    while let Some(happened) = events.try_next() {
        println!("{:?}", happened.event);
    }
    println!("{:?}", client.invoke(&GetNearestDc {}).await?);
    Ok(())
}
