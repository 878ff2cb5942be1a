//! Our own client against the lab.

mod backend;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use dayfly_check::lab::{Fault, Lab, LabConfig, LabEvent, Manners, Rule, Step, What};
use dayfly_client::{Client, ClientConfig, ConnectError, MemorySession};
use dayfly_core::observer::Direction;
use dayfly_core::server::{Event, KeyUse};
use dayfly_tl::{api, read_exact, to_bytes};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Longer than anything here takes on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A lab, and what it tells.
struct Stage {
    lab: Lab,
    events: mpsc::UnboundedReceiver<LabEvent>,
    config: LabConfig,
}

/// A calm lab with these faults.
async fn stage(manners: Manners, rules: Vec<Rule>) -> Stage {
    let config = LabConfig { manners, rules, ..LabConfig::new(1, dayfly_testkit::test_key()) };
    stage_of(config).await
}

async fn stage_of(config: LabConfig) -> Stage {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let (tell, events) = mpsc::unbounded_channel();
    let lab = Lab::start(&config, Arc::new(listener), tell).unwrap();
    Stage { lab, events, config }
}

impl Stage {
    async fn try_connect(&self) -> Result<Client, ConnectError> {
        let config = ClientConfig::new([self.config.key.public().clone()].into());
        let connected = Client::connect(self.lab.address(), config, MemorySession::default());
        let connected = tokio::time::timeout(PATIENCE, connected).await.expect("in time");
        connected.map(|(client, _)| client)
    }

    async fn connect(&self) -> Client {
        self.try_connect().await.unwrap()
    }

    /// What `wanted` makes of the first event of which it makes something, and what happened until then.
    async fn until<T>(&mut self, wanted: impl Fn(&What) -> Option<T>) -> (T, Vec<LabEvent>) {
        let mut before = Vec::new();
        let search = async {
            loop {
                let event = self.events.recv().await.expect("the lab goes on");
                let found = wanted(&event.what);
                before.push(event);
                if let Some(found) = found {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, search).await.expect("it happens");
        (found, before)
    }
}

async fn config_of(client: &Client) -> i32 {
    let bytes = client.invoke_bytes(to_bytes(&api::HelpGetConfig {})).await.unwrap();
    let config: api::Config<'_> = read_exact(&bytes).unwrap();
    config.this_dc
}

fn bound(what: &What) -> Option<()> {
    matches!(what, What::Server(Event::Bound { .. })).then_some(())
}

fn call(what: &What) -> Option<KeyUse> {
    if let What::Server(Event::Call { key_use, .. }) = what { Some(*key_use) } else { None }
}

fn plain_name(what: &What) -> Option<&'static str> {
    if let What::Plain { name, .. } = what { Some(name) } else { None }
}

fn value_name(what: &What) -> Option<&'static str> {
    if let What::Value { name, .. } = what { Some(name) } else { None }
}

fn meddled(what: &What) -> Option<Fault> {
    if let What::Meddled { fault, .. } = what { Some(*fault) } else { None }
}

fn all<T: Ord>(events: &[LabEvent], part: impl Fn(&What) -> Option<T>) -> BTreeSet<T> {
    events.iter().filter_map(|event| part(&event.what)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_makes_its_keys_and_calls_and_everything_is_told() {
    let mut stage = stage(Manners::CALM, Vec::new()).await;
    let client = stage.connect().await;
    assert_eq!(config_of(&client).await, 2);
    let ((), mut events) = stage.until(bound).await;
    let (key_use, after) = stage.until(call).await;
    events.extend(after);
    assert_eq!(key_use, KeyUse::Bound);
    assert!(events.iter().zip(1..).all(|(event, number)| event.number == number), "without gaps");
    let names = all(&events, plain_name);
    let exchange = ["req_pq_multi", "resPQ", "req_DH_params", "server_DH_params_ok", "set_client_DH_params"];
    assert!(exchange.iter().all(|name| names.contains(name)) && names.contains("dh_gen_ok"), "{names:?}");
    let values = all(&events, value_name);
    for name in ["new_nonce", "tmp_aes_key", "tmp_aes_iv", "a", "g_a", "g_b", "auth_key"] {
        assert!(values.contains(name), "{name}");
    }
    let odd = |what: &What| {
        let unheld = matches!(what, What::Checked { held: false, .. });
        unheld || matches!(what, What::Unopened { .. } | What::Meddled { .. })
    };
    assert!(!events.iter().any(|event| odd(&event.what)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gets_through_every_choice_that_the_lab_may_make() {
    let legal = [
        Fault::ServerNonceZero,
        Fault::ResPqFingerprintsAround,
        Fault::ResPqPaddedPq,
        Fault::GaStripped,
        Fault::GSeven,
        Fault::Trailing,
        Fault::Nop,
        Fault::Salt,
        Fault::Gzip,
    ];
    let mut stage = stage(Manners::LIVELY, legal.map(Rule::always).into()).await;
    let client = stage.connect().await;
    assert_eq!(config_of(&client).await, 2);
    let ((), events) = stage.until(bound).await;
    let acted = all(&events, meddled);
    assert!([Fault::Trailing, Fault::Nop].iter().all(|fault| acted.contains(fault)), "{acted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_acts_as_often_as_its_rule_says_and_other_rules_take_its_place() {
    let failing = Rule { times: Some(2), ..Rule::always(Fault::DhGenFail) };
    let mut stage = stage(Manners::CALM, vec![failing]).await;
    let client = stage.connect().await;
    let ((), events) = stage.until(bound).await;
    let failed = |event: &&LabEvent| plain_name(&event.what) == Some("dh_gen_fail");
    assert_eq!(events.iter().filter(failed).count(), 2);
    drop(client);
    stage.lab.set_rules(vec![Rule::always(Fault::DhGenOkHash)]).await.unwrap();
    let refused = stage.try_connect().await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("new_nonce_hash1 is wrong"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_that_is_let_pass_ends_a_temporary_key_and_the_client_makes_another() {
    let mut stage = stage(Manners::CALM, Vec::new()).await;
    let client = stage.connect().await;
    stage.until(bound).await;
    stage.lab.advance(Duration::from_secs(2 * 86_400)).await.unwrap();
    assert_eq!(config_of(&client).await, 2);
    stage.until(|what| matches!(what, What::Server(Event::KeyEnded { .. })).then_some(())).await;
    stage.until(bound).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_in_the_place_of_an_answer_is_told_with_the_honest_answer() {
    let rule = Rule::once(Fault::Error404).at(Step::DhParams);
    let mut stage = stage(Manners::CALM, vec![rule]).await;
    let _client = stage.connect().await;
    let honest = |what: &What| match what {
        What::Meddled { fault: Fault::Error404, direction: Direction::Out, honest } => Some(honest.len()),
        _ => None,
    };
    let (length, _) = stage.until(honest).await;
    assert!(length > 600, "a whole server_DH_params_ok: {length}");
    let error = |what: &What| match what {
        What::TransportError { code, fault } => Some((*code, *fault)),
        _ => None,
    };
    assert_eq!(stage.until(error).await.0, (-404, Some(Fault::Error404)));
}

#[test]
fn a_rule_is_read_from_toml_and_an_unknown_field_or_fault_is_told() {
    let rule: Rule = toml::from_str("fault = \"late\"\nstep = \"dh-gen\"\ntimes = 2\nmillis = 10").unwrap();
    let expected = Rule { times: Some(2), millis: Some(10), ..Rule::always(Fault::Late).at(Step::DhGen) };
    assert_eq!(rule, expected);
    let error = |text: &str| toml::from_str::<Rule>(text).unwrap_err().to_string();
    assert!(error("fault = \"later\"").contains("there is no fault \"later\"; there are: res-pq-nonce"));
    assert!(error("fault = \"late\"\nonce = true").contains("unknown field `once`"));
}
