//! `dayfly decode`.

use anyhow::Context as _;
use dayfly_check::decode::decode;
use dayfly_check::keylog;
use dayfly_check::transcript::markdown;

use crate::args::lab::Decode;
use crate::report::line;

pub(crate) fn run(args: &Decode) -> anyhow::Result<()> {
    let path = args.file.display();
    let file = std::fs::read(&args.file).with_context(|| format!("{path}: cannot be read"))?;
    let secrets = args.key_log.as_deref().map(keylog::read).transpose()?;
    let runs = decode(&file, secrets).with_context(|| path.to_string())?;
    for run in &runs {
        if args.json {
            for entry in &run.entries {
                line(&serde_json::to_string(entry)?);
            }
        } else {
            line(&markdown(run));
        }
    }
    Ok(())
}
