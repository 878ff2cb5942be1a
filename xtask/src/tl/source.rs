//! The lines of a schema file.

use anyhow::{Context, Result, anyhow};
use grammers_tl_parser::tl::Definition;

/// The definitions of a file, before names are resolved.
#[derive(Default)]
pub(crate) struct Source {
    /// Of the line `// LAYER n`.
    pub(crate) layer: Option<i32>,
    in_functions: bool,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    /// Without the semicolon.
    pub(crate) text: String,
    pub(crate) definition: Definition,
    pub(crate) function: bool,
}

impl Source {
    /// Takes the next line of the file.
    pub(crate) fn line(&mut self, line: &str) -> Result<()> {
        let line = line.trim();
        if let Some(layer) = line.strip_prefix("// LAYER ") {
            self.layer = Some(layer.parse().context("the layer is no number")?);
            return Ok(());
        }
        match line {
            "---functions---" => self.in_functions = true,
            "---types---" => self.in_functions = false,
            _ if line.is_empty() || line.starts_with("//") || is_built_in(line) => {}
            _ => self.definition(line)?,
        }
        Ok(())
    }

    fn definition(&mut self, line: &str) -> Result<()> {
        let text = line.strip_suffix(';').context("no semicolon at the end")?;
        let definition = text.parse().map_err(|error| anyhow!("{error:?}"))?;
        self.lines.push(Line { text: text.to_owned(), definition, function: self.in_functions });
        Ok(())
    }
}

/// What the hand-written half of the crate knows by itself.
fn is_built_in(line: &str) -> bool {
    ["int ?", "long ?", "double ?", "string ?", "vector", "int128 ", "int256 "]
        .iter()
        .any(|built_in| line.starts_with(built_in))
}
