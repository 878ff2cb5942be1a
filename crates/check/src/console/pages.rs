//! The page: a list of runs, and each run as a timeline in which messages open to bytes and fields.

use dayfly_core::observer::Direction;
use dayfly_server::utc;
use maud::{DOCTYPE, Markup, html};

use super::api::standing;
use super::desk::Desk;
use super::hexdump::{self, Row};
use crate::dissect::{Field, Part};
use crate::transcript::{Entry, Run, Told, heading, verdict};

/// Runs of one page; the API has all.
const MOST_RUNS: usize = 100;
/// Bytes of a value in the table; the bytes beside it are all there.
const MOST_VALUE: usize = 24;

fn document(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · dayfly lab" }
                link rel="icon" href="/icon.svg";
                link rel="stylesheet" href="/lab.css";
                script defer src="/lab.js" {}
            }
            body {
                header { a.brand href="/" { "dayfly lab" } span.warning { "A test server: never for production" } }
                main { h1 { (title) } (content) }
            }
        }
    }
}

pub(super) fn overview(desk: &Desk) -> Markup {
    let book = desk.parts.book.open();
    let runs: Vec<&Run> = book.runs().rev().take(MOST_RUNS).collect();
    let now = desk.parts.lab.clock().now().unix_seconds();
    document(
        "Runs",
        &html! {
            p { "The lab listens on " code { (desk.parts.lab.address()) } ". Its clock says " (utc(now)) "." }
            div data-live {
                @if runs.is_empty() { p.empty { "No client has connected yet." } }
                @else { (run_table(&runs)) }
            }
        },
    )
}

fn run_table(runs: &[&Run]) -> Markup {
    html! {
        table.runs {
            thead { tr { th { "Run" } th { "Began" } th { "Came to" } } }
            tbody {
                @for run in runs {
                    @let verdict = verdict(run);
                    tr {
                        td { a href={ "/view/" (run.number) } { (run.number) } }
                        td { (began(run)) }
                        td {
                            span class={ "badge " (standing(verdict.standing)) } { (standing(verdict.standing)) }
                            " " (verdict.text)
                        }
                    }
                }
            }
        }
    }
}

fn began(run: &Run) -> String {
    run.entries.front().map(|entry| utc(entry.unix.as_secs())).unwrap_or_default()
}

pub(super) fn view(run: &Run) -> Markup {
    let verdict = verdict(run);
    let start = run.entries.front().map(|entry| entry.since_start).unwrap_or_default();
    document(
        &format!("Run {}", run.number),
        &html! {
            p class={ "verdict " (standing(verdict.standing)) } role="status" { (verdict.text) }
            p.links {
                (began(run)) " · " a href={ "/runs/" (run.number) ".md" } { "as Markdown" }
                " · " a href={ "/runs/" (run.number) } { "as JSON" }
            }
            @if run.forgotten > 0 { p { "The first " (run.forgotten) " entries were forgotten." } }
            ol.timeline {
                @for entry in &run.entries {
                    li class=(class(entry)) {
                        time { (format!("{:.1} ms", entry.since_start.saturating_sub(start).as_secs_f64() * 1000.0)) }
                        (shown(entry))
                    }
                }
            }
        },
    )
}

fn class(entry: &Entry) -> &'static str {
    match &entry.told {
        Told::Message { fault: Some(_), .. } | Told::Fault { .. } => "fault",
        Told::Message { direction: Direction::In, .. } => "in",
        Told::Message { direction: Direction::Out, .. } => "out",
        Told::Refused { .. } => "refused",
        Told::Opened { .. } | Told::Value { .. } => "derived",
        Told::Note { .. } => "note",
    }
}

fn shown(entry: &Entry) -> Markup {
    match &entry.told {
        Told::Note { .. } => html! { p { (heading(entry)) } },
        Told::Refused { rule, field, text, detail } => html! {
            p { strong { "Refused: " (text) } @if let Some(detail) = detail { ": " (detail) } "." }
            p.soft { "Rule " code { (rule) } ", field " code { (field) } "." }
        },
        Told::Value { bytes, .. } => html! {
            details { summary { (heading(entry)) } pre.hex { (hex::encode(bytes)) } }
        },
        _ => html! {
            details { summary { (heading(entry)) } @for part in entry.parts() { (part_view(part)) } }
        },
    }
}

/// Bytes and fields side by side.
fn part_view(part: &Part) -> Markup {
    let fields = part.dissect().fields;
    let mut numbers = 0..;
    html! {
        section.part {
            h2 { (part.title()) }
            @if let Some(flaw) = &part.flaw { p.flaw { (flaw) } }
            div.sides {
                (bytes_view(&hexdump::rows(&part.bytes, &fields), part.bytes.len()))
                table.fields {
                    thead { tr { th { "At" } th { "Field" } th { "Type" } th { "Value" } } }
                    tbody { @for field in &fields { (field_rows(field, 0, &mut numbers)) } }
                }
            }
        }
    }
}

fn bytes_view(rows: &[Row], length: usize) -> Markup {
    html! {
        pre.hex {
            @for (at, spans) in rows {
                span.at { (format!("{at:04x} ")) }
                @for span in spans {
                    " "
                    @match span.field {
                        Some(field) => span data-field=(field) { (span.text) },
                        None => (span.text),
                    }
                }
                "\n"
            }
            @if length > hexdump::MOST { "… " (length - hexdump::MOST) " more bytes" }
        }
    }
}

fn field_rows(field: &Field, depth: usize, numbers: &mut std::ops::RangeFrom<usize>) -> Markup {
    let number = numbers.next().unwrap_or_default();
    html! {
        tr data-field=(number) tabindex="0" {
            td { (field.offset) }
            td class={ "depth-" (depth.min(6)) } { (field.name) }
            td { (field.kind) }
            td {
                code { (field.shown(MOST_VALUE)) }
                @if let Some(note) = &field.note { " " span.soft { (note) } }
                @if let Some(flaw) = &field.flaw { " " span.flaw { (flaw) } }
            }
        }
        @for inner in &field.fields { (field_rows(inner, depth + 1, numbers)) }
    }
}
