//! `dayfly keys`: looks after a store that no server is using.

use anyhow::bail;
use dayfly_crypto::AuthKeyId;
use dayfly_server::{Config, OsRandom, utc};
use dayfly_store::{KeyStore as _, Listed};
use serde_json::json;

use super::{runtime, setup};
use crate::args::{Keys, Place};
use crate::report::{counted, line};

const PAGE: usize = 1000;

pub(crate) fn run(args: &Keys) -> anyhow::Result<()> {
    match args {
        Keys::List { place, json } => list(&configure(place)?, *json),
        Keys::Revoke { place, id } => revoke(&configure(place)?, AuthKeyId(*id)),
        Keys::Reseal { place } => reseal(&configure(place)?),
    }
}

fn configure(place: &Place) -> anyhow::Result<Config> {
    let mut config = setup::load(place.config.as_deref())?;
    if let Some(directory) = &place.data_dir {
        config.data_dir.clone_from(directory);
    }
    let store = config.data_dir.join(setup::STORE_FILE);
    if !store.exists() {
        bail!("{}: there is no store here; `dayfly serve` makes one", store.display());
    }
    Ok(config)
}

fn list(config: &Config, as_json: bool) -> anyhow::Result<()> {
    let store = setup::open_store(config)?;
    let runtime = runtime()?;
    if !as_json {
        line(HEADINGS);
    }
    let mut after = None;
    loop {
        let page = runtime.block_on(store.list(after, PAGE))?;
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
    let store = setup::open_store(config)?;
    if !runtime()?.block_on(store.revoke(id))? {
        bail!("the store has no key {id}");
    }
    line(&format!("{id} is revoked: its client has to make a new key, and to log in again"));
    Ok(())
}

fn reseal(config: &Config) -> anyhow::Result<()> {
    let source = setup::sealing_source(&config.sealing)?;
    let mut store = setup::open_store(config)?;
    let count = store.reseal(&source, &mut OsRandom)?;
    let (sealed, place) = (counted(count, "key"), source.place(&store.id()));
    line(&format!("{sealed} sealed anew; the sealing key is now the one in {place}"));
    Ok(())
}
