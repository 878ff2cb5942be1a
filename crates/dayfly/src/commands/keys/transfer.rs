//! `dayfly keys export` and `dayfly keys import`.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use anyhow::Context as _;
use dayfly_core::env::Clock as _;
use dayfly_server::{Config, OsRandom, SystemClock};
use dayfly_store::{
    BackupError, BackupReader, BackupWriter, Cost, EmbeddedStore, Imported, KeptKey, PlainKeys,
};

use super::new_file::NewFile;
use super::refuse_while_running;
use crate::commands::setup;
use crate::passphrase;
use crate::report::{counted, line};

/// Keys in memory at once.
const PAGE: usize = 256;

pub(super) fn export(config: &Config, path: &Path, passphrase_file: Option<&Path>) -> anyhow::Result<()> {
    refuse_while_running(config, "an export")?;
    let name = path.display();
    let mut out = NewFile::create(path).with_context(|| format!("{name}: cannot be made"))?;
    let store = setup::open_store(config)?;
    let passphrase = passphrase::new(passphrase_file)?;
    let writer =
        BackupWriter::begin(BufWriter::new(&mut out.file), &passphrase, Cost::default(), &mut OsRandom)
            .with_context(|| name.to_string())?;
    let count = write_all(&store, writer).with_context(|| name.to_string())?;
    out.keep().with_context(|| format!("{name}: cannot be made"))?;
    let exported = counted(count, "key");
    line(&format!("{exported} exported to {name}; whoever has it and the passphrase has every one of them"));
    Ok(())
}

fn write_all(store: &EmbeddedStore, mut writer: BackupWriter<BufWriter<&mut File>>) -> anyhow::Result<u64> {
    let mut after = None;
    loop {
        let page = store.kept(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.record.id);
        page.iter().try_for_each(|kept| writer.add(kept))?;
    }
    Ok(writer.finish()?.1)
}

pub(super) fn import(config: &Config, path: &Path, passphrase_file: Option<&Path>) -> anyhow::Result<()> {
    refuse_while_running(config, "an import")?;
    let name = path.display();
    let file = File::open(path).with_context(|| format!("{name}: cannot be read"))?;
    let passphrase = passphrase::known(passphrase_file)?;
    let reader = BackupReader::open(BufReader::new(file), &passphrase).with_context(|| name.to_string())?;
    take(config, path, reader)
}

pub(super) fn import_plain(config: &Config, path: &Path) -> anyhow::Result<()> {
    refuse_while_running(config, "an import")?;
    let name = path.display();
    let file = File::open(path).with_context(|| format!("{name}: cannot be read"))?;
    take(config, path, PlainKeys::new(BufReader::new(file), SystemClock::default().now().unix_seconds()))?;
    line(&format!("{name} holds these keys in the clear: destroy it, and every copy of it"));
    Ok(())
}

fn take(
    config: &Config,
    path: &Path,
    keys: impl Iterator<Item = Result<KeptKey, BackupError>> + Send + 'static,
) -> anyhow::Result<()> {
    let mut store = setup::open_store(config)?;
    let imported = store.import(keys);
    let Imported { added, present } =
        imported.with_context(|| format!("{}: nothing was imported", path.display()))?;
    line(&format!(
        "{} imported, {present} of them there already",
        counted(added.saturating_add(present), "key")
    ));
    Ok(())
}
