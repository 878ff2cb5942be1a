//! Proxies as text, and what a SOCKS5 proxy may answer.

use dayfly_core::client::ClientConfig;
use dayfly_core::transport::{Kind, Obfuscation};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const SECRET: &str = "00112233445566778899aabbccddeeff";

fn mtproxy(query: &str) -> Result<MtProxy, ProxyError> {
    match format!("tg://proxy?{query}").parse()? {
        Proxy::Mt(proxy) => Ok(proxy),
        other => panic!("{other:?}"),
    }
}

fn of_secret(secret: &str) -> Result<MtProxy, ProxyError> {
    mtproxy(&format!("server=proxy.example&port=443&secret={secret}"))
}

/// The transport, the secret and the DC that a client of DC -2 uses with this secret.
fn prepared(secret: &str) -> (Kind, [u8; 16], i16) {
    let mut config = ClientConfig::new([].into());
    config.dc = -2;
    of_secret(secret).unwrap().prepare(&mut config).unwrap();
    match &*config.obfuscation {
        Obfuscation::Proxy { secret, dc } => (config.transport, *secret.expose(), *dc),
        other => panic!("{other:?}"),
    }
}

// rule: TR-03
#[test]
fn a_secret_has_two_kinds_in_two_forms() {
    let bytes: [u8; 16] = hex::decode(SECRET).unwrap().try_into().unwrap();
    let plain = (Kind::Intermediate, bytes, -2);
    let padded = (Kind::Padded, bytes, -2);
    assert_eq!(prepared(SECRET), plain);
    assert_eq!(prepared(&SECRET.to_uppercase()), plain);
    assert_eq!(prepared("ABEiM0RVZneImaq7zN3u_w"), plain);
    assert_eq!(prepared("ABEiM0RVZneImaq7zN3u_w%3D%3D"), plain);
    assert_eq!(prepared(&format!("dd{SECRET}")), padded);
    assert_eq!(prepared("3QARIjNEVWZ3iJmqu8zd7v8"), padded);
}

#[test]
fn fake_tls_is_refused_by_name_and_other_secrets_as_none() {
    let domain = hex::encode("example.com");
    assert_eq!(of_secret(&format!("ee{SECRET}{domain}")).unwrap_err(), ProxyError::FakeTls);
    assert_eq!(of_secret("7gARIjNEVWZ3iJmqu8zd7v9leGFtcGxlLmNvbQ").unwrap_err(), ProxyError::FakeTls);
    for wrong in ["00", "zz", &SECRET[2..], &format!("cc{SECRET}"), &format!("dd{SECRET}00"), "%00%ff"] {
        let error = of_secret(wrong).unwrap_err();
        assert!(matches!(error, ProxyError::Secret | ProxyError::Part("secret")), "{wrong}: {error}");
    }
}

#[test]
fn a_link_needs_each_part_once() {
    let whole = format!("server=proxy.example&port=443&secret={SECRET}");
    assert_eq!(mtproxy(&whole).unwrap().address(), "proxy.example:443");
    assert!(matches!(format!("https://t.me/proxy?{whole}").parse(), Ok(Proxy::Mt(_))));
    assert_eq!(mtproxy("port=443&secret=00").unwrap_err(), ProxyError::Part("server"));
    assert_eq!(mtproxy("server=a&secret=00").unwrap_err(), ProxyError::Part("port"));
    assert_eq!(mtproxy("server=a&port=1&secret=").unwrap_err(), ProxyError::Part("secret"));
    assert_eq!(mtproxy("server=a&server=b&port=1&secret=00").unwrap_err(), ProxyError::Part("server"));
    assert_eq!(mtproxy(&whole.replace("443", "65536")).unwrap_err(), ProxyError::Address);
    assert_eq!(mtproxy(&whole.replace("proxy.", "pro%2fxy.")).unwrap_err(), ProxyError::Address);
    assert_eq!(mtproxy(&whole.replace("proxy.", "%gg")).unwrap_err(), ProxyError::Percent);
}

#[test]
fn an_mtproxy_takes_what_has_an_obfuscated_form_and_a_dc_of_two_bytes() {
    let prepare = |secret: &str, kind: Kind, dc: i32| {
        let mut config = ClientConfig::new([].into());
        (config.transport, config.dc) = (kind, dc);
        of_secret(secret).unwrap().prepare(&mut config).map(|()| config.transport)
    };
    assert_eq!(prepare(SECRET, Kind::Abridged, 2), Ok(Kind::Abridged));
    assert_eq!(prepare(SECRET, Kind::Full, 2), Err(ProxyError::Full));
    assert_eq!(prepare(&format!("dd{SECRET}"), Kind::Full, 10_002), Ok(Kind::Padded));
    assert_eq!(prepare(SECRET, Kind::Abridged, 70_000), Err(ProxyError::Dc(70_000)));
}

#[test]
fn neither_secrets_nor_passwords_are_shown() {
    for text in [
        format!("tg://proxy?server=proxy.example&port=443&secret={SECRET}"),
        "socks5://hunter1:hunter2@proxy.example:1080".to_owned(),
    ] {
        let proxy: Proxy = text.parse().unwrap();
        let shown = format!("{proxy} {proxy:?}");
        assert!(shown.contains("proxy.example:") && !shown.contains("hunter"), "{shown}");
        assert!(!shown.contains("0011") && !shown.contains("17, 34"), "{shown}");
    }
}

#[test]
fn a_socks5_proxy_has_an_address_and_perhaps_a_login() {
    let read = |text: &str| text.parse::<Proxy>().map(|proxy| proxy.address().to_owned());
    assert_eq!(read("socks5://proxy.example:1080"), Ok("proxy.example:1080".to_owned()));
    assert_eq!(read("socks5h://u%3As%40:p%25@[::1]:1080/"), Ok("[::1]:1080".to_owned()));
    assert_eq!(read("http://proxy.example:1080"), Err(ProxyError::Scheme));
    for wrong in ["", "proxy.example", "proxy.example:", "proxy.example:0", "::1:1080", ":1080", "a b:1"] {
        assert_eq!(read(&format!("socks5://{wrong}")), Err(ProxyError::Address), "{wrong}");
    }
    for wrong in ["user", ":password", "user:", &format!("user:{}", "p".repeat(256))] {
        assert_eq!(read(&format!("socks5://{wrong}@a:1")), Err(ProxyError::Login), "{wrong}");
    }
    assert_eq!(read("socks5://user:100%@a:1"), Err(ProxyError::Percent));
}

/// What the client asks of a proxy that answers with `answers`, and what becomes of it.
async fn led(proxy: &str, target: &str, answers: &[u8]) -> (Vec<u8>, Result<(), Socks5Error>) {
    let Proxy::Socks5(proxy) = proxy.parse().unwrap() else { panic!("no SOCKS5 proxy: {proxy}") };
    let (mut ours, mut theirs) = tokio::io::duplex(1024);
    theirs.write_all(answers).await.unwrap();
    theirs.shutdown().await.unwrap();
    let outcome = proxy.lead(&mut ours, target).await;
    drop(ours);
    let mut asked = Vec::new();
    theirs.read_to_end(&mut asked).await.unwrap();
    (asked, outcome)
}

const PLAIN: &str = "socks5://proxy:1080";
const WITH_LOGIN: &str = "socks5://me:pw@proxy:1080";
const TAKEN: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

#[tokio::test]
async fn a_host_is_left_to_the_proxy_to_look_up() {
    let (asked, outcome) = led(PLAIN, "dc.example:443", &[&[5, 0], &TAKEN[..]].concat()).await;
    outcome.unwrap();
    assert_eq!(asked, [&[5, 1, 0, 5, 1, 0, 3, 10][..], b"dc.example", &[1, 187]].concat());
}

#[tokio::test]
async fn addresses_go_as_addresses_and_a_login_goes_when_it_is_asked_for() {
    let (asked, outcome) = led(WITH_LOGIN, "127.0.0.1:80", &[&[5, 2, 1, 0], &TAKEN[..]].concat()).await;
    outcome.unwrap();
    let login = [&[1, 2][..], b"me", &[2], b"pw"].concat();
    assert_eq!(asked, [&[5, 2, 0, 2][..], &login, &[5, 1, 0, 1, 127, 0, 0, 1, 0, 80]].concat());

    let named = [&[5, 0, 5, 0, 0, 3, 4][..], b"here", &[0, 0]].concat();
    let (asked, outcome) = led(WITH_LOGIN, "[::1]:80", &named).await;
    outcome.unwrap();
    assert_eq!(asked[..4], [5, 2, 0, 2], "no password where none is asked for");
    assert_eq!(asked[4..8], [5, 1, 0, 4]);
}

#[tokio::test]
async fn each_refusal_of_a_proxy_has_its_own_words() {
    for (proxy, answers, expected) in [
        (PLAIN, &b"HTTP/1.1 400"[..], "no SOCKS5 proxy: its first byte is 72, expected 5"),
        (PLAIN, &[5, 0xff], "the proxy wants a user name and a password, or a log-in that is not supported"),
        (PLAIN, &[5, 2], "the proxy wants a user name and a password, or a log-in that is not supported"),
        (WITH_LOGIN, &[5, 2, 1, 1], "the proxy refused the user name or the password"),
        (PLAIN, &[5, 0, 5, 5, 0, 1], "the proxy gave no connection: the server refused the connection"),
        (PLAIN, &[5, 0, 5, 77, 0, 1], "the proxy gave no connection: code 77"),
        (PLAIN, &[5], "the proxy hung up: early eof"),
        (PLAIN, &[5, 0, 5, 0, 0, 1, 0], "the proxy hung up: early eof"),
    ] {
        let (_, outcome) = led(proxy, "127.0.0.1:80", answers).await;
        assert_eq!(outcome.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn what_is_no_address_is_not_asked_for() {
    for wrong in ["no-port", "a:b", ":80", &format!("{}:80", "a".repeat(256))] {
        let (asked, outcome) = led(PLAIN, wrong, &[]).await;
        assert!(matches!(outcome, Err(Socks5Error::Target)) && asked.is_empty(), "{wrong}");
    }
}
