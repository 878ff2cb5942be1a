//! The control API: what each request does.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::Desk;
use crate::lab::LabEnded;
use crate::recording::SharedBook;
use crate::scenario::Scenario;
use crate::transcript::{Run, Standing, markdown, verdict};

pub(super) type Shared = State<Arc<Desk>>;

/// A response in JSON.
pub(super) struct Json(Value);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0.to_string()).into_response()
    }
}

/// A request that was not served: the status, and why in a sentence.
pub(super) struct Refused(pub(super) StatusCode, pub(super) String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

impl From<LabEnded> for Refused {
    fn from(error: LabEnded) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

fn wrong(text: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, text.into())
}

/// `GET /runs`
pub(super) async fn runs(State(desk): Shared) -> Json {
    let book = desk.parts.book.open();
    Json(json!({"runs": book.runs().map(summary).collect::<Vec<_>>()}))
}

fn summary(run: &Run) -> Value {
    let verdict = verdict(run);
    let began = run.entries.front().map(|entry| entry.unix.as_secs_f64());
    json!({
        "run": run.number,
        "began": began,
        "standing": standing(verdict.standing),
        "verdict": verdict.text,
        "entries": run.entries.len(),
        "forgotten": run.forgotten,
    })
}

pub(super) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "open",
        Standing::Well => "well",
        Standing::Failed => "failed",
    }
}

/// `GET /runs/N` and `GET /runs/N.md`
pub(super) async fn run(State(desk): Shared, Path(name): Path<String>) -> Result<Response, Refused> {
    let (number, as_markdown) = match name.strip_suffix(".md") {
        Some(number) => (number, true),
        None => (name.as_str(), false),
    };
    let run = find(&desk, number)?;
    if as_markdown {
        return Ok(([(header::CONTENT_TYPE, MARKDOWN)], markdown(&run)).into_response());
    }
    let mut told = summary(&run);
    told["entries"] = serde_json::to_value(&run.entries).map_err(|error| failed(&error))?;
    Ok(Json(told).into_response())
}

/// A copy, so that the lab does not wait while it is written.
pub(super) fn find(desk: &Desk, number: &str) -> Result<Run, Refused> {
    let number: u64 = number.parse().map_err(|_| wrong(format!("{number:?} is no number of a run")))?;
    let run = desk.parts.book.open().run(number).cloned();
    run.ok_or_else(|| Refused(StatusCode::NOT_FOUND, format!("run {number} is not there, or forgotten")))
}

fn failed(error: &serde_json::Error) -> Refused {
    Refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

/// `GET /transcript`: what is kept, an entry a line, one run at a time so that no more than that is held twice.
pub(super) async fn transcript(State(desk): Shared) -> Response {
    let book = desk.parts.book.clone();
    let lines = stream::unfold(0, move |after| {
        let next = lines_of_next(&book, after);
        async move { next }
    });
    ([(header::CONTENT_TYPE, JSON_LINES)], Body::from_stream(lines)).into_response()
}

/// The lines of the first run above `after`, and its number.
fn lines_of_next(book: &SharedBook, after: u64) -> Option<(serde_json::Result<String>, u64)> {
    let run = book.open().runs().find(|run| run.number > after)?.clone();
    let mut lines = String::new();
    for entry in &run.entries {
        match serde_json::to_string(entry) {
            Ok(line) => lines.extend([line.as_str(), "\n"]),
            Err(error) => return Some((Err(error), run.number)),
        }
    }
    Some((Ok(lines), run.number))
}

/// `GET /time`
pub(super) async fn time(State(desk): Shared) -> Json {
    Json(now(&desk))
}

fn now(desk: &Desk) -> Value {
    let clock = desk.parts.lab.clock();
    json!({"unix": clock.now().unix.as_secs_f64(), "running": clock.running().as_secs_f64()})
}

/// What `POST /time` takes: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTime {
    /// Seconds since the Unix epoch.
    #[serde(default)]
    set: Option<f64>,
    /// Seconds.
    #[serde(default)]
    advance: Option<f64>,
}

/// `POST /time`
pub(super) async fn set_time(State(desk): Shared, body: String) -> Result<Json, Refused> {
    let new: NewTime = serde_json::from_str(&body).map_err(|error| wrong(error.to_string()))?;
    let lab = &desk.parts.lab;
    match (new.set, new.advance) {
        (Some(unix), None) => lab.set_clock(seconds(unix, LAST_SECOND)?).await?,
        (None, Some(by)) => {
            let left = LAST_SECOND - lab.clock().now().unix.as_secs_f64();
            lab.advance(seconds(by, left)?).await?;
        }
        _ => return Err(wrong("expected either {\"set\": UNIX} or {\"advance\": SECONDS}")),
    }
    Ok(Json(now(&desk)))
}

fn seconds(value: f64, most: f64) -> Result<Duration, Refused> {
    let in_range = (0.0..=most).contains(&value).then(|| Duration::try_from_secs_f64(value).ok()).flatten();
    in_range
        .ok_or_else(|| wrong(format!("{value} is out of range, expected seconds that end before 2038-01-19")))
}

/// `POST /scenario`: replaces the one that was there.
pub(super) async fn set_scenario(State(desk): Shared, body: String) -> Result<Json, Refused> {
    let scenario = Scenario::from_json(&body).map_err(|error| wrong(format!("line {error}")))?;
    play(&desk, &scenario).await
}

/// `POST /reset`: the scenario of the start, the machine's time, an empty book.
pub(super) async fn reset(State(desk): Shared) -> Result<Json, Refused> {
    let machine = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    desk.parts.lab.set_clock(machine).await?;
    desk.parts.book.open().clear();
    play(&desk, &desk.parts.scenario).await
}

async fn play(desk: &Desk, scenario: &Scenario) -> Result<Json, Refused> {
    desk.parts.lab.set_rules(scenario.rules.clone()).await?;
    desk.parts.lab.set_answers(scenario.answers.clone()).await?;
    Ok(Json(json!({"rules": scenario.rules.len(), "answers": scenario.answers.len()})))
}

/// `GET /server.pub.pem`
pub(super) async fn public_key(State(desk): Shared) -> Response {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], desk.parts.public_key.clone()).into_response()
}

/// The last that fits into the 31 bits which times have in the protocol.
const LAST_SECOND: f64 = 2_147_483_647.0;
const MARKDOWN: &str = "text/markdown; charset=utf-8";
const JSON_LINES: &str = "application/jsonl; charset=utf-8";
