//! `dayfly keys`: looks after permanent keys, through the server that runs or in the store that none uses.

mod door;
mod new_file;
mod transfer;

use anyhow::bail;
use dayfly_crypto::AuthKeyId;
use dayfly_server::{Config, ControlClient, OsRandom, utc};
use dayfly_store::Listed;
use serde_json::json;

use self::door::Door;
use super::setup;
use crate::args::{Keys, Place};
use crate::report::{counted, line};

const PAGE: usize = 1000;

pub(crate) fn run(args: &Keys) -> anyhow::Result<()> {
    match args {
        Keys::List { place, json } => list(&with_store(place)?, *json),
        Keys::Revoke { place, id } => revoke(&with_store(place)?, AuthKeyId(*id)),
        Keys::Reseal { place } => reseal(&with_store(place)?),
        Keys::Export { place, file, passphrase_file } => {
            transfer::export(&with_store(place)?, file, passphrase_file.as_deref())
        }
        Keys::Import { place, file, plain: true, .. } => transfer::import_plain(&configure(place)?, file),
        Keys::Import { place, file, passphrase_file, .. } => {
            transfer::import(&configure(place)?, file, passphrase_file.as_deref())
        }
    }
}

fn configure(place: &Place) -> anyhow::Result<Config> {
    let mut config = setup::load(place.config.as_deref())?;
    if let Some(directory) = &place.data_dir {
        config.data_dir.clone_from(directory);
    }
    Ok(config)
}

/// Settings of a server that was started before.
fn with_store(place: &Place) -> anyhow::Result<Config> {
    let config = configure(place)?;
    let store = config.data_dir.join(setup::STORE_FILE);
    if !store.exists() {
        bail!("{}: there is no store here; `dayfly serve` makes one", store.display());
    }
    Ok(config)
}

/// Refuses what a running server cannot do, by name: the store that it needs is locked.
fn refuse_while_running(config: &Config, what: &str) -> anyhow::Result<()> {
    match ControlClient::connect(&config.data_dir)? {
        None => Ok(()),
        Some(server) => bail!(
            "{what} needs the store to itself, and a server is running on {} (process {}): stop it first",
            config.data_dir.display(),
            server.process()
        ),
    }
}

fn list(config: &Config, as_json: bool) -> anyhow::Result<()> {
    let mut door = Door::open(config)?;
    if !as_json {
        line(HEADINGS);
    }
    let mut after = None;
    loop {
        let page = door.list(after, PAGE)?;
        let Some(last) = page.last().map(|listed| listed.id) else { return Ok(()) };
        for listed in &page {
            line(&if as_json { describe_json(listed) } else { describe(listed) });
        }
        after = Some(last);
    }
}

const HEADINGS: &str = "id                dc      made                     last used";

fn describe(listed: &Listed) -> String {
    let used = listed.used_at.map_or_else(|| "never".to_owned(), utc);
    format!("{}  {:<6}  {}  {used}", listed.id, listed.dc, utc(listed.created_at))
}

fn describe_json(listed: &Listed) -> String {
    json!({
        "id": listed.id.to_string(),
        "dc": listed.dc,
        "created_at": listed.created_at,
        "used_at": listed.used_at,
    })
    .to_string()
}

fn revoke(config: &Config, id: AuthKeyId) -> anyhow::Result<()> {
    if !Door::open(config)?.revoke(id)? {
        bail!("the store has no key {id}");
    }
    line(&format!("{id} is revoked: its client has to make a new key, and to log in again"));
    Ok(())
}

fn reseal(config: &Config) -> anyhow::Result<()> {
    refuse_while_running(config, "a reseal")?;
    let source = setup::sealing_source(&config.sealing)?;
    let mut store = setup::open_store(config)?;
    let count = store.reseal(&source, &mut OsRandom)?;
    let (sealed, place) = (counted(count, "key"), source.place(&store.id()));
    line(&format!("{sealed} sealed anew; the sealing key is now the one in {place}"));
    Ok(())
}
