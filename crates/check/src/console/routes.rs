//! Which path does what.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use super::api::{self, Refused, Shared};
use super::desk::Desk;
use super::guard::guard;
use super::pages;

/// The largest scenario.
const MOST_BODY: usize = 1 << 20;

/// Every path of the console.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/view/{number}", get(view))
        .route("/runs", get(api::runs))
        .route("/runs/{name}", get(api::run))
        .route("/transcript", get(api::transcript))
        .route("/time", get(api::time).post(api::set_time))
        .route("/scenario", post(api::set_scenario))
        .route("/reset", post(api::reset))
        .route("/server.pub.pem", get(api::public_key))
        .route("/icon.svg", get(async || asset("image/svg+xml", include_str!("assets/icon.svg"))))
        .route("/lab.css", get(async || asset("text/css; charset=utf-8", include_str!("assets/lab.css"))))
        .route(
            "/lab.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("assets/lab.js"))),
        )
        .fallback(async || Refused(StatusCode::NOT_FOUND, "there is nothing here".to_owned()))
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), guard))
        .with_state(desk)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn overview(State(desk): Shared) -> Response {
    pages::overview(&desk).into_response()
}

async fn view(State(desk): Shared, Path(number): Path<String>) -> Result<Response, Refused> {
    let run = api::find(&desk, &number)?;
    Ok(pages::view(&run).into_response())
}
