//! A run as Markdown, to be pasted where somebody asks why a handshake failed.

use std::fmt::Write as _;

use dayfly_core::observer::Direction;

use super::book::Run;
use super::entry::{Entry, Told};
use super::verdict::verdict;
use super::words::is_legal;
use crate::dissect::{Field, Part};

/// Bytes of a value that are shown.
const MOST_BYTES: usize = 32;

/// The whole run: what it came to, then each thing in its order, messages with a table of their fields.
#[must_use]
pub fn markdown(run: &Run) -> String {
    let mut out = format!("# Run {}\n\n{}\n", run.number, text(&verdict(run).text));
    if run.forgotten > 0 {
        _ = write!(out, "\nThe first {} entries were forgotten.\n", run.forgotten);
    }
    let start = run.entries.front().map(|entry| entry.since_start).unwrap_or_default();
    for entry in &run.entries {
        let after = entry.since_start.saturating_sub(start).as_secs_f64() * 1000.0;
        _ = write!(out, "\n## {after:.1} ms: {}\n", text(&heading(entry)));
        out += &body(entry);
    }
    out
}

/// An entry in one line.
#[must_use]
pub fn heading(entry: &Entry) -> String {
    match &entry.told {
        Told::Message { direction, name, fault, parts } => {
            let (arrow, length) = (arrow(*direction), parts.first().map_or(0, |part| part.bytes.len()));
            let fault = fault.as_deref().map(altered).unwrap_or_default();
            format!("{arrow} {name}, {length} bytes{fault}")
        }
        Told::Fault { fault, text, .. } => format!("the fault {fault} acts: {text}"),
        Told::Opened { parts } => parts.first().map_or("opened", Part::title).to_owned(),
        Told::Value { name, bytes } => format!("{name} is derived, {} bytes", bytes.len()),
        Told::Refused { rule, text, .. } => format!("refused by rule {rule}: {text}"),
        Told::Note { kind, text } => format!("{}: {text}", kind.replace('_', " ")),
    }
}

fn altered(fault: &str) -> String {
    if is_legal(fault) {
        format!(", with {fault}, which is legal")
    } else {
        format!(", altered by the fault {fault}")
    }
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "client → lab:",
        Direction::Out => "lab → client:",
    }
}

fn body(entry: &Entry) -> String {
    match &entry.told {
        Told::Value { bytes, .. } => format!("\n`{}`\n", hex::encode(bytes)),
        Told::Refused { field, detail, .. } => {
            let detail = detail.as_ref().map(|detail| format!(" {detail}.")).unwrap_or_default();
            format!("\nThe field is `{field}`.{}\n", text(&detail))
        }
        _ => entry.parts().iter().map(table).collect(),
    }
}

fn table(part: &Part) -> String {
    let mut out = format!(
        "\n{}:\n\n| offset | length | field | type | value |\n| ---: | ---: | --- | --- | --- |\n",
        part.title()
    );
    if let Some(flaw) = &part.flaw {
        _ = writeln!(out, "| | | | | **{}** |", text(flaw));
    }
    for field in part.dissect().fields {
        row(&mut out, &field, 0);
    }
    out
}

fn row(out: &mut String, field: &Field, depth: usize) {
    let Field { offset, length, name, kind, .. } = field;
    let indent = "&ensp;".repeat(depth);
    let value = said(field);
    _ = writeln!(out, "| {offset} | {length} | {indent}{} | {} | {value} |", text(name), text(kind));
    field.fields.iter().for_each(|inner| row(out, inner, depth.saturating_add(1)));
}

/// The value, its meaning, and what is wrong with it.
fn said(field: &Field) -> String {
    let value = Some(field.shown(MOST_BYTES)).filter(|value| !value.is_empty());
    let value = value.map(|value| format!("`{}`", value.replace(['`', '|'], "�")));
    let note = field.note.as_deref().map(text);
    let flaw = field.flaw.as_deref().map(|flaw| format!("**{}**", text(flaw)));
    [value, note, flaw].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Text of a peer, so that it stays text: nothing in it is markup, a cell's end or a new line.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '*' | '_' | '`' | '<' | '[' | '\\' | '#' => out.extend(['\\', character]),
            control if control.is_control() => out.push('�'),
            other => out.push(other),
        }
    }
    out
}
