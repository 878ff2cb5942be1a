//! What every request has to pass, and every response carries: the right Host, the right Origin, and headers that tell a
//! browser to load nothing from elsewhere and to keep nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::desk::Desk;

/// What every response of a page carries.
pub const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not no-referrer: forms would be sent with an Origin of null then.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The names under which a listener for pages is asked for.
pub struct Names {
    own: IpAddr,
    others: Vec<String>,
    scheme: &'static str,
}

/// Why a request is not looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Foreign {
    /// Its name was bound to this address by somebody else, or it has none.
    Host,
    /// A page of somebody else made a browser send it.
    Origin,
}

impl Names {
    /// Of a listener on `own`, where `others` are names in lower case or addresses.
    #[must_use]
    pub fn new(own: SocketAddr, others: &[String], https: bool) -> Self {
        let scheme = if https { "https" } else { "http" };
        Self { own: own.ip(), others: others.to_vec(), scheme }
    }

    /// The Host of a request, if it is there once and is one of ours.
    #[must_use]
    pub fn host<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        only(headers, &header::HOST).filter(|host| self.names(host))
    }

    fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Foreign> {
        let host = self.host(headers).ok_or(Foreign::Host)?;
        if method == Method::GET || method == Method::HEAD {
            return Ok(());
        }
        match only(headers, &header::ORIGIN) {
            Some(origin) if self.is_own(origin, host) => Ok(()),
            // No browser adds this header for a page of somebody else, and where it is no cookie counts.
            None if !headers.contains_key(header::ORIGIN) && headers.contains_key(header::AUTHORIZATION) => {
                Ok(())
            }
            _ => Err(Foreign::Origin),
        }
    }

    /// Whether the name in a Host header, of whatever port, is one of ours.
    fn names(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let is_own = |address: IpAddr| address.to_canonical().is_loopback() || address == self.own;
        let unnamed = name == "localhost" || name.parse().is_ok_and(is_own);
        !host.contains('@') && (unnamed || self.others.contains(&name))
    }

    /// Whether an Origin is that of the page under `host`.
    #[must_use]
    pub fn is_own(&self, origin: &str, host: &str) -> bool {
        origin
            .strip_prefix(self.scheme)
            .and_then(|rest| rest.strip_prefix("://"))
            .is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    }
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The outermost layer of the admin listener.
pub(crate) async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let mut response = match desk.names.check(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(Foreign::Host) => (
            StatusCode::MISDIRECTED_REQUEST,
            "The Host is none of this listener's: see hosts under [admin].\n",
        )
            .into_response(),
        Err(Foreign::Origin) => {
            (StatusCode::FORBIDDEN, "The Origin is not this page: nothing was changed.\n").into_response()
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new("192.0.2.1:9190".parse().unwrap(), &["admin.example.org".to_owned()], false)
    }

    fn headers(rows: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in rows {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    fn posted(rows: &[(HeaderName, &'static str)]) -> Result<(), Foreign> {
        names().check(&Method::POST, &headers(rows))
    }

    #[test]
    fn a_name_of_the_listener_is_taken_with_whatever_port() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:9190",
            "localhost:8080",
            "LocalHost",
            "[::1]:9190",
            "127.9.9.9",
            "[::ffff:127.0.0.1]",
            "192.0.2.1:9190",
            "Admin.Example.Org",
            "admin.example.org:443",
        ] {
            assert!(names().names(host), "{host}");
        }
    }

    #[test]
    fn a_name_that_was_bound_to_the_address_is_refused() {
        for host in [
            "",
            "evil.example",
            "evil.example:9190",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "192.0.2.2",
            "localhost@evil.example",
            "evil@localhost",
            "0.0.0.0",
            "[::]",
            "localhost,evil",
        ] {
            assert!(!names().names(host), "{host}");
        }
        let get = |rows: &[_]| names().check(&Method::GET, &headers(rows));
        assert_eq!(get(&[(header::HOST, "evil.example")]), Err(Foreign::Host));
        assert_eq!(get(&[]), Err(Foreign::Host));
        assert_eq!(get(&[(header::HOST, "localhost"), (header::HOST, "localhost")]), Err(Foreign::Host));
        assert_eq!(get(&[(header::HOST, "localhost")]), Ok(()));
    }

    #[test]
    fn a_post_comes_from_the_page_itself_or_from_a_program() {
        let host = (header::HOST, "localhost:9190");
        for foreign in [
            "http://evil.example",
            "null",
            "https://localhost:9190",
            "http://localhost",
            "http://localhost:91901",
        ] {
            assert_eq!(posted(&[host.clone(), (header::ORIGIN, foreign)]), Err(Foreign::Origin), "{foreign}");
        }
        assert_eq!(posted(std::slice::from_ref(&host)), Err(Foreign::Origin));
        let (own, bearer) = ((header::ORIGIN, "http://localhost:9190"), (header::AUTHORIZATION, "Bearer x"));
        assert_eq!(posted(&[host.clone(), own.clone()]), Ok(()));
        assert_eq!(posted(&[host.clone(), bearer.clone()]), Ok(()));
        assert_eq!(posted(&[host.clone(), own.clone(), own]), Err(Foreign::Origin));
        let foreign = (header::ORIGIN, "http://evil.example");
        assert_eq!(posted(&[host, bearer, foreign]), Err(Foreign::Origin));
    }

    #[test]
    fn a_page_that_came_by_https_says_so() {
        let names = Names::new("127.0.0.1:443".parse().unwrap(), &[], true);
        assert!(names.is_own("https://localhost", "localhost"));
        assert!(!names.is_own("http://localhost", "localhost"));
    }
}
