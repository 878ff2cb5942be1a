//! `dayfly check client`.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use dayfly_check::client::{self, Subject};
use dayfly_client::PublicKey;
use dayfly_crypto::rsa_key::PrivateKey;

use super::output::Output;
use super::{chosen, judge, permission, seed, told_without_running};
use crate::args::check::CheckClient;
use crate::commands::runtime;
use crate::commands::signals::Signals;

pub(super) fn run(args: &CheckClient) -> anyhow::Result<()> {
    let choice = &args.choice;
    if told_without_running(choice, &client::cases())? {
        return Ok(());
    }
    permission::for_listening(args.listen, args.authorized)?;
    let key = PrivateKey::generate().context("no RSA key can be made")?;
    let pem = KeyFile::write(key.public(), args.public_key.as_deref())?;
    let mut output = Output::open(&args.forms, choice.strict)?;
    let subject = Subject {
        listen: args.listen,
        run: args.run.clone(),
        key: Arc::new(key),
        pem: pem.path.clone(),
        patience: Duration::from_secs(choice.patience),
        seed: seed(choice.seed)?,
    };
    let chosen = chosen(choice);
    // Whoever starts the client himself has to know where; standard output is for reports.
    let ready = |address| {
        if subject.run.is_none() {
            let _ =
                writeln!(io::stderr(), "listening on {address}; the key to trust: {}", pem.path.display());
        }
    };
    let checked = client::check(subject.clone(), &chosen, ready, |told| output.case(told));
    let report = runtime()?.block_on(async {
        let mut signals = Signals::watch()?;
        tokio::select! {
            report = checked => report.with_context(|| format!("{}: cannot be listened at", args.listen)),
            // The client ends with the run, and so does the file with the key.
            _ = signals.next() => bail!("stopped by a signal before the end"),
        }
    })?;
    output.end(&report)?;
    judge(&report, choice.strict)
}

/// The file with the key that the client is to trust. One that nobody asked for stands in a directory of its own, which goes
/// with the run.
struct KeyFile {
    path: PathBuf,
    own: Option<PathBuf>,
}

impl KeyFile {
    fn write(key: &PublicKey, asked: Option<&Path>) -> anyhow::Result<Self> {
        let file = match asked {
            Some(path) if path.exists() => bail!("{} exists already and is left as it is", path.display()),
            Some(path) => Self { path: path.to_owned(), own: None },
            None => {
                let own = std::env::temp_dir().join(format!("dayfly-check-{}", std::process::id()));
                // Fails where somebody else has put something of that name.
                fs::create_dir(&own).with_context(|| format!("{}: cannot be made", own.display()))?;
                Self { path: own.join("server.pub.pem"), own: Some(own) }
            }
        };
        dayfly_server::write_public(key, &file.path)?;
        Ok(file)
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            // It is among the temporary files: whoever looks after those takes it away, too.
            let _ = fs::remove_dir_all(own);
        }
    }
}
