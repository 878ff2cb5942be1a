//! Where the reports of `dayfly check` go.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dayfly_check::report::{self, Text};
use dayfly_check::run::{Report, Told};

use crate::args::check::{Forms, STDOUT};
use crate::commands::WrongUsage;
use crate::report::line;

/// Writes the text while the run goes on, and the other forms at its end.
pub(super) struct Output {
    strict: bool,
    text: Text,
    /// Where the text goes; to nobody where another form has standard output and standard error is no terminal.
    place: Option<Place>,
    others: Vec<(Form, Sink)>,
}

#[derive(Clone, Copy)]
enum Place {
    Stdout,
    Stderr,
}

#[derive(Clone, Copy)]
enum Form {
    Json,
    Junit,
    Markdown,
}

enum Sink {
    Stdout,
    File(File, PathBuf),
}

impl Output {
    /// Makes the files, so that one that cannot be made is told before the run and not after it.
    pub(super) fn open(forms: &Forms, strict: bool) -> anyhow::Result<Self> {
        let asked =
            [(Form::Json, &forms.json), (Form::Junit, &forms.junit), (Form::Markdown, &forms.markdown)];
        let mut others = Vec::new();
        for (form, path) in asked {
            if let Some(path) = path {
                others.push((form, sink(path)?));
            }
        }
        let place = match others.iter().filter(|(_, sink)| matches!(sink, Sink::Stdout)).count() {
            0 => Some(Place::Stdout),
            1 => io::stderr().is_terminal().then_some(Place::Stderr),
            _ => return Err(WrongUsage::new("only one form of the report can go to standard output: give the others a file, as in --junit=FILE").into()),
        };
        let colour = match place {
            Some(Place::Stdout) => io::stdout().is_terminal(),
            Some(Place::Stderr) => true,
            None => false,
        };
        Ok(Self { strict, text: Text::new(colour), place, others })
    }

    /// A case that has ended.
    pub(super) fn case(&mut self, told: &Told) {
        let mut text = String::new();
        // A `String` takes everything.
        let _ = self.text.case(told, &mut text);
        self.show(&text);
    }

    /// The end of the run.
    pub(super) fn end(mut self, report: &Report) -> anyhow::Result<()> {
        if report.stranger.is_none() {
            let mut text = String::new();
            self.text.end(report, self.strict, &mut text)?;
            self.show(&text);
        }
        for (form, sink) in std::mem::take(&mut self.others) {
            let text = written(form, report, self.strict)?;
            match sink {
                Sink::Stdout => line(text.trim_end()),
                Sink::File(mut file, path) => file
                    .write_all(text.as_bytes())
                    .with_context(|| format!("{}: cannot be written", path.display()))?,
            }
        }
        Ok(())
    }

    fn show(&self, text: &str) {
        match self.place {
            Some(Place::Stdout) => line(text.trim_end()),
            // Progress that nobody can see is no reason to stop.
            Some(Place::Stderr) => _ = write!(io::stderr(), "{text}"),
            None => {}
        }
    }
}

fn sink(path: &Path) -> anyhow::Result<Sink> {
    if path == Path::new(STDOUT) {
        return Ok(Sink::Stdout);
    }
    let file = File::create(path).with_context(|| format!("{}: cannot be written", path.display()))?;
    Ok(Sink::File(file, path.to_owned()))
}

fn written(form: Form, report: &Report, strict: bool) -> anyhow::Result<String> {
    let mut text = String::new();
    match form {
        Form::Json => text = report::json(report, strict),
        Form::Junit => report::junit(report, strict, &mut text)?,
        Form::Markdown => report::markdown(report, strict, &mut text)?,
    }
    Ok(text)
}
