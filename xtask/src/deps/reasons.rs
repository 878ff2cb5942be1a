//! DEPS.md against the manifests: each dependency has its line, each line its dependency.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace;

/// Dependencies without a reason, reasons without a dependency, and entries of the root manifest that no member uses.
pub(super) fn problems() -> Result<Vec<String>> {
    let root = workspace::root();
    let text = std::fs::read_to_string(root.join("DEPS.md")).context("reading DEPS.md")?;
    let used = used(&root)?;
    let mut problems = compare(&used, &reasons(&text));
    let offered = offered(&std::fs::read_to_string(root.join("Cargo.toml"))?)?;
    let idle = offered.difference(&used);
    problems.extend(idle.map(|name| format!("no package uses {name} of [workspace.dependencies]")));
    Ok(problems)
}

fn compare(used: &BTreeSet<String>, reasons: &BTreeSet<String>) -> Vec<String> {
    let unexplained = used.difference(reasons).map(|name| format!("DEPS.md gives no reason for {name}"));
    let unused = reasons.difference(used).map(|name| format!("DEPS.md explains {name}, which nothing uses"));
    unexplained.chain(unused).collect()
}

/// The names at the start of lines of the form: - `name`: why.
fn reasons(text: &str) -> BTreeSet<String> {
    let line = |line: &str| {
        let (name, reason) = line.strip_prefix("- `")?.split_once("`: ")?;
        (reason.split_whitespace().count() > 2).then(|| name.to_owned())
    };
    text.lines().filter_map(line).collect()
}

/// What reads the names of direct dependencies out of a manifest.
type Names = fn(&str) -> Result<BTreeSet<String>>;

/// The manifests of every package registry in use.
const MANIFESTS: [(&str, Names); 4] =
    [("Cargo.toml", cargo), ("package.json", npm), ("requirements.txt", pip), ("go.mod", go)];

/// What the manifests of all packages ask for, in and beside the workspace, but for each other.
fn used(root: &Path) -> Result<BTreeSet<String>> {
    let mut used = BTreeSet::new();
    for path in workspace::files(root, &|name| MANIFESTS.iter().any(|(manifest, _)| *manifest == name))? {
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        for (_, names) in MANIFESTS.iter().filter(|(manifest, _)| path.ends_with(manifest)) {
            used.extend(names(&text).with_context(|| format!("reading {}", path.display()))?);
        }
    }
    Ok(used)
}

fn cargo(text: &str) -> Result<BTreeSet<String>> {
    let manifest: toml::Table = toml::from_str(text)?;
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables =
        std::iter::once(&manifest).chain(targets.into_iter().flatten().filter_map(|(_, t)| t.as_table()));
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let lists = tables.flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()));
    Ok(lists
        .flatten()
        .filter(|(_, value)| !is_path(value))
        .map(|(name, _)| name.clone())
        .filter(|name| is_foreign(name))
        .collect())
}

fn is_path(value: &toml::Value) -> bool {
    value.get("path").is_some()
}

fn is_foreign(name: &str) -> bool {
    !name.starts_with("dayfly")
}

fn npm(text: &str) -> Result<BTreeSet<String>> {
    let manifest: serde_json::Value = serde_json::from_str(text)?;
    let lists = ["dependencies", "devDependencies"].iter().filter_map(|kind| manifest.get(kind)?.as_object());
    Ok(lists.flatten().map(|(name, _)| name.clone()).collect())
}

/// The pinned packages, but for those that another one brings: `rsa==4.9.1 --hash=.. # via telethon`.
fn pip(text: &str) -> Result<BTreeSet<String>> {
    let direct = text.lines().map(str::trim).filter(|line| !line.contains("# via "));
    let mut names = BTreeSet::new();
    for line in direct.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, _) = line.split_once("==").with_context(|| format!("no pinned version: {line}"))?;
        names.insert(name.to_owned());
    }
    Ok(names)
}

/// The required modules, but for those marked `// indirect`.
fn go(text: &str) -> Result<BTreeSet<String>> {
    text.lines().find(|line| line.starts_with("module ")).context("no module line")?;
    let required = |line: &str| {
        let (name, version) = line.trim().trim_start_matches("require ").split_once(' ')?;
        (name.contains('.') && version.starts_with('v')).then(|| name.to_owned())
    };
    Ok(text.lines().filter(|line| !line.ends_with("// indirect")).filter_map(required).collect())
}

/// What the root manifest offers to its members.
fn offered(text: &str) -> Result<BTreeSet<String>> {
    let manifest: toml::Table = toml::from_str(text).context("reading Cargo.toml")?;
    let table = manifest.get("workspace").and_then(|table| table.get("dependencies")?.as_table());
    Ok(table.into_iter().flatten().map(|(name, _)| name.clone()).filter(|name| is_foreign(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_line_counts_only_with_a_reason() {
        let text = "# Dependencies\n- `aes`: the block cipher, constant time.\n- `ctr`: later\n- ctr: no ticks at all\n";
        assert_eq!(reasons(text), set(&["aes"]));
    }

    #[test]
    fn both_directions_are_compared() {
        let problems = compare(&set(&["aes", "ctr"]), &set(&["aes", "sha1"]));
        assert_eq!(
            problems,
            ["DEPS.md gives no reason for ctr", "DEPS.md explains sha1, which nothing uses"]
        );
    }

    #[test]
    fn every_kind_of_dependency_of_a_manifest_counts_but_our_own() {
        let text = "[dependencies]\naes = \"1\"\ndayfly-tl.workspace = true\nlocal = { path = \"../local\" }\n\
            [dev-dependencies]\nhex.workspace = true\n[target.'cfg(unix)'.build-dependencies]\ncc = \"1\"\n";
        assert_eq!(cargo(text).unwrap(), set(&["aes", "cc", "hex"]));
    }

    #[test]
    fn a_pinned_python_package_counts_but_not_what_it_brings() {
        let text =
            "# pinned\n\ntelethon==1.45.0 --hash=sha256:00\nrsa==4.9.1 --hash=sha256:00  # via telethon\n";
        assert_eq!(pip(text).unwrap(), set(&["telethon"]));
    }

    #[test]
    fn a_required_go_module_counts_but_not_an_indirect_one() {
        let text = "module dayfly.invalid/x\n\ngo 1.25.0\n\nrequire a.example/one v1.0.0\n\nrequire (\n\tb.example/two/v4 v4.3.0\n\
            \tc.example/three v0.1.0 // indirect\n)\n";
        assert_eq!(go(text).unwrap(), set(&["a.example/one", "b.example/two/v4"]));
    }

    #[test]
    fn a_broken_manifest_is_an_error() {
        assert!(cargo("[dependencies").is_err());
        assert!(npm("{").is_err());
        assert!(pip("telethon\n").is_err());
        assert!(go("{").is_err());
    }
}
