//! The ways of the shipped client to a server: through proxies, and to several DCs by their ids.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use dayfly_client::{
    Client, ClientConfig, ConnectError, Dc, DcError, DcId, DcTable, Dcs, Event, MemorySession,
    MemorySessions, MtProxy, Proxy, Route, Sessions, TransportKind,
};
use dayfly_core::transport::ProxySecret;
use dayfly_tl::{api, read_exact, to_bytes};

use crate::support::{EXPONENT_BITS, Socks5Proxy, TestServer, client_config, within};

const SECRET: &str = "00112233445566778899aabbccddeeff";

/// The DC that the server says it is.
async fn dc_of(client: &Client) -> i32 {
    let call = client.invoke_bytes(to_bytes(&api::HelpGetNearestDc {}));
    let answer = within("an answer", call).await.unwrap();
    read_exact::<api::NearestDc<'_>>(&answer).unwrap().this_dc
}

async fn connect(route: impl Into<Route>, config: ClientConfig) -> Result<Client, ConnectError> {
    let connecting = Client::connect(route, config, MemorySession::default());
    within("a session or an error", connecting).await.map(|(client, _events)| client)
}

#[tokio::test]
async fn a_client_comes_through_a_socks5_proxy_which_looks_the_host_up() {
    let server = TestServer::start().await;
    for login in [false, true] {
        let proxy = Socks5Proxy::start(Some(server.address()), login).await;
        let way = if login { proxy.with_password("pw") } else { proxy.open() };
        let route = Route::from("dc.invalid:443").through(way);
        let client = connect(route, client_config(&server)).await.unwrap();
        assert_eq!(dc_of(&client).await, 2);
        assert_eq!(proxy.asked(), ["dc.invalid:443"; 2], "one connection a key");
    }
}

#[tokio::test]
async fn a_socks5_proxy_that_leads_nowhere_is_told_with_its_reason() {
    let server = TestServer::start().await;
    let proxy = Socks5Proxy::start(None, true).await;
    for (way, reason) in [
        (proxy.with_password("pw"), "the proxy gave no connection: the server refused the connection"),
        (proxy.with_password("wp"), "the proxy refused the user name or the password"),
        (proxy.open(), "the proxy wants a user name and a password, or a log-in that is not supported"),
    ] {
        let route = Route::from(server.address()).through(way);
        let error = connect(route, client_config(&server)).await.unwrap_err().to_string();
        let whole = format!("cannot connect to {} through the SOCKS5 proxy at ", server.address());
        assert!(error.starts_with(&whole) && error.ends_with(reason), "{error}");
    }
    assert!(server.events_of("connected").is_empty());
}

/// A server that takes obfuscated clients with a secret only.
async fn server_with_secret() -> TestServer {
    let mut bytes: [u8; 16] = hex::decode(SECRET).unwrap().try_into().unwrap();
    let secret = Arc::new(ProxySecret::take(&mut bytes));
    TestServer::configured(|config| config.proxy_secrets = vec![secret]).await
}

fn by_mtproxy(server: &TestServer, secret: &str) -> Route {
    let address = server.address();
    Route::by_mtproxy(MtProxy::new(&address.ip().to_string(), address.port(), secret).unwrap())
}

// rule: TR-03
#[tokio::test]
async fn a_client_with_the_secret_of_a_proxy_is_served() {
    let server = server_with_secret().await;
    for (secret, transport) in
        [(SECRET.to_owned(), "abridged"), (format!("dd{SECRET}"), "padded intermediate")]
    {
        let mut config = client_config(&server);
        config.transport = TransportKind::Abridged;
        let before = server.events_of("transport").len();
        let client = connect(by_mtproxy(&server, &secret), config).await.unwrap();
        assert_eq!(dc_of(&client).await, 2);
        let told = server.wait_for("transport", before + 2).await;
        for event in &told[before..] {
            assert_eq!((&event["name"], &event["obfuscated"]), (&transport.into(), &true.into()));
        }
    }
}

// rule: TR-03
#[tokio::test]
async fn a_wrong_secret_is_given_up_soon_and_told_as_the_likeliest_reason() {
    let server = server_with_secret().await;
    let wrong = connect(by_mtproxy(&server, &SECRET.replace('0', "1")), client_config(&server)).await;
    let error = wrong.unwrap_err();
    assert!(matches!(error, ConnectError::Ended { .. }), "{error}");
    let whole = format!(
        "the MTProxy at {}: connection after connection ended before a key was bound; \
         a proxy does so when the secret is not its own",
        server.address()
    );
    assert_eq!(error.to_string(), whole);
    assert!(server.events_of("key_created").is_empty());
}

/// Servers of two DCs, and the table with both.
async fn two_dcs() -> ([TestServer; 2], DcTable) {
    let mut servers = Vec::new();
    for dc in [1, 2] {
        servers.push(TestServer::configured(|config| config.dc = dc).await);
    }
    let servers: [TestServer; 2] = servers.try_into().ok().unwrap();
    let at = |server: &TestServer| Dc { addresses: vec![server.address()], ..Dc::default() };
    let table = DcTable::new([servers[0].public_key()].into(), false);
    let table = table.with(1, at(&servers[0])).with(2, at(&servers[1]));
    (servers, table)
}

fn settings() -> ClientConfig {
    let mut config = ClientConfig::new([].into());
    config.exponent_bits = EXPONENT_BITS;
    config
}

fn permanent_keys(server: &TestServer) -> Vec<String> {
    let made = server.events_of("key_created").into_iter().filter(|event| event["kind"] == "permanent");
    made.map(|event| event["key_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn dcs_are_opened_by_their_ids_each_with_a_permanent_key_of_its_own() {
    let (servers, table) = two_dcs().await;
    let sessions = MemorySessions::default();
    let (dcs, mut events) = Dcs::new(table.clone(), settings(), sessions.clone(), None);
    for (number, server) in [1_u16, 2].into_iter().zip(&servers) {
        let id = table.id(number);
        let client = within("a session", dcs.client(id)).await.unwrap();
        assert_eq!(dc_of(&client).await, id.wire());
        let again = within("the same session", dcs.client(id)).await.unwrap();
        assert_eq!(dc_of(&again).await, id.wire());
        let [perm] = &permanent_keys(server)[..] else { panic!("one permanent key in dc {id}") };
        assert_eq!(sessions.of(id).load().unwrap().unwrap().key.id().to_string(), *perm);
        let (of, happened) = within("an event", events.next()).await.unwrap();
        assert_eq!(of, id);
        drop(happened);
        while !matches!(within("a binding", events.next()).await.unwrap().1.event, Event::Bound { .. }) {}
    }
    assert_ne!(permanent_keys(&servers[0]), permanent_keys(&servers[1]));

    let (dcs, _events) = Dcs::new(table.clone(), settings(), sessions, None);
    within("a session", dcs.client(table.id(1))).await.unwrap();
    assert_eq!(permanent_keys(&servers[0]).len(), 1, "the kept one goes on");
}

#[tokio::test]
async fn a_media_side_has_the_permanent_key_of_its_dc_and_temporary_keys_of_its_own() {
    let (servers, table) = two_dcs().await;
    let (dcs, _events) = Dcs::new(table.clone(), settings(), MemorySessions::default(), None);
    let media = within("a session", dcs.client(table.id(2).media())).await.unwrap();
    let main = within("a session", dcs.client(table.id(2))).await.unwrap();
    assert_eq!((dc_of(&media).await, dc_of(&main).await), (2, 2));
    assert_eq!(permanent_keys(&servers[1]).len(), 1);
    let bound = servers[1].events_of("bound");
    assert_eq!(bound.len(), 2);
    assert_eq!(bound[0]["perm_key_id"], bound[1]["perm_key_id"]);
    assert_ne!(bound[0]["temp_key_id"], bound[1]["temp_key_id"]);
}

#[tokio::test]
async fn a_dc_that_does_not_answer_holds_up_no_other() {
    let server = TestServer::start().await;
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = |address: SocketAddr| Dc { addresses: vec![address], ..Dc::default() };
    let table = DcTable::new([server.public_key()].into(), false);
    let table = table.with(1, at(mute.local_addr().unwrap())).with(2, at(server.address()));
    let (dcs, _events) = Dcs::new(table.clone(), settings(), MemorySessions::default(), None);
    let other = async {
        within("a connection", mute.accept()).await.unwrap();
        within("a session", dcs.client(table.id(2))).await.unwrap()
    };
    tokio::select! {
        outcome = dcs.client(table.id(1)) => panic!("a DC that says nothing was opened: {outcome:?}"),
        client = other => assert_eq!(dc_of(&client).await, 2),
    }
}

#[tokio::test]
async fn a_dc_that_is_in_no_table_is_unknown() {
    let (dcs, _events) = Dcs::new(DcTable::telegram_test(), settings(), MemorySessions::default(), None);
    for id in [1, 10_004, 0] {
        let error = dcs.client(DcId::from_wire(id)).await.unwrap_err();
        assert!(matches!(error, DcError::Unknown(unknown) if unknown.wire() == id), "{error}");
    }
}

#[tokio::test]
async fn the_key_of_another_dc_is_refused_by_name() {
    let server = TestServer::start().await;
    let sessions = MemorySessions::default();
    let session = || sessions.of(DcId::from_wire(2));
    let connecting = Client::connect(server.address(), client_config(&server), session());
    drop(within("a session", connecting).await.unwrap());
    let mut config = client_config(&server);
    config.dc = 3;
    let error = Client::connect(server.address(), config, session()).await.unwrap_err();
    assert_eq!(error.to_string(), "the session holds the key of dc 2, and dc 3 is configured");
    assert_eq!(permanent_keys(&server).len(), 1);
}

/// All that is sent goes to a proxy on this machine, which leads nowhere: Telegram's servers hear nothing.
#[tokio::test]
async fn telegrams_dcs_are_asked_for_at_their_built_in_addresses() {
    let proxy = Socks5Proxy::start(None, false).await;
    let mut expected = BTreeSet::new();
    for table in [DcTable::telegram(), DcTable::telegram_test()] {
        let way: Option<Proxy> = Some(proxy.open());
        let (dcs, _events) = Dcs::new(table.clone(), settings(), MemorySessions::default(), way);
        for id in table.ids() {
            let error = within("an error", dcs.client(id)).await.unwrap_err().to_string();
            assert!(error.contains("through the SOCKS5 proxy at 127.0.0.1:"), "{error}");
            expected.extend(table.addresses(id).unwrap().iter().map(SocketAddr::to_string));
        }
    }
    assert_eq!(proxy.asked().into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(expected.len(), 16);
}
