//! `cargo xtask tl`: writes `crates/tl/src/generated/*.rs` from `schema/*.tl`.
//!
//! The parser is grammers-tl-parser's; the emitter is our own, because the types are to lend, not to own.

mod emit;
mod names;
mod reach;
mod resolve;
mod schema;
mod source;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The schemas, and the modules of the same names.
const SCHEMAS: [&str; 2] = ["mtproto", "api"];

/// Writes the generated modules anew.
pub(crate) fn run() -> Result<()> {
    for name in SCHEMAS {
        let path = repository().join(generated_path(name));
        fs::write(&path, generate(name)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn generate(name: &str) -> Result<String> {
    let path = repository().join("schema").join(name).with_extension("tl");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let schema = schema::parse(name, &text).with_context(|| format!("in {}", path.display()))?;
    Ok(emit::module(&schema))
}

fn generated_path(name: &str) -> String {
    format!("crates/tl/src/generated/{name}.rs")
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_modules_are_up_to_date() {
        for name in SCHEMAS {
            let checked_in = fs::read_to_string(repository().join(generated_path(name))).unwrap();
            let stale = checked_in != generate(name).unwrap();
            assert!(!stale, "{} is stale: run `cargo xtask tl`", generated_path(name));
        }
    }
}
