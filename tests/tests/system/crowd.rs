//! Many clients at once.

use dayfly_client::{Client, MemorySession};
use dayfly_tl::{api, to_bytes};

use crate::support::{TestServer, client_config, within};

const CLIENTS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_bind_at_once_and_each_gets_its_own_answer() {
    let server = TestServer::configured(|config| config.limits.handshakes_per_address = 10_000).await;
    let sessions: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (address, config) = (server.address().to_string(), client_config(&server));
            tokio::spawn(async move {
                let (client, _events) =
                    Client::connect(address, config, MemorySession::default()).await.unwrap();
                client.invoke_bytes(to_bytes(&api::HelpGetNearestDc {})).await.unwrap();
                client.sent().under_perm
            })
        })
        .collect();
    for session in sessions {
        assert_eq!(within("a bound client", session).await.unwrap(), 0);
    }
    let told = server.stop().await;
    let count = |name: &str| told.iter().filter(|event| event["event"] == name).count();
    assert_eq!((count("bound"), count("call")), (CLIENTS, CLIENTS));
    assert_eq!(count("key_created"), 2 * CLIENTS, "no key was made in vain");
    assert_eq!((count("bind_refused"), count("transport_error")), (0, 0));
}
