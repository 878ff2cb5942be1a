//! The admin listener: what it shows, what it changes, and every way to make it do so that it must withstand.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use dayfly_core::client::ClientInfo;
use dayfly_core::keys::kind::KeyKind;
use dayfly_core::plain;
use dayfly_server::{AdminPlace, StartError, Tls};
use dayfly_tl::mtproto::ReqPqMulti;
use dayfly_tl::{api, to_bytes};

use crate::support::{
    A_DAY, FORM, HandClock, Operator, Peer, Reply, Switch, Talk, TestServer, Trouble, host_of, peer_of,
    request, said_to, token_of, try_log_in, until_not_ready, within,
};

const CLOSED: [&str; 5] = ["/", "/keys", "/connections", "/refusals", "/metrics"];
const SCRIPT: &str = "<script>alert(1)</script>";

async fn get(place: &AdminPlace, path: &str, header: &str) -> Reply {
    request(place, &format!("GET {path}"), &[&host_of(place), header], "").await
}

fn bearer(place: &AdminPlace) -> String {
    format!("Authorization: Bearer {}", token_of(place))
}

/// A client with a bound key, and the id of its permanent one.
struct Victim {
    peer: Peer,
    talk: Talk,
    perm: String,
}

impl Victim {
    async fn of(server: &TestServer) -> Self {
        let mut peer = peer_of(server).await;
        let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
        let mut talk = Talk::under_temp(&temp, &peer);
        talk.bind(&perm, &mut peer).await.unwrap();
        Self { peer, talk, perm: perm.key.id().to_string() }
    }

    async fn call(&mut self, body: Vec<u8>) -> Result<Vec<u8>, Trouble> {
        self.talk.call(body, &mut self.peer).await
    }

    async fn is_served(&mut self) {
        self.call(nearest_dc()).await.unwrap();
    }
}

fn nearest_dc() -> Vec<u8> {
    to_bytes(&api::HelpGetNearestDc {})
}

/// A call of a client that says this of itself.
fn call_by(device_model: &str) -> Vec<u8> {
    let info = ClientInfo {
        layer: 201,
        api_id: 17,
        device_model: device_model.to_owned(),
        system_version: "1".to_owned(),
        app_version: "2".to_owned(),
        ..ClientInfo::default()
    };
    info.introduce(&nearest_dc())
}

#[tokio::test]
async fn without_the_token_there_is_health_and_nothing_else() {
    let server = TestServer::start().await;
    let place = server.admin();
    // Before the wrong ones, of which there are as many as are listened to.
    for path in CLOSED {
        assert_eq!(get(place, path, &bearer(place)).await.status, 200, "{path}");
    }
    assert_eq!(get(place, "/secret", &bearer(place)).await.status, 404);
    for path in CLOSED {
        for wrong in
            ["Accept: */*", "Authorization: Bearer 00", "Authorization: Basic 00", "Cookie: dayfly_admin=00"]
        {
            let reply = get(place, path, wrong).await;
            assert_eq!(
                (reply.status, reply.header("www-authenticate")),
                (401, Some("Bearer")),
                "{path} {wrong}"
            );
        }
        let reply = get(place, path, "Accept: text/html").await;
        assert_eq!((reply.status, reply.header("location")), (303, Some("/login")), "{path}");
    }
    assert_eq!(get(place, "/healthz", "Accept: */*").await.body, "ok\n");
    assert_eq!(get(place, "/readyz", "Accept: */*").await.body, "ready\n");
}

#[tokio::test]
async fn every_response_tells_browsers_to_load_nothing_from_elsewhere_and_to_keep_nothing() {
    let server = TestServer::start().await;
    let place = server.admin();
    for path in ["/", "/login", "/metrics", "/healthz", "/style.css", "/live.js", "/secret", "/keys/x"] {
        let reply = get(place, path, &bearer(place)).await;
        let policy = reply.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'self'; ") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        assert!(!reply.body.contains("<style") && !reply.body.contains(" style="), "{path}");
    }
}

#[tokio::test]
async fn a_login_gives_a_cookie_that_is_not_the_token_and_ends_with_the_logout() {
    let server = TestServer::start().await;
    let place = server.admin();
    let reply = try_log_in(place, &token_of(place)).await;
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && !cookie.contains(&token_of(place)), "{cookie}");
    let operator = Operator::log_in(&server).await;
    for path in CLOSED {
        assert_eq!(operator.get(path).await.status, 200, "{path}");
    }
    assert_ne!(operator.cookie.split('=').nth(1).unwrap(), operator.form_token);
    let out = operator.post("/logout", &operator.own_origin(), &operator.form()).await;
    assert_eq!((out.status, out.header("location")), (303, Some("/login")));
    assert_eq!(operator.get("/").await.status, 401);
}

#[tokio::test]
async fn ten_wrong_tokens_close_the_ears_for_the_right_one_and_end_no_session() {
    let server = TestServer::start().await;
    let operator = Operator::log_in(&server).await;
    let place = server.admin();
    for _ in 0..10 {
        let reply = try_log_in(place, "0123456789abcdef0123456789abcdef").await;
        assert_eq!((reply.status, reply.header("set-cookie")), (401, None));
        assert!(reply.body.contains("This is not the token."));
    }
    for reply in [try_log_in(place, &token_of(place)).await, get(place, "/metrics", &bearer(place)).await] {
        assert_eq!(reply.status, 429, "{reply:?}");
        assert!(reply.header("retry-after").unwrap().parse::<u64>().unwrap() <= 61);
    }
    assert_eq!(operator.get("/").await.status, 200);
}

#[tokio::test]
async fn a_name_that_somebody_bound_to_the_address_gets_nothing() {
    let server = TestServer::start().await;
    let place = server.admin();
    let port = place.address.port();
    for host in
        ["Host: evil.example".to_owned(), format!("Host: evil.example:{port}"), "X: no host".to_owned()]
    {
        for path in CLOSED.into_iter().chain(["/login", "/healthz", "/style.css"]) {
            let reply = request(place, &format!("GET {path}"), &[&host, &bearer(place)], "").await;
            assert_eq!(reply.status, 421, "{path} {host}");
            assert!(!reply.body.contains("<html"), "{path}");
        }
    }
}

/// A key that somebody tries to have revoked, with the operator's cookie in the browser.
struct Attack {
    server: TestServer,
    operator: Operator,
    victim: Victim,
    path: String,
}

impl Attack {
    async fn ready() -> Self {
        let server = TestServer::start().await;
        let victim = Victim::of(&server).await;
        let operator = Operator::log_in(&server).await;
        let path = format!("/keys/{}/revoke", victim.perm);
        Self { server, operator, victim, path }
    }

    /// Whether nothing came of it.
    async fn failed(mut self) {
        self.victim.is_served().await;
        assert_eq!(self.server.events_of("key_ended").len(), 0);
    }
}

#[tokio::test]
async fn a_page_of_somebody_else_revokes_nothing() {
    let attack = Attack::ready().await;
    let form = attack.operator.form();
    for origin in ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1"] {
        assert_eq!(attack.operator.post(&attack.path, origin, &form).await.status, 403, "{origin}");
    }
    let (host, cookie) = (host_of(attack.server.admin()), format!("Cookie: {}", attack.operator.cookie));
    let line = format!("POST {}", attack.path);
    let reply = request(attack.server.admin(), &line, &[&host, &cookie, FORM], &form).await;
    assert_eq!(reply.status, 403, "without an Origin");
    attack.failed().await;
}

#[tokio::test]
async fn a_form_without_the_token_of_its_page_revokes_nothing() {
    let attack = Attack::ready().await;
    let other = Operator::log_in(&attack.server).await;
    let own = attack.operator.own_origin();
    for form in [String::new(), "form_token=".to_owned(), "form_token=00".to_owned(), other.form()] {
        assert_eq!(attack.operator.post(&attack.path, &own, &form).await.status, 403, "{form}");
        assert_eq!(attack.operator.post("/logout", &own, &form).await.status, 403, "{form}");
    }
    attack.failed().await;
}

#[tokio::test]
async fn a_link_revokes_nothing() {
    let attack = Attack::ready().await;
    let with_form = format!("{}?{}", attack.path, attack.operator.form());
    for path in [&attack.path, &with_form, "/logout"] {
        assert_eq!(attack.operator.get(path).await.status, 405, "{path}");
    }
    attack.failed().await;
}

#[tokio::test]
async fn a_wrong_or_missing_token_revokes_nothing() {
    let attack = Attack::ready().await;
    let place = attack.server.admin();
    for header in ["Authorization: Bearer 00", "Cookie: dayfly_admin=00"] {
        let headers = [&host_of(place), header, &format!("Origin: {}", attack.operator.own_origin()), FORM];
        let line = format!("POST {}", attack.path);
        let reply = request(place, &line, &headers, &attack.operator.form()).await;
        assert_eq!(reply.status, 401, "{header}");
    }
    attack.failed().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let server = TestServer::start().await;
    let operator = Operator::log_in(&server).await;
    let form = format!("{}&more={}", operator.form(), "x".repeat(10_000));
    assert_eq!(operator.post("/logout", &operator.own_origin(), &form).await.status, 413);
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    assert_eq!(Reply::read(&said_to(server.admin(), &head).await).status, 431);
    assert_eq!(operator.get("/").await.status, 200);
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_escaped_and_cut() {
    let server = TestServer::start().await;
    let (mut scripted, mut verbose) = (Victim::of(&server).await, Victim::of(&server).await);
    scripted.call(call_by(SCRIPT)).await.unwrap();
    verbose.call(call_by(&"long ".repeat(100))).await.unwrap();
    let page = Operator::log_in(&server).await.get("/connections").await.body;
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains(SCRIPT), "{page}");
    assert!(page.contains("long long ") && !page.contains(&"long ".repeat(14)), "{page}");
    assert!(page.contains("api_id 17, layer 201"), "{page}");
}

#[tokio::test]
async fn the_page_shows_a_live_handshake_and_refusals_with_their_reason() {
    let server = TestServer::start().await;
    let mut holding = peer_of(&server).await;
    let query = to_bytes(&ReqPqMulti { nonce: [7; 16] });
    holding.ask_res_pq(&query, [7; 16]).await;
    let mut refused = peer_of(&server).await;
    refused.send(&plain::write(0, &[1, 2, 3, 4])).await;
    assert_eq!(refused.error().await, -404);
    refused.send(&[0x77; 8 + 16 + 64]).await;
    assert_eq!(refused.error().await, -404);
    let operator = Operator::log_in(&server).await;
    let page = operator.get("/").await.body;
    assert!(page.contains("<td>127.0.0.1</td>") && page.contains("<td>req_DH_params</td>"), "{page}");
    for page in [page, operator.get("/refusals").await.body] {
        assert!(page.contains("HS-34: the query is none of the key exchange"), "{page}");
        assert!(page.contains("-404: there is no such key"), "{page}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_gone_for_its_client_for_the_page_and_for_good() {
    let server = TestServer::start().await;
    let (mut victim, mut other) = (Victim::of(&server).await, Victim::of(&server).await);
    let operator = Operator::log_in(&server).await;
    let page = operator.get(&format!("/keys/{}", victim.perm)).await;
    assert!(
        page.body.contains("Revoke this key") && page.body.contains("<dt>Sessions connected</dt><dd>1</dd>")
    );
    let path = format!("/keys/{}/revoke", victim.perm);
    let reply = operator.post(&path, &operator.own_origin(), &operator.form()).await;
    let location = format!("/keys?revoked={}", victim.perm);
    assert_eq!((reply.status, reply.header("location")), (303, Some(location.as_str())));
    assert_eq!(victim.peer.error().await, -404);
    other.is_served().await;
    let keys = operator.get("/keys").await.body;
    assert!(!keys.contains(&victim.perm) && keys.contains(&other.perm), "{keys}");
    assert_eq!(operator.get(&format!("/keys/{}", victim.perm)).await.status, 404);
    assert_eq!(operator.post(&path, &operator.own_origin(), &operator.form()).await.status, 404);
    assert!(operator.get(&location).await.body.contains("is revoked"));
}

#[tokio::test]
async fn a_program_revokes_with_the_token_alone() {
    let server = TestServer::start().await;
    let mut victim = Victim::of(&server).await;
    let place = server.admin();
    let line = format!("POST /keys/{}/revoke", victim.perm);
    let reply = request(place, &line, &[&host_of(place), &bearer(place), FORM], "").await;
    assert_eq!(reply.status, 303);
    assert_eq!(victim.peer.error().await, -404);
}

#[tokio::test]
async fn pages_turn_and_what_is_no_place_in_them_is_not_found() {
    let server = TestServer::start().await;
    let mut peers = Vec::new();
    for _ in 0..51 {
        let mut peer = peer_of(&server).await;
        peer.is_served().await;
        peers.push(peer);
    }
    let operator = Operator::log_in(&server).await;
    let first = operator.get("/connections").await.body;
    assert_eq!(first.matches("<tr><td class=\"number\">").count(), 50);
    let (_, rest) = first.split_once("href=\"/connections?after=").unwrap();
    let second = operator.get(&format!("/connections?after={}", rest.split('"').next().unwrap())).await.body;
    assert_eq!(second.matches("<tr><td class=\"number\">").count(), 1, "{second}");
    assert!(second.contains("First page") && !second.contains("Next page"));
    for path in ["/connections?after=x", "/keys?after=x", "/keys/x", "/keys/0000000000000000"] {
        assert_eq!(operator.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_metrics_tell_what_happened() {
    let server = TestServer::start().await;
    let mut victim = Victim::of(&server).await;
    victim.is_served().await;
    let place = server.admin();
    let reply = get(place, "/metrics", &bearer(place)).await;
    assert!(reply.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    for sample in [
        "dayfly_handshakes_total{result=\"permanent\"} 1",
        "dayfly_handshake_duration_seconds_count 2",
        "dayfly_binds_total{result=\"bound\"} 1",
        "dayfly_calls_total{key_use=\"bound\",outcome=\"result\"} 1",
        "dayfly_keys{kind=\"bound\"} 1",
        "dayfly_connections{transport=\"intermediate\"} 1",
        "dayfly_draining 0",
    ] {
        assert!(reply.body.lines().any(|line| line == sample), "{sample} in\n{}", reply.body);
    }
    assert!(!reply.body.contains(&victim.perm), "a key is no label");
}

#[tokio::test]
async fn a_server_whose_store_cannot_be_asked_is_healthy_and_not_ready() {
    let switch = Switch::default();
    let server = TestServer::with_silent_store(HandClock::default(), switch.clone()).await;
    let place = server.admin();
    switch.silence();
    assert_eq!(get(place, "/healthz", "Accept: */*").await.status, 200);
    let reply = get(place, "/readyz", "Accept: */*").await;
    assert_eq!((reply.status, reply.body.as_str()), (503, "The store cannot be asked.\n"));
    let keys = get(place, "/keys", &bearer(place)).await;
    assert_eq!((keys.status, keys.body.as_str()), (503, "The store cannot be asked.\n"));
    switch.speak();
    assert_eq!(get(place, "/readyz", "Accept: */*").await.status, 200);
}

#[tokio::test]
async fn a_server_that_ends_is_not_ready_while_it_answers_what_it_owes() {
    let (holding, mut held) = crate::support::Holding::new();
    let server = TestServer::with_upstream(holding).await;
    let mut victim = Victim::of(&server).await;
    victim.talk.send(nearest_dc(), &mut victim.peer).await;
    let reply = within("the call", held.recv()).await.unwrap();
    let place = server.admin().clone();
    let stopping = tokio::spawn(server.stop());
    let answered = until_not_ready(&place).await;
    assert_eq!(answered.body, "The server answers what it owes, then ends.\n");
    assert_eq!(get(&place, "/healthz", "Accept: */*").await.status, 200);
    drop(reply);
    within("the end", stopping).await.unwrap();
}

#[tokio::test]
async fn nothing_of_it_is_on_the_port_for_clients() {
    let server = TestServer::start().await;
    let place = AdminPlace { address: server.address(), ..server.admin().clone() };
    for path in CLOSED.into_iter().chain(["/login", "/healthz", "/readyz"]) {
        let close = format!("{}\r\nConnection: close", bearer(&place));
        assert_eq!(get(&place, path, &close).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_token_that_others_may_read_ends_the_start() {
    let refused = TestServer::refused(|config| {
        let path = config.data_dir.join("admin.token");
        fs::write(&path, "0123456789abcdef0123456789abcdef").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    })
    .await;
    assert!(
        refused.ends_with("admin.token: its mode is 0644, expected 0600: others could read the token"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_certificate_that_was_replaced_is_taken_by_a_reload_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let own = Tls { certificate: folder.path().join("certificate.pem"), key: folder.path().join("key.pem") };
    let place = |from: &Tls| {
        fs::copy(&from.certificate, &own.certificate).unwrap();
        fs::copy(&from.key, &own.key).unwrap();
    };
    let first = crate::tls::files();
    place(&first);
    let mut server = TestServer::configured(|config| config.admin.tls = Some(own.clone())).await;
    let address = server.admin().address;
    crate::tls::connect_trusting(&first.certificate, address).await;

    let pems = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/grpc");
    place(&Tls { certificate: pems.join("backend.pem"), key: pems.join("backend-key.pem") });
    server.reload().await.unwrap();
    crate::tls::connect_trusting(&pems.join("ca.pem"), address).await;

    fs::write(&own.certificate, "nothing").unwrap();
    assert!(matches!(server.reload().await, Err(StartError::Tls { .. })));
    crate::tls::connect_trusting(&pems.join("ca.pem"), address).await;
}

#[tokio::test]
async fn inside_tls_the_cookie_is_for_tls_alone() {
    let server = TestServer::configured(|config| config.admin.tls = Some(crate::tls::files())).await;
    let place = server.admin();
    assert!(place.url.starts_with("https://127.0.0.1:"), "{}", place.url);
    let body = format!("token={}", token_of(place));
    let head = |origin: &str| {
        format!(
            "POST /login HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\n{FORM}\r\nContent-Length: {}\r\n\r\n{body}",
            place.address,
            body.len()
        )
    };
    let own = place.url.trim_end_matches('/');
    let reply = crate::tls::reply_of(place.address, head(own).as_bytes()).await;
    let reply = Reply::read(&String::from_utf8(reply).unwrap());
    assert!(reply.header("set-cookie").unwrap().ends_with("; Secure"), "{reply:?}");
    let plain = own.replace("https", "http");
    let reply = crate::tls::reply_of(place.address, head(&plain).as_bytes()).await;
    assert_eq!(Reply::read(&String::from_utf8(reply).unwrap()).status, 403);
    assert_eq!(said_to(place, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.matches("HTTP").count(), 0);
}
