//! The pages, as HTML that works without a script. The template escapes whatever is put into it.

use std::time::Duration;

use dayfly_core::handshake::server::RunView;
use dayfly_core::server::{ConnectionView, KeyUse};
use dayfly_crypto::AuthKeyId;
use dayfly_store::Listed;
use maud::{DOCTYPE, Markup, html};

use super::desk::Desk;
use super::routes::PAGE;
use super::text::{said, size, span};
use super::visitor::Visitor;
use crate::survey::{Figures, Refusal};
use crate::utc::utc;

/// The refusals that the first page shows.
const FEW: usize = 8;

/// A key of the store, and how many of its sessions are connected.
pub(crate) type KeyRow = (Listed, usize);

/// What was counted since the start.
pub(crate) struct Totals {
    pub(crate) keys_made: u64,
    /// Received and sent.
    pub(crate) bytes: (u64, u64),
    pub(crate) uptime: Duration,
}

const TABS: [(&str, &str); 4] =
    [("/", "Overview"), ("/keys", "Keys"), ("/connections", "Connections"), ("/refusals", "Refusals")];

fn document(title: &str, refreshes: bool, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · dayfly" }
                link rel="icon" type="image/svg+xml" href="/icon.svg";
                link rel="stylesheet" href="/style.css";
                @if refreshes {
                    script src="/live.js" defer {}
                    noscript { meta http-equiv="refresh" content="10"; }
                }
            }
            body { (body) }
        }
    }
}

/// A page with the bar on top; `live` ones ask for themselves again every few seconds.
fn page(visitor: &Visitor, path: &str, title: &str, live: bool, content: &Markup) -> Markup {
    let body = html! {
        header.bar {
            a.brand href="/" { span.wings aria-hidden="true" {} "dayfly" }
            nav aria-label="Pages" {
                @for (to, name) in TABS {
                    a href=(to) aria-current=[(to == path).then_some("page")] { (name) }
                }
            }
            form method="post" action="/logout" {
                (form_token(visitor))
                button.quiet type="submit" { "Log out" }
            }
        }
        main data-live[live] { h1 { (title) } (content) }
    };
    document(title, live, &body)
}

fn form_token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="form_token" value=(visitor.form_token()); }
}

pub(crate) fn login(desk: &Desk, wrong: Option<&str>) -> Markup {
    let body = html! {
        main.login {
            p.brand { span.wings aria-hidden="true" {} "dayfly" }
            form.card method="post" action="/login" {
                label for="token" { "Admin token" }
                input #token type="password" name="token" required autofocus autocomplete="current-password"
                    aria-describedby="where";
                @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
                button type="submit" { "Log in" }
                p #where { "It lies on the server, in the file " code { (file_name(desk)) } "." }
            }
        }
    };
    document("Log in", false, &body)
}

/// Not the whole path: who is not let in has no business with it.
fn file_name(desk: &Desk) -> String {
    desk.token_file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(crate) fn overview(
    visitor: &Visitor,
    figures: &Figures,
    totals: &Totals,
    handshakes: &[RunView],
    refusals: &[Refusal],
) -> Markup {
    let content = html! {
        @if figures.draining { p.notice role="status" { "The server answers what it owes, then ends." } }
        (tiles(figures, totals))
        section aria-labelledby="handshakes" {
            h2 #handshakes { "Key exchanges under way" }
            (handshake_table(handshakes))
        }
        section aria-labelledby="refused" {
            h2 #refused { "Last refusals" }
            (refusal_table(refusals.get(..FEW).unwrap_or(refusals)))
            @if refusals.len() > FEW { p { a href="/refusals" { "All " (refusals.len()) " that are remembered" } } }
        }
    };
    page(visitor, "/", "Overview", true, &content)
}

fn tiles(figures: &Figures, totals: &Totals) -> Markup {
    let census = &figures.census;
    let of = |kind: KeyUse| census.keys.get(&kind).copied().unwrap_or_default();
    let keys: usize = census.keys.values().sum();
    let kinds = format!(
        "{} bound, {} unbound, {} permanent",
        of(KeyUse::Bound),
        of(KeyUse::Unbound),
        of(KeyUse::Permanent)
    );
    let transports: Vec<String> =
        census.connections.iter().map(|(transport, count)| format!("{count} {transport}")).collect();
    let queued = figures.crypto_jobs.saturating_add(figures.commands).saturating_add(figures.results);
    let queues = format!("{} for crypto, {} for the engine", figures.crypto_jobs, figures.commands);
    let connections: usize = census.connections.values().sum();
    html! {
        dl.tiles {
            (tile("Connections", connections, &transports.join(", ")))
            (tile("Keys in use", keys, &kinds))
            (tile("Sessions", census.sessions, "with and without a connection"))
            (tile("Key exchanges", census.unfinished_handshakes, "under way"))
            (tile("Keys made", totals.keys_made, &format!("in {}", span(totals.uptime))))
            (tile("Calls owed", census.calls_owed, "by the back end"))
            (tile("Queued", queued, &queues))
            (tile("Traffic", size(totals.bytes.0.saturating_add(totals.bytes.1)),
                &format!("{} in, {} out", size(totals.bytes.0), size(totals.bytes.1))))
        }
    }
}

fn tile(name: &str, value: impl maud::Render, detail: &str) -> Markup {
    html! { div { dt { (name) } dd { strong { (value) } small { (detail) } } } }
}

fn handshake_table(handshakes: &[RunView]) -> Markup {
    let row = |run: &RunView| {
        html! {
            tr { td.number { (run.number) } td { (run.peer) } td { (span(run.age)) } td { (run.awaits) } }
        }
    };
    table(&["Number", "Peer", "Age", "Waits for"], handshakes.iter().map(row), "None.")
}

fn refusal_table(refusals: &[Refusal]) -> Markup {
    let row = |refusal: &Refusal| {
        html! {
            tr {
                td { time { (utc(refusal.at)) } }
                td { @if let Some(peer) = refusal.peer { (peer) } @else { "–" } }
                td.number { @if let Some(number) = refusal.connection { (number) } @else { "–" } }
                td { (refusal.what) }
                td { (refusal.reason) }
            }
        }
    };
    let headings = ["Time", "Peer", "Connection", "What", "Reason"];
    table(&headings, refusals.iter().map(row), "Nothing was refused yet.")
}

pub(crate) fn refusals(visitor: &Visitor, refusals: &[Refusal]) -> Markup {
    let content = html! {
        p { "The last hundred, latest first. All that comes after the private-key operation of a key exchange reads the same." }
        (refusal_table(refusals))
    };
    page(visitor, "/refusals", "Refusals", true, &content)
}

pub(crate) fn keys(
    visitor: &Visitor,
    rows: &[KeyRow],
    not_first: bool,
    revoked: Option<AuthKeyId>,
) -> Markup {
    let row = |(listed, sessions): &KeyRow| {
        html! {
            tr {
                td { a href={ "/keys/" (listed.id) } { code { (listed.id) } } }
                td.number { (listed.dc) }
                td { time { (utc(listed.created_at)) } }
                td { (used(listed)) }
                td.number { (sessions) }
                td { a.button.danger href={ "/keys/" (listed.id) } { "Revoke…" } }
            }
        }
    };
    let last = rows.last().map(|(listed, _)| listed.id.to_string());
    let headings = ["Permanent key", "DC", "Made", "Last used", "Sessions connected", "Change"];
    let content = html! {
        @if let Some(id) = revoked {
            p.notice role="status" { "The key " code { (id) } " is revoked, and what was bound to it has ended." }
        }
        (table(&headings, rows.iter().map(row), "The store has no keys here."))
        (turn_pages("/keys", rows.len(), last.as_deref(), not_first))
    };
    page(visitor, "/keys", "Keys", false, &content)
}

/// One key, with the form that revokes it: to come here is the first step, the button the second.
pub(crate) fn key(visitor: &Visitor, (listed, sessions): &KeyRow) -> Markup {
    let content = html! {
        dl.facts {
            dt { "DC" } dd { (listed.dc) }
            dt { "Made" } dd { time { (utc(listed.created_at)) } }
            dt { "Last used" } dd { (used(listed)) }
            dt { "Sessions connected" } dd { (sessions) }
        }
        form.card method="post" action={ "/keys/" (listed.id) "/revoke" } {
            (form_token(visitor))
            p {
                "Revoking it ends every temporary key that is bound to it and closes their connections with -404. Its client has "
                "to make a new key and to log in again. There is no way back."
            }
            p.choice { button.danger type="submit" { "Revoke this key" } a.button href="/keys" { "Keep it" } }
        }
    };
    page(visitor, "/keys", &format!("Key {}", listed.id), false, &content)
}

fn used(listed: &Listed) -> Markup {
    html! { @if let Some(at) = listed.used_at { time { (utc(at)) } } @else { "never" } }
}

pub(crate) fn connections(visitor: &Visitor, rows: &[ConnectionView], not_first: bool) -> Markup {
    let last = rows.last().map(|row| row.id.0.to_string());
    let headings = ["Number", "Peer", "Transport", "Key", "Sessions", "Client"];
    let content = html! {
        (table(&headings, rows.iter().map(connection), "No connections here."))
        (turn_pages("/connections", rows.len(), last.as_deref(), not_first))
    };
    page(visitor, "/connections", "Connections", true, &content)
}

fn connection(row: &ConnectionView) -> Markup {
    html! {
        tr {
            td.number { (row.id.0) }
            td { (row.peer) }
            td { @if row.obfuscated { "obfuscated " } (row.transport) }
            td {
                @match row.key {
                    None => "–",
                    Some(key) => {
                        code { (key.id) } " " span.badge { (key.key_use.name()) }
                        @if let Some(perm) = key.perm.filter(|perm| *perm != key.id) {
                            br; small { "of " a href={ "/keys/" (perm) } { code { (perm) } } }
                        }
                    }
                }
            }
            td.number { (row.sessions.len()) }
            td { (client(row)) }
        }
    }
}

/// What the client said of itself.
fn client(row: &ConnectionView) -> Markup {
    html! {
        @if let Some(client) = &row.client {
            (said(&client.device_model)) ", " (said(&client.system_version))
            br;
            small {
                "version " (said(&client.app_version)) ", api_id " (client.api_id)
                @if let Some(layer) = row.layer { ", layer " (layer) }
            }
        } @else { "–" }
    }
}

fn table(headings: &[&str], rows: impl ExactSizeIterator<Item = Markup>, empty: &str) -> Markup {
    if rows.len() == 0 {
        return html! { p.empty { (empty) } };
    }
    html! {
        div.wide tabindex="0" {
            table {
                thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

fn turn_pages(path: &str, rows: usize, last: Option<&str>, not_first: bool) -> Markup {
    let next = last.filter(|_| rows >= PAGE);
    html! {
        @if not_first || next.is_some() {
            nav.pages aria-label="More rows" {
                @if not_first { a.button href=(path) { "First page" } }
                @if let Some(last) = next { a.button href={ (path) "?after=" (last) } { "Next page" } }
            }
        }
    }
}
