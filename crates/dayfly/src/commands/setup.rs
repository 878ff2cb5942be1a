//! What `serve` and `keys` have in common: settings, sealing key, store.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use dayfly_server::{Config, OsRandom, Sealing};
use dayfly_store::{EmbeddedStore, SealingSource};

/// The store's file in the data directory.
pub(crate) const STORE_FILE: &str = "keys.redb";

/// Settings from `file`, or the defaults.
pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Config> {
    Ok(file.map(Config::load).transpose()?.unwrap_or_default())
}

/// Where the sealing key comes from.
pub(crate) fn sealing_source(sealing: &Sealing) -> anyhow::Result<SealingSource> {
    if let Some(file) = &sealing.file {
        return Ok(SealingSource::File(file.clone()));
    }
    if let Some(name) = &sealing.credential {
        let directory = std::env::var_os("CREDENTIALS_DIRECTORY")
            .context("a systemd credential is configured, but CREDENTIALS_DIRECTORY is not set: is this run by systemd?")?;
        return Ok(SealingSource::Credential { directory: directory.into(), name: name.clone() });
    }
    if let Some(number) = sealing.descriptor {
        let number = u32::try_from(number).ok().context("sealing.descriptor must not be negative")?;
        return Ok(SealingSource::Descriptor(number));
    }
    Ok(SealingSource::Directory(default_directory()?))
}

/// `$XDG_CONFIG_HOME/dayfly`, `~/.config/dayfly`: beside no data directory by default.
fn default_directory() -> anyhow::Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    match base {
        Some(base) if base.is_absolute() => Ok(base.join("dayfly")),
        _ => bail!(
            "there is no home directory to keep the sealing key in: set sealing.file in the configuration"
        ),
    }
}

/// Opens the store of `config`.
pub(crate) fn open_store(config: &Config) -> anyhow::Result<EmbeddedStore> {
    let source = sealing_source(&config.sealing)?;
    Ok(EmbeddedStore::open(&config.data_dir.join(STORE_FILE), &source, Box::new(OsRandom))?)
}
