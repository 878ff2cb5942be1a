//! Which path does what.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Form, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use dayfly_core::server::{ConnectionId, Revoked};
use dayfly_crypto::AuthKeyId;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::desk::{Desk, Shown, Silent};
use super::guard::guard;
use super::pages;
use super::visitor::{Peer, Visitor, admit, set_cookie, unheard};
use crate::survey::{Figures, Question};

/// Forms have one short field.
const MOST_BODY: usize = 4096;
/// The rows of a page.
pub(crate) const PAGE: usize = 50;
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Shared = State<Arc<Desk>>;

/// Every path of the admin listener.
pub(crate) fn router(desk: Arc<Desk>) -> Router {
    let closed = Router::new()
        .route("/", get(overview))
        .route("/keys", get(keys))
        .route("/keys/{id}", get(key))
        .route("/keys/{id}/revoke", post(revoke))
        .route("/connections", get(connections))
        .route("/refusals", get(refusals))
        .route("/metrics", get(metrics))
        .route("/logout", post(log_out))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&desk), admit));
    Router::new()
        .route("/login", get(login_form).post(log_in))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/style.css", get(style))
        .route("/live.js", get(script))
        .route("/icon.svg", get(icon))
        .merge(closed)
        .fallback(async || (StatusCode::NOT_FOUND, "There is nothing here.\n"))
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), guard))
        .with_state(desk)
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("assets/style.css")).into_response()
}

async fn icon() -> Response {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("assets/icon.svg")).into_response()
}

async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("assets/live.js"))
        .into_response()
}

/// A request that was not served: the status, and why in a sentence.
struct Refused(StatusCode, &'static str);

const NO_SUCH_PAGE: Refused = Refused(StatusCode::NOT_FOUND, "There is no such page.\n");
const NO_STORE: Refused = Refused(StatusCode::SERVICE_UNAVAILABLE, "The store cannot be asked.\n");

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

impl From<Silent> for Refused {
    fn from(_: Silent) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, "The server does not answer in time.\n")
    }
}

/// The engine answers.
async fn healthz(State(desk): Shared) -> Result<&'static str, Refused> {
    desk.ask(Question::Figures).await?;
    Ok("ok\n")
}

/// Clients can be sent here: the server is not about to end, and the store can be asked.
async fn readyz(State(desk): Shared) -> Result<&'static str, Refused> {
    let Figures { draining, .. } = desk.ask(Question::Figures).await?;
    if draining {
        let reason = "The server answers what it owes, then ends.\n";
        return Err(Refused(StatusCode::SERVICE_UNAVAILABLE, reason));
    }
    let first = desk.ask(|tell| Question::Keys { after: None, at_most: 1, tell }).await;
    match first {
        Ok(Ok(_)) => Ok("ready\n"),
        Ok(Err(_)) | Err(Silent) => Err(NO_STORE),
    }
}

async fn metrics(State(desk): Shared) -> Result<Response, Refused> {
    let figures = desk.ask(Question::Figures).await?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], desk.metrics.render(&figures)).into_response())
}

async fn login_form(State(desk): Shared) -> Response {
    pages::login(&desk, None).into_response()
}

/// The field of the login form.
#[derive(Deserialize)]
struct Login {
    token: String,
}

async fn log_in(
    State(desk): Shared,
    Extension(Peer(peer)): Extension<Peer>,
    Form(login): Form<Login>,
) -> Response {
    let token = Zeroizing::new(login.token);
    match desk.look_at(token.trim(), peer) {
        Shown::Unheard(left) => unheard(left.as_secs().saturating_add(1)),
        Shown::Wrong => {
            (StatusCode::UNAUTHORIZED, pages::login(&desk, Some("This is not the token."))).into_response()
        }
        Shown::Right => match desk.log_in() {
            Ok(cookie) => {
                ([(header::SET_COOKIE, set_cookie(&cookie, desk.https))], Redirect::to("/")).into_response()
            }
            Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("No session could be opened: {error}\n"))
                .into_response(),
        },
    }
}

/// What every form of a page carries, if it is one of ours.
#[derive(Deserialize)]
struct Change {
    form_token: Option<String>,
}

impl Change {
    fn check(&self, visitor: &Visitor) -> Result<(), Refused> {
        if visitor.sent_form(self.form_token.as_deref()) {
            return Ok(());
        }
        let reason = "The form is not one of this session's pages: nothing was changed.\n";
        Err(Refused(StatusCode::FORBIDDEN, reason))
    }
}

async fn log_out(
    State(desk): Shared,
    Extension(visitor): Extension<Visitor>,
    Form(change): Form<Change>,
) -> Result<Response, Refused> {
    change.check(&visitor)?;
    desk.log_out(visitor.form_token());
    Ok(([(header::SET_COOKIE, set_cookie("", desk.https))], Redirect::to("/login")).into_response())
}

async fn overview(State(desk): Shared, Extension(visitor): Extension<Visitor>) -> Result<Response, Refused> {
    let figures = desk.ask(Question::Figures).await?;
    let handshakes = desk.ask(Question::Handshakes).await?;
    let refusals = desk.ask(Question::Refusals).await?;
    let uptime = desk.started.elapsed();
    let totals = pages::Totals { keys_made: desk.metrics.keys_made(), bytes: desk.metrics.bytes(), uptime };
    Ok(pages::overview(&visitor, &figures, &totals, &handshakes, &refusals).into_response())
}

/// Where a page begins, and what was just done.
#[derive(Deserialize)]
struct Place {
    after: Option<String>,
    revoked: Option<String>,
}

async fn keys(
    State(desk): Shared,
    Extension(visitor): Extension<Visitor>,
    Query(from): Query<Place>,
) -> Result<Response, Refused> {
    let after = from.after.as_deref().map(|id| key_id(id).ok_or(NO_SUCH_PAGE)).transpose()?;
    let rows = rows(&desk, after, PAGE).await?;
    let revoked = from.revoked.as_deref().and_then(key_id);
    Ok(pages::keys(&visitor, &rows, after.is_some(), revoked).into_response())
}

async fn key(
    State(desk): Shared,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id = key_id(&id).ok_or(NO_SUCH_PAGE)?;
    let before = id.0.checked_sub(1).map(AuthKeyId);
    let row = rows(&desk, before, 1).await?.into_iter().next();
    let row = row.filter(|(listed, _)| listed.id == id).ok_or(NO_SUCH_PAGE)?;
    Ok(pages::key(&visitor, &row).into_response())
}

async fn revoke(
    State(desk): Shared,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Form(change): Form<Change>,
) -> Result<Response, Refused> {
    change.check(&visitor)?;
    let id = key_id(&id).ok_or(NO_SUCH_PAGE)?;
    match desk.revoke(id).await? {
        Revoked::Ended => {
            tracing::info!(key = %id, "an operator revoked a key");
            Ok(Redirect::to(&format!("/keys?revoked={id}")).into_response())
        }
        Revoked::Unknown => Err(Refused(StatusCode::NOT_FOUND, "There is no such key.\n")),
        Revoked::Unavailable => Err(NO_STORE),
    }
}

async fn connections(
    State(desk): Shared,
    Extension(visitor): Extension<Visitor>,
    Query(from): Query<Place>,
) -> Result<Response, Refused> {
    let number = |text: &str| text.parse().map(ConnectionId).map_err(|_| NO_SUCH_PAGE);
    let after = from.after.as_deref().map(number).transpose()?;
    let rows = desk.ask(|tell| Question::Connections { after, at_most: PAGE, tell }).await?;
    Ok(pages::connections(&visitor, &rows, after.is_some()).into_response())
}

async fn refusals(State(desk): Shared, Extension(visitor): Extension<Visitor>) -> Result<Response, Refused> {
    let refusals = desk.ask(Question::Refusals).await?;
    Ok(pages::refusals(&visitor, &refusals).into_response())
}

/// Permanent keys, each with the number of its sessions that are connected.
async fn rows(desk: &Desk, after: Option<AuthKeyId>, at_most: usize) -> Result<Vec<pages::KeyRow>, Refused> {
    let listed = desk.ask(|tell| Question::Keys { after, at_most, tell }).await?.map_err(|_| NO_STORE)?;
    let perms = listed.iter().map(|listed| listed.id).collect();
    let sessions = desk.ask(|tell| Question::Sessions { perms, tell }).await?;
    Ok(listed.into_iter().zip(sessions).collect())
}

/// 16 hexadecimal digits.
fn key_id(text: &str) -> Option<AuthKeyId> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok())?.map(AuthKeyId)
}
