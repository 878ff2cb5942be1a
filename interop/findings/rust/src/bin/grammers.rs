//! usage: grammers HOST:PORT PUBLIC-KEY.pem
//!
//! grammers with its own defaults, for `dayfly check client`: it calls help.getConfig and help.getNearestDc in turn, each again
//! until it is answered. When its pool has stopped, a new one begins, and it never ends by itself.

use std::error::Error;
use std::sync::Arc;

use dayfly_findings_rust::{BREATH, call_for_ever, trust_and_address};
use grammers_client::session::Session;
use grammers_client::session::storages::MemorySession;
use grammers_client::session::types::DcOption;
use grammers_client::{Client, SenderPool, tl};

fn main() -> Result<(), Box<dyn Error>> {
    let address = trust_and_address()?;
    tokio::runtime::Runtime::new()?.block_on(stay(&address))
}

async fn stay(address: &str) -> Result<(), Box<dyn Error>> {
    let session = session_at(address).await?;
    loop {
        let SenderPool { runner, handle, .. } = SenderPool::new(Arc::clone(&session), 1);
        let client = &Client::new(handle);
        let calling = call_for_ever(|turn| async move {
            match turn {
                // A new connection begins with help.getConfig: another call comes first, so that going on is no repeat.
                0 => client.invoke(&tl::functions::help::GetNearestDc {}).await.map(drop),
                _ => client.invoke(&tl::functions::help::GetConfig {}).await.map(drop),
            }
        });
        tokio::select! {
            stopped = tokio::spawn(runner.run()) => eprintln!("the pool has stopped: {stopped:?}"),
            () = calling => {}
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// A session with one address for the DC of a new login.
async fn session_at(address: &str) -> Result<Arc<MemorySession>, Box<dyn Error>> {
    let session = MemorySession::default();
    let known = session.dc_option(session.home_dc_id()?)?.ok_or("grammers knows no address of its own DC")?;
    session.set_dc_option(&DcOption { ipv4: address.parse()?, ..known }).await?;
    Ok(Arc::new(session))
}
