//! Which calls a key of which kind may make, and what is answered.

use dayfly_client::{Client, MemorySession};
use dayfly_core::keys::kind::KeyKind;
use dayfly_server::Allow;
use dayfly_testkit::watch::SecretWatcher;
use dayfly_tl::{api, read_exact, to_bytes};

use crate::support::{
    A_DAY, HandClock, Talk, TestServer, Trouble, client_config, peer_of, rpc_error, within,
};

/// A method of the API that is none of the three: `messages.getDialogs`, as far as its constructor goes.
const OTHER: u32 = 0xa0f4_cb4f;

fn other() -> Vec<u8> {
    OTHER.to_le_bytes().to_vec()
}

// rule: PF-05
#[tokio::test]
async fn an_unbound_key_may_ask_two_things_and_nothing_else() {
    let server = TestServer::start().await;
    let mut peer = peer_of(&server).await;
    let temp = peer.make_key(A_DAY).await;
    let mut talk = Talk::under_temp(&temp, &peer);
    talk.call(to_bytes(&api::HelpGetConfig {}), &mut peer).await.unwrap();
    talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await.unwrap();
    for refused in [other(), to_bytes(&api::AuthDropTempAuthKeys { except_auth_keys: (&[][..]).into() })] {
        assert_eq!(talk.call(refused, &mut peer).await, Err(rpc_error(401, "AUTH_KEY_PERM_EMPTY")));
    }
    let told = server.events_of("call_refused");
    assert!(told.iter().all(|event| event["error"] == "AUTH_KEY_PERM_EMPTY") && told.len() == 2, "{told:?}");
}

#[tokio::test]
async fn an_unknown_method_is_named_in_the_refusal() {
    let server = TestServer::start().await;
    let mut peer = peer_of(&server).await;
    let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
    let mut talk = Talk::under_temp(&temp, &peer);
    talk.bind(&perm, &mut peer).await.unwrap();
    let refused = talk.call(other(), &mut peer).await;
    assert_eq!(refused, Err(rpc_error(400, "INPUT_METHOD_INVALID_a0f4cb4f")));
    talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await.unwrap();
}

#[tokio::test]
async fn the_config_names_the_server_itself() {
    let server = TestServer::configured(|config| (config.dc, config.test) = (4, true)).await;
    let mut peer = peer_of(&server).await;
    let temp = peer.make_key(A_DAY).await;
    let mut talk = Talk::under_temp(&temp, &peer);
    let answer = talk.call(to_bytes(&api::HelpGetConfig {}), &mut peer).await.unwrap();
    let config: api::Config<'_> = read_exact(&answer).unwrap();
    assert_eq!((config.this_dc, config.test_mode), (4, true));
    let [option] = config.dc_options.as_slice() else { panic!("one address, not {:?}", config.dc_options) };
    assert_eq!((option.id, option.ip_address), (4, &b"127.0.0.1"[..]));
    assert_eq!(option.port, i32::from(server.address().port()));
    assert!(config.expires > config.date);
}

// rule: PF-23
#[tokio::test]
async fn calls_under_a_permanent_key_are_the_operators_choice() {
    for (allow, expected) in
        [(vec![], Err(rpc_error(400, "TEMP_AUTH_KEY_EMPTY"))), (vec![Allow::NoPfs], Ok(()))]
    {
        let server = TestServer::configured(|config| config.allow = allow).await;
        let mut peer = peer_of(&server).await;
        let perm = peer.make_key(KeyKind::Perm).await;
        let mut talk = Talk::under_perm(&perm, &peer);
        let answer = talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await;
        assert_eq!(answer.map(drop), expected);
    }
}

// rule: PF-10
#[tokio::test]
async fn a_newer_binding_ends_the_one_before() {
    let server = TestServer::start().await;
    let mut old_peer = peer_of(&server).await;
    let perm = old_peer.make_key(KeyKind::Perm).await;
    let old = old_peer.make_key(A_DAY).await;
    let mut old_talk = Talk::under_temp(&old, &old_peer);
    old_talk.bind(&perm, &mut old_peer).await.unwrap();

    let mut peer = peer_of(&server).await;
    let new = peer.make_key(A_DAY).await;
    let mut talk = Talk::under_temp(&new, &peer);
    talk.bind(&perm, &mut peer).await.unwrap();
    let refused = old_talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut old_peer).await;
    assert_eq!(refused, Err(Trouble::Transport(-404)));
    talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await.unwrap();
    assert_eq!(server.events_of("bound")[1]["replaced"][0], old.key.id().to_string());
}

// rule: PF-15
#[tokio::test]
async fn at_its_second_a_temporary_key_ends_and_its_connection_is_told() {
    let clock = HandClock::default();
    let server = TestServer::with_clock(clock.clone(), |_| {}).await;
    let mut peer = peer_of(&server).await;
    let perm = peer.make_key(KeyKind::Perm).await;
    let temp = peer.make_key(KeyKind::Temp { expires_in: 600 }).await;
    let mut talk = Talk::under_temp(&temp, &peer);
    talk.bind(&perm, &mut peer).await.unwrap();

    clock.advance(590);
    talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut peer).await.unwrap();
    clock.advance(10);
    assert_eq!(peer.error().await, -404);
    peer.is_closed_without_a_word().await;
    let ended = server.wait_for("key_ended", 1).await;
    assert_eq!(
        (&ended[0]["key_id"], &ended[0]["reason"]),
        (&temp.key.id().to_string().into(), &"expired".into())
    );
    let mut late = peer_of(&server).await;
    let mut talk = Talk::under_temp(&temp, &late);
    let refused = talk.call(to_bytes(&api::HelpGetNearestDc {}), &mut late).await;
    assert_eq!(refused, Err(Trouble::Transport(-404)));
}

// rule: PF-01, PF-04
#[tokio::test]
async fn the_event_log_tells_the_life_of_a_client_and_no_secret() {
    let server = TestServer::start().await;
    let mut peer = peer_of(&server).await;
    let (perm, temp) = (peer.make_key(KeyKind::Perm).await, peer.make_key(A_DAY).await);
    let mut talk = Talk::under_temp(&temp, &peer);
    talk.bind(&perm, &mut peer).await.unwrap();
    talk.call(to_bytes(&api::HelpGetConfig {}), &mut peer).await.unwrap();
    let text = std::fs::read(server.event_log()).unwrap();
    let told = server.stop().await;

    let names: Vec<&str> = told.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["connected", "transport", "key_created", "key_created", "session_created", "bound", "call"]
    );
    assert!(told.iter().all(|event| event["time"].is_f64()));
    let (perm_id, temp_id) = (perm.key.id().to_string(), temp.key.id().to_string());
    assert_eq!((&told[2]["kind"], &told[2]["key_id"]), (&"permanent".into(), &perm_id.clone().into()));
    assert_eq!((&told[3]["kind"], &told[3]["key_id"]), (&"temporary".into(), &temp_id.clone().into()));
    assert_eq!(
        (&told[5]["perm_key_id"], &told[5]["temp_key_id"]),
        (&perm_id.into(), &temp_id.clone().into())
    );
    assert_eq!((&told[6]["method"], &told[6]["key_id"]), (&"help.getConfig".into(), &temp_id.into()));
    assert_eq!(told[6]["key_use"], "bound");

    let mut watcher = SecretWatcher::new();
    watcher.watch_for("permanent key", perm.key.expose());
    watcher.watch_for("temporary key", temp.key.expose());
    assert_eq!(watcher.find(&text), []);
}

// rule: PF-04
#[tokio::test]
async fn the_shipped_client_sends_nothing_under_its_permanent_key() {
    let server = TestServer::start().await;
    let connecting =
        Client::connect(server.address().to_string(), client_config(&server), MemorySession::default());
    let (client, _events) = within("the binding", connecting).await.unwrap();
    within("an answer", client.invoke_bytes(to_bytes(&api::HelpGetConfig {}))).await.unwrap();
    let sent = client.sent();
    assert_eq!(sent.under_perm, 0);
    assert!(sent.under_temp >= 2);
    assert!(server.stop().await.iter().all(|event| event["event"] != "call" || event["key_use"] == "bound"));
}
