//! `dayfly completions` and `dayfly man`: what the command line says of itself.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::args::{Cli, Completions, ManPages};
use crate::report::line;

/// When the command line last changed; a page says of what time it is.
const CHANGED: &str = "2026-11-22";

pub(crate) fn completions(args: &Completions) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dayfly", &mut script);
    line(String::from_utf8(script).context("the completions")?.trim_end());
    Ok(())
}

pub(crate) fn man(args: &ManPages) -> anyhow::Result<()> {
    let directory = &args.directory;
    fs::create_dir_all(directory).with_context(|| format!("{}: cannot be made", directory.display()))?;
    // The page of `help` would say less than each page does.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    write_pages(&command, directory)
}

/// A page for the command and one for each below it.
fn write_pages(command: &clap::Command, directory: &Path) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let page = Man::new(command.clone()).title(name.to_uppercase()).date(CHANGED).manual("dayfly");
    let path = directory.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text).with_context(|| format!("the page of {name}"))?;
    let text = String::from_utf8(text).with_context(|| format!("the page of {name}"))?;
    fs::write(&path, tidy(&text)).with_context(|| format!("{}: cannot be written", path.display()))?;
    command.get_subcommands().try_for_each(|below| write_pages(below, directory))
}

/// What checkers of man pages want beyond what is generated: no spaces at the ends of lines, no empty lines, and text in lines of
/// at most 80 bytes. The label under `.TP` is one line, however long.
fn tidy(page: &str) -> String {
    let trimmed: Vec<&str> = page.lines().map(str::trim_end).collect();
    let page = trimmed.join("\n").replace(".br\n\n.br\n", ".sp\n");
    let mut tidied = String::new();
    let mut above = "";
    for line in page.lines() {
        if line.starts_with('.') || above == ".TP" {
            tidied.push_str(line);
        } else {
            tidied.push_str(&wrapped(line));
        }
        tidied.push('\n');
        above = line;
    }
    tidied
}

/// The words in lines of at most 80 bytes. None of the later ones begins with what would make it a request.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 80;
    let mut wrapped = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        let fits = width + 1 + word.len() <= WIDTH || word.starts_with(['.', '\'']);
        match width {
            0 => {}
            _ if fits => wrapped.push(' '),
            _ => wrapped.push('\n'),
        }
        width = if width > 0 && fits { width + 1 + word.len() } else { word.len() };
        wrapped.push_str(word);
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let directory = tempfile::tempdir().unwrap();
        man(&ManPages { directory: directory.path().join("man1") }).unwrap();
        let read = |name: &str| fs::read_to_string(directory.path().join("man1").join(name)).unwrap();
        for command in Cli::command().get_subcommands() {
            let page = read(&format!("dayfly-{}.1", command.get_name()));
            let about = command.get_about().unwrap().to_string();
            let words = page.replace('\\', "").replace('\n', " ");
            assert!(words.contains(&about), "{page}");
        }
        assert!(read("dayfly-keys-revoke.1").contains(".TH DAYFLY-KEYS-REVOKE 1"));
        assert!(!read("dayfly.1").lines().any(|line| line.is_empty() || line.ends_with(' ')));
    }

    #[test]
    fn text_is_cut_between_words_and_labels_are_not() {
        let long = "word ".repeat(30);
        let text = format!(".SH NAME\n{long}\n.TP\n{long}\n.br\n\n.br\nend");
        let tidied = tidy(&text);
        let lines: Vec<&str> = tidied.lines().collect();
        assert_eq!((lines[1].len(), lines[2].len()), (79, 69));
        assert_eq!(lines[3..], [".TP", long.trim_end(), ".sp", "end"]);
        assert_eq!(wrapped(&format!("{} .x y", "x".repeat(78))), format!("{} .x\ny", "x".repeat(78)));
    }
}
