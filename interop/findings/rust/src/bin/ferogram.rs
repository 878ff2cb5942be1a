//! usage: ferogram HOST:PORT PUBLIC-KEY.pem
//!
//! ferogram with forward secrecy on and its own defaults else, for `dayfly check client`: it calls help.getConfig and
//! help.getNearestDc in turn, each again until it is answered. When ferogram gives up, it begins anew, and never ends by itself.
//!
//! Two things are not as ferogram has them by itself, since it came to no answer under a temporary key with them. It makes such a
//! key only where the session holds a permanent one: a session without one is given its key first, by the function that
//! `Client::connect` makes one with. And it miscounts the frames of its usual transport, full, while it binds: abridged has no count.

use std::error::Error;
use std::sync::Arc;

use dayfly_findings_rust::{BREATH, call_for_ever, trust_and_address};
use ferogram::{Client, DcEntry, DcFlags, InMemoryBackend, SessionBackend, tl};
use ferogram_connect::{Connection, TransportKind};
use ferogram_session::PersistedSession;

/// The DC of a new login.
const DC: i32 = 2;
const TRANSPORT: TransportKind = TransportKind::Abridged;

fn main() -> Result<(), Box<dyn Error>> {
    let address = trust_and_address()?;
    tokio::runtime::Runtime::new()?.block_on(stay(address));
    Ok(())
}

async fn stay(address: String) {
    let session: Arc<dyn SessionBackend> = Arc::new(InMemoryBackend::new());
    loop {
        let (address, session) = (address.clone(), Arc::clone(&session));
        // A task of its own: ferogram panics at some answers, and a program would be started again.
        match tokio::spawn(async move { start(address, session).await.map_err(|error| error.to_string()) })
            .await
        {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("{error}"),
            Err(panic) => eprintln!("{panic}"),
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn start(address: String, session: Arc<dyn SessionBackend>) -> Result<(), Box<dyn Error>> {
    if session.load()?.is_none() {
        session.save(&first_session(&address).await?)?;
    }
    let builder = Client::builder().api_id(1).api_hash("0".repeat(32)).session_backend(session);
    let (client, _stopper) = builder.transport(TRANSPORT).pfs(true).connect().await?;
    client.save_session().await?;
    let client = &client;
    call_for_ever(|turn| async move {
        match turn {
            // A new connection begins with help.getConfig: another call comes first, so that going on is no repeat.
            0 => client.invoke(&tl::functions::help::GetNearestDc {}).await.map(drop),
            _ => client.invoke(&tl::functions::help::GetConfig {}).await.map(drop),
        }
    })
    .await;
    Ok(())
}

async fn first_session(address: &str) -> Result<PersistedSession, Box<dyn Error>> {
    let made = Connection::connect_raw(address, None, None, &TRANSPORT, i16::try_from(DC)?).await?;
    let entry = DcEntry {
        dc_id: DC,
        addr: address.to_owned(),
        auth_key: Some(made.auth_key_bytes()),
        first_salt: made.enc.salt,
        time_offset: made.enc.time_offset,
        flags: DcFlags::NONE,
    };
    Ok(PersistedSession { home_dc_id: DC, dcs: vec![entry], ..PersistedSession::default() })
}
