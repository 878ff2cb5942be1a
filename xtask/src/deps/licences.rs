//! Licences and sources of all packages, by the lists of deny.toml.
//!
//! `cargo deny check licenses bans sources` reads the same file and sees more; it takes minutes to install, so CI asks
//! `cargo metadata` instead.

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::workspace::{self, Metadata, Package};

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    sources: Sources,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Sources {
    #[serde(rename = "allow-registry")]
    registries: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    #[serde(default)]
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
}

/// Packages whose licence, source or name deny.toml does not allow.
pub(super) fn problems(metadata: &Metadata) -> Result<Vec<String>> {
    let path = workspace::root().join("deny.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let deny: Deny = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    Ok(metadata.packages.iter().flat_map(|package| deny.problems(package)).collect())
}

impl Deny {
    fn problems(&self, package: &Package) -> Vec<String> {
        let name = format!("{} {}", package.name, package.version);
        let mut problems = Vec::new();
        match package.license.as_deref() {
            Some(expression) if self.allows(package, expression) => {}
            Some(expression) => problems.push(format!("{name}: licence {expression} is not in deny.toml")),
            None => problems.push(format!("{name} names no licence")),
        }
        let source = package.source.as_deref().and_then(|source| source.strip_prefix("registry+"));
        if package.source.is_some()
            && !source.is_some_and(|url| self.sources.registries.iter().any(|r| r == url))
        {
            problems.push(format!("{name} comes from a source that deny.toml does not allow"));
        }
        if self.bans.deny.iter().any(|banned| banned.name == package.name) {
            problems.push(format!("{name} is banned by deny.toml"));
        }
        problems
    }

    fn allows(&self, package: &Package, expression: &str) -> bool {
        let exceptions = self.licenses.exceptions.iter().filter(|exception| exception.name == package.name);
        let extra: Vec<&String> = exceptions.flat_map(|exception| &exception.allow).collect();
        allowed(expression, &|id| {
            self.licenses.allow.iter().chain(extra.iter().copied()).any(|known| known == id)
        })
    }
}

/// Whether an SPDX expression can be met with licences that pass `known`; `/` is the old way to write OR.
fn allowed(expression: &str, known: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest, known) && rest.is_empty()
}

fn either(words: &mut &[&str], known: &dyn Fn(&str) -> bool) -> bool {
    let mut met = both(words, known);
    while let Some(after) = words.strip_prefix(&["OR"]) {
        *words = after;
        met |= both(words, known);
    }
    met
}

fn both(words: &mut &[&str], known: &dyn Fn(&str) -> bool) -> bool {
    let mut met = one(words, known);
    while let Some(after) = words.strip_prefix(&["AND"]) {
        *words = after;
        met &= one(words, known);
    }
    met
}

fn one(words: &mut &[&str], known: &dyn Fn(&str) -> bool) -> bool {
    match *words {
        ["(", after @ ..] => {
            *words = after;
            let met = either(words, known);
            let closed = words.strip_prefix(&[")"]);
            *words = closed.unwrap_or(words);
            met && closed.is_some()
        }
        [licence, "WITH", exception, after @ ..] => {
            *words = after;
            known(&format!("{licence} WITH {exception}")) || known(licence)
        }
        [licence, after @ ..] => {
            *words = after;
            known(licence)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_as_spdx_defines_them() {
        let known = |id: &str| ["MIT", "ISC", "Apache-2.0"].contains(&id);
        for (expression, met) in [
            ("MIT", true),
            ("MIT/GPL-3.0", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("ISC AND (GPL-3.0 OR MIT)", true),
            ("ISC AND (GPL-3.0 OR LGPL-3.0)", false),
            ("GPL-3.0 OR MIT AND ISC", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("(MIT", false),
            ("MIT ISC", false),
            ("", false),
        ] {
            assert_eq!(allowed(expression, &known), met, "{expression}");
        }
    }
}
