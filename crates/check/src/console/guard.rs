//! What every request has to pass: our Host, no Origin but our own, and JSON where something is changed.
//!
//! So a page of somebody else can neither read nor change anything: under another name that was bound to this address the Host is
//! foreign, a script or a form of another page has a foreign Origin, and what needs no Origin cannot say that it sends JSON.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use dayfly_server::{PAGE_HEADERS, PageNames};

use super::api::Refused;
use super::desk::Desk;

/// The outermost layer.
pub(super) async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let mut response = match check(&desk.names, request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    for (name, value) in PAGE_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn check(names: &PageNames, method: &Method, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(host) = names.host(headers) else {
        return Err(Refused(StatusCode::MISDIRECTED_REQUEST, "the Host is none of this listener's".into()));
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    if !origins.all(|origin| origin.to_str().is_ok_and(|origin| names.is_own(origin, host))) {
        return Err(Refused(StatusCode::FORBIDDEN, "the Origin is not this page".into()));
    }
    if *method == Method::GET || *method == Method::HEAD || is_json(headers) {
        return Ok(());
    }
    let text = "only JSON is taken: Content-Type: application/json";
    Err(Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, text.into()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &Method, rows: &[(header::HeaderName, &'static str)]) -> Option<u16> {
        let names = PageNames::new("127.0.0.1:4431".parse().unwrap(), &[], false);
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        check(&names, method, &headers).err().map(|Refused(status, _)| status.as_u16())
    }

    #[test]
    fn a_name_that_was_bound_to_the_address_is_refused() {
        assert_eq!(status(&Method::GET, &[(header::HOST, "localhost:4431")]), None);
        for rows in [&[][..], &[(header::HOST, "evil.example:4431")]] {
            assert_eq!(status(&Method::GET, rows), Some(421));
        }
    }

    #[test]
    fn a_page_of_somebody_else_can_neither_read_nor_write() {
        let host = (header::HOST, "localhost:4431");
        let json = (header::CONTENT_TYPE, "application/json; charset=utf-8");
        for foreign in ["http://evil.example", "null", "http://localhost:4432", "https://localhost:4431"] {
            let rows = [host.clone(), json.clone(), (header::ORIGIN, foreign)];
            assert_eq!(status(&Method::GET, &rows), Some(403), "{foreign}");
            assert_eq!(status(&Method::POST, &rows), Some(403), "{foreign}");
        }
        let own = (header::ORIGIN, "http://localhost:4431");
        assert_eq!(status(&Method::POST, &[host.clone(), json.clone(), own]), None);
        assert_eq!(status(&Method::POST, &[host, json]), None, "a program sends no Origin");
    }

    #[test]
    fn what_a_form_can_send_is_refused() {
        let host = (header::HOST, "localhost:4431");
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"]
        {
            assert_eq!(
                status(&Method::POST, &[host.clone(), (header::CONTENT_TYPE, kind)]),
                Some(415),
                "{kind}"
            );
        }
        assert_eq!(status(&Method::POST, &[host]), Some(415));
    }
}
