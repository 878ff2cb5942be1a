//! `cargo xtask soak` and `cargo xtask figures`: build `dayfly-load` as what is shipped is built, and run it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::conformance::programs::{self, Profile};
use crate::workspace;

/// The page that states the figures.
const PAGE: &str = "docs/src/figures.md";
/// What surrounds the report there.
const BEGINS: &str = "<!-- report -->\n```text\n";
const ENDS: &str = "```\n<!-- end of report -->";

/// Runs the soak with these arguments.
pub(crate) fn soak(arguments: &[&str]) -> Result<()> {
    run("soak", arguments)
}

/// Measures the figures with these arguments; `--write` puts the report into the page.
pub(crate) fn figures(arguments: &[&str]) -> Result<()> {
    let write = arguments.contains(&"--write");
    let mut arguments: Vec<&str> = arguments.iter().copied().filter(|word| *word != "--write").collect();
    let folder = workspace::target_directory();
    let (text, json) = (folder.join("figures.txt"), folder.join("figures.json"));
    let names = [&text, &json].map(|file| file.display().to_string());
    let dayfly = programs::dayfly(Profile::Release)?.display().to_string();
    arguments.extend(["--text", &names[0], "--json", &names[1], "--dayfly", &dayfly]);
    let outcome = run("figures", &arguments);
    if write && text.exists() {
        put(&text, &workspace::root().join(PAGE))?;
    }
    outcome
}

fn run(what: &str, arguments: &[&str]) -> Result<()> {
    let mut build = workspace::cargo();
    build.args(["build", "--release", "--quiet", "--package", "dayfly-load"]);
    if !build.status().context("starting cargo")?.success() {
        bail!("dayfly-load does not build");
    }
    let program = workspace::target_directory().join("release/dayfly-load");
    let status = Command::new(program).arg(what).args(arguments).current_dir(workspace::root()).status();
    if status.context("starting dayfly-load")?.success() {
        Ok(())
    } else {
        bail!("{what}: not as it should be")
    }
}

/// Puts the text of a report between the marks of a page.
fn put(report: &Path, page: &Path) -> Result<()> {
    let read = |file: &Path| std::fs::read_to_string(file).with_context(|| file.display().to_string());
    let text = replace(&read(page)?, &read(report)?).with_context(|| format!("{PAGE} has no marks"))?;
    std::fs::write(page, text).with_context(|| page.display().to_string())
}

fn replace(page: &str, report: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGINS)?;
    let (_, after) = rest.split_once(ENDS)?;
    Some(format!("{before}{BEGINS}{report}{ENDS}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_takes_the_place_of_the_one_before() {
        let page = format!("a\n{BEGINS}old\n{ENDS}\nb\n");
        assert_eq!(replace(&page, "new\n"), Some(format!("a\n{BEGINS}new\n{ENDS}\nb\n")));
        assert_eq!(replace("no marks", "new\n"), None);
    }

    #[test]
    fn the_page_has_its_marks() {
        let page = std::fs::read_to_string(workspace::root().join(PAGE)).unwrap();
        assert!(replace(&page, "").is_some());
    }
}
