//! Who asks: a program that shows the token with each request, or an operator who showed it once and has a cookie.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use zeroize::Zeroizing;

use super::desk::{Desk, Shown};
use super::sessions::same;

const COOKIE: &str = "dayfly_admin";

/// The other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Who was let in.
#[derive(Clone)]
pub(crate) enum Visitor {
    /// It showed the token in a header, which no page of somebody else can make a browser do.
    Program,
    /// A browser brought the cookie by itself; a change needs the form token of the page as well.
    Operator { form_token: Zeroizing<String> },
}

impl Visitor {
    /// Whether a form with this token is one of the visitor's own.
    pub(crate) fn sent_form(&self, shown: Option<&str>) -> bool {
        match self {
            Self::Program => true,
            Self::Operator { form_token } => shown.is_some_and(|shown| same(form_token, shown)),
        }
    }

    /// What forms on the visitor's pages carry.
    pub(crate) fn form_token(&self) -> &str {
        match self {
            Self::Program => "",
            Self::Operator { form_token } => form_token,
        }
    }
}

/// Lets in who may come in. Where a token is shown, the cookie counts for nothing.
pub(crate) async fn admit(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let headers = request.headers();
    let visitor = match (headers.get(header::AUTHORIZATION), peer) {
        (Some(shown), Some(Peer(peer))) => match desk.look_at(bearer(shown), peer) {
            Shown::Right => Some(Visitor::Program),
            Shown::Wrong => None,
            Shown::Unheard(left) => return unheard(left.as_secs().saturating_add(1)),
        },
        (Some(_), None) => None,
        (None, _) => operator(&desk, headers),
    };
    let Some(visitor) = visitor else { return refused(headers) };
    request.extensions_mut().insert(visitor);
    next.run(request).await
}

fn operator(desk: &Desk, headers: &HeaderMap) -> Option<Visitor> {
    let form_token = desk.form_token(cookie(headers)?)?;
    Some(Visitor::Operator { form_token })
}

/// A browser that opens a page is shown the form; whoever else came is told what is missing.
fn refused(headers: &HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let shows_pages = accepts.is_some_and(|accept| accept.contains("text/html"));
    if shows_pages && !headers.contains_key(header::AUTHORIZATION) {
        return Redirect::to("/login").into_response();
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, "Expected is the header Authorization: Bearer TOKEN.\n")
        .into_response()
}

/// Said to an address from which too many wrong tokens came.
pub(crate) fn unheard(seconds: u64) -> Response {
    let after = [(header::RETRY_AFTER, seconds.to_string())];
    let words = format!("Too many wrong tokens came from your address: try again in {seconds} s.\n");
    (StatusCode::TOO_MANY_REQUESTS, after, words).into_response()
}

/// The token in an Authorization header; empty, and so wrong, if it is of another form.
fn bearer(value: &HeaderValue) -> &str {
    let (scheme, token) = value.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// The header that gives a browser its cookie, or takes it away if `value` is empty.
pub(crate) fn set_cookie(value: &str, https: bool) -> String {
    let (secure, age) =
        (if https { "; Secure" } else { "" }, if value.is_empty() { "; Max-Age=0" } else { "" });
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_its_header_alone() {
        let read = |text: &'static str| bearer(&HeaderValue::from_static(text)).to_owned();
        assert_eq!((read("Bearer abc"), read("bearer  abc ")), ("abc".into(), "abc".into()));
        assert_eq!((read("Basic abc"), read("abc"), read("")), (String::new(), String::new(), String::new()));
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(cookie(&headers), None);
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; not_dayfly_admin=1"));
        assert_eq!(cookie(&headers), None);
        headers.append(header::COOKIE, HeaderValue::from_static("x=y;dayfly_admin=abc"));
        assert_eq!(cookie(&headers), Some("abc"));
    }

    #[test]
    fn a_cookie_is_for_this_site_and_no_script() {
        assert_eq!(set_cookie("a", false), "dayfly_admin=a; Path=/; HttpOnly; SameSite=Strict");
        assert_eq!(
            set_cookie("", true),
            "dayfly_admin=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0"
        );
    }

    #[test]
    fn a_form_needs_the_token_of_its_page() {
        let operator = Visitor::Operator { form_token: Zeroizing::new("abc".to_owned()) };
        assert!(
            operator.sent_form(Some("abc")) && !operator.sent_form(Some("abd")) && !operator.sent_form(None)
        );
        assert!(Visitor::Program.sent_form(None));
    }
}
