//! Calls every method of the example back ends through dayfly, and ends with 1 if one is not answered as it should be.
//!
//!     cargo run --release --package dayfly-example-backend --example ask -- 127.0.0.1:4430 server.pub.pem
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Duration;

use dayfly_client::{
    Client, ClientConfig, InvokeError, MemorySession, PublicKey, RpcFailure, forbid_core_dumps,
};
use dayfly_example_backend::tl;
use grammers_tl_types::enums::{help, updates};
use grammers_tl_types::functions;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    forbid_core_dumps()?;
    let [address, pem] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "expected two arguments: the server's address, its public key in PEM")?;
    let server = PublicKey::from_pem(&std::fs::read_to_string(pem)?)?;
    let connecting = Client::connect(address, ClientConfig::new([server].into()), MemorySession::default());
    let (client, _events) = timeout(PATIENCE, connecting).await??;
    timeout(PATIENCE, ask(&client)).await??;
    println!("every method was answered, and the update came");
    Ok(())
}

async fn ask(client: &Client) -> Result<(), Box<dyn Error>> {
    let mut sent = client.updates();
    let help::InviteText::Text(text) = client.invoke(&functions::help::GetInviteText {}).await?;
    expect(text.message.starts_with("come here, as "), "help.getInviteText")?;

    let updates::State::State(state) = client.invoke(&functions::updates::GetState {}).await?;
    expect(state.pts == 1, "updates.getState, by how many sessions its update went to")?;
    let update = sent.next().await.ok_or("the client has ended")??;
    expect(*update == *tl::updates_too_long(), "the update")?;

    let connected = client.invoke(&functions::account::UpdateStatus { offline: false }).await?;
    expect(connected, "account.updateStatus")?;

    match client.invoke(&functions::account::GetAccountTtl {}).await {
        Err(InvokeError::Rpc(RpcFailure::Error { code: 400, message })) => {
            expect(message.starts_with("INPUT_METHOD_INVALID_"), &message)
        }
        other => Err(format!("a method that nobody knows was answered {other:?}").into()),
    }
}

fn expect(right: bool, what: &str) -> Result<(), Box<dyn Error>> {
    if right { Ok(()) } else { Err(format!("{what}: not answered as it should be").into()) }
}
