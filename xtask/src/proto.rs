//! `cargo xtask proto`: the Rust code of `proto/`, written anew or checked.
//!
//! The generator is a workspace of its own, `xtask/proto`, built only here. That the code is of the interface as it stands, a
//! test tells without it, by the checksum in its first line.

use anyhow::{Result, bail};

use crate::workspace;

/// Runs the generator with `words`.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let mut command = workspace::cargo();
    command.args(["run", "--quiet", "--manifest-path", "xtask/proto/Cargo.toml", "--"]).args(words);
    let status = command.current_dir(workspace::root()).status()?;
    if status.success() { Ok(()) } else { bail!("the generator ended with {status}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_code_is_of_the_interface_as_it_stands() {
        let root = workspace::root();
        let source = std::fs::read(root.join("proto/dayfly/backend/v1/backend.proto")).unwrap();
        let checksum = format!("whose CRC-32 is {:08x}.", crc32fast::hash(&source));
        let code =
            std::fs::read_to_string(root.join("crates/backend-proto/src/dayfly.backend.v1.rs")).unwrap();
        let head = code.lines().next().unwrap();
        assert!(head.ends_with(&checksum), "it is stale, run `cargo xtask proto`: {head}");
    }
}
