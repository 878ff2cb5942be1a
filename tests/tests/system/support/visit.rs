//! Requests to the admin listener, by hand and one a connection.

use std::fs;

use dayfly_server::AdminPlace;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{TestServer, within};

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("a response: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Sends a request as it is and gives what comes until the listener closes.
pub(crate) async fn said_to(place: &AdminPlace, request: &str) -> String {
    let mut socket = within("a connection", TcpStream::connect(place.address)).await.unwrap();
    // A listener that has seen enough may close before it has read all.
    let _ = socket.write_all(request.as_bytes()).await;
    let mut words = String::new();
    let _ = within("the end of the response", socket.read_to_string(&mut words)).await;
    words
}

/// A request with these header lines, which a test chooses all by itself.
pub(crate) async fn request(place: &AdminPlace, line: &str, headers: &[&str], body: &str) -> Reply {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let text = format!("{line} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    Reply::read(&said_to(place, &text).await)
}

/// Waits until the server is not ready any more, which it says when it drains.
pub(crate) async fn until_not_ready(place: &AdminPlace) -> Reply {
    let not_ready = async {
        loop {
            let reply = request(place, "GET /readyz", &[&host_of(place)], "").await;
            if reply.status == 503 {
                return reply;
            }
        }
    };
    within("the end of readiness", not_ready).await
}

pub(crate) const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

/// A browser after the login: it has the cookie, and the form token of its pages.
pub(crate) struct Operator {
    place: AdminPlace,
    pub(crate) cookie: String,
    pub(crate) form_token: String,
}

impl Operator {
    pub(crate) async fn log_in(server: &TestServer) -> Self {
        let place = server.admin().clone();
        let reply = try_log_in(&place, &token_of(&place)).await;
        assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{reply:?}");
        let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let mut operator = Self { place, cookie, form_token: String::new() };
        let page = operator.get("/").await;
        let (_, rest) = page.body.split_once("name=\"form_token\" value=\"").unwrap();
        operator.form_token = rest.split('"').next().unwrap().to_owned();
        operator
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let host = host_of(&self.place);
        let cookie = format!("Cookie: {}", self.cookie);
        request(&self.place, &format!("GET {path}"), &[&host, &cookie], "").await
    }

    /// A form as the page itself sends it, but for what `origin` and `body` say.
    pub(crate) async fn post(&self, path: &str, origin: &str, body: &str) -> Reply {
        let (host, origin) = (host_of(&self.place), format!("Origin: {origin}"));
        let cookie = format!("Cookie: {}", self.cookie);
        request(&self.place, &format!("POST {path}"), &[&host, &origin, &cookie, FORM], body).await
    }

    pub(crate) fn own_origin(&self) -> String {
        origin_of(&self.place)
    }

    pub(crate) fn form(&self) -> String {
        format!("form_token={}", self.form_token)
    }
}

/// Fills in the login form.
pub(crate) async fn try_log_in(place: &AdminPlace, token: &str) -> Reply {
    let (host, origin) = (host_of(place), format!("Origin: {}", origin_of(place)));
    request(place, "POST /login", &[&host, &origin, FORM], &format!("token={token}")).await
}

/// The token in the file that the server named.
pub(crate) fn token_of(place: &AdminPlace) -> String {
    fs::read_to_string(&place.token_file).unwrap().trim().to_owned()
}

pub(crate) fn host_of(place: &AdminPlace) -> String {
    format!("Host: {}", place.address)
}

fn origin_of(place: &AdminPlace) -> String {
    place.url.trim_end_matches('/').to_owned()
}
