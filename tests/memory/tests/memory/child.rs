//! The two processes: the shipped server and the shipped client, each told over its standard input what to do.

use std::io::{self, BufRead as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{env, process};

use dayfly_client::{Client, ClientConfig, Event, FileSession, Obfuscation, TransportKind, World};
use dayfly_core::NoObserver;
use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::{DEEP, Exponent, scrubbed};
use dayfly_server::{Config, Listener, OsRandom, OwnAnswers, Parts, Server};
use dayfly_store::{EmbeddedStore, Keys, RamTempKeys, SealingSource};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use crate::forms::forms;
use crate::script::{Again, CLIENT_SEED, MovedClock, SERVER_SEED, Script, write_draw};

/// Each names a directory of the process's own, and makes this binary that process.
pub(crate) const SERVER: &str = "DAYFLY_MEMORY_SERVER";
pub(crate) const CLIENT: &str = "DAYFLY_MEMORY_CLIENT";
/// Stands before each answer.
pub(crate) const ANSWER: &str = "answer: ";

pub(crate) const SESSION_FILE: &str = "me.session";
pub(crate) const STORE_FILE: &str = "data/keys.redb";
pub(crate) const SEALING_DIRECTORY: &str = "sealing";
pub(crate) const EVENT_FILE: &str = "events.jsonl";

/// Does nothing unless the story has started it.
#[test]
fn server_process() {
    let Some(directory) = env::var_os(SERVER) else { return };
    let desk = Desk::new(SERVER_SEED);
    let runtime = runtime();
    let server = runtime.block_on(start_server(Path::new(&directory), &desk));
    let address = server.address();
    desk.serve(|order| match order {
        ["address"] => address.to_string(),
        _ => panic!("{order:?} is no order"),
    });
    runtime.block_on(server.shut_down());
}

/// Does nothing unless the story has started it.
#[test]
fn client_process() {
    let Some(directory) = env::var_os(CLIENT) else { return };
    let session = Path::new(&directory).join(SESSION_FILE);
    let desk = Desk::new(CLIENT_SEED);
    let user = User { runtime: runtime(), client: Arc::default(), bound: Arc::default() };
    desk.serve(|order| match order {
        ["connect", address] => user.connect(address, session.clone(), &desk),
        ["bound"] => user.bound.lock().unwrap().join(" "),
        ["call"] => user.call(),
        _ => panic!("{order:?} is no order"),
    });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn start_server(directory: &Path, desk: &Desk) -> Server {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = Config { listen, event_log: Some(directory.join(EVENT_FILE)), ..Config::default() };
    let sealing = SealingSource::Directory(directory.join(SEALING_DIRECTORY));
    let store = EmbeddedStore::open(&directory.join(STORE_FILE), &sealing, Box::new(OsRandom)).unwrap();
    let listener = Listener::bind(config.listen).await.unwrap();
    let upstream = OwnAnswers { address: listener.address(), dc: 2, test: false, tmp_sessions: 1 };
    let parts = Parts {
        clock: desk.clock.clone(),
        random: desk.script.clone(),
        observer: NoObserver,
        rsa: vec![dayfly_testkit::test_key().into()],
        keys: Arc::new(Keys::new(store, RamTempKeys::default())),
        upstream,
    };
    Server::start(&config, listener, parts).unwrap()
}

struct User {
    runtime: Runtime,
    client: Arc<Mutex<Option<Client>>>,
    /// For each binding the temporary and the permanent key, in hex with a `-` between them.
    bound: Arc<Mutex<Vec<String>>>,
}

impl User {
    fn connect(&self, address: &str, session: PathBuf, desk: &Desk) -> String {
        let mut config = ClientConfig::new([dayfly_testkit::test_key().public().clone()].into());
        config.transport = TransportKind::Intermediate;
        config.obfuscation = Arc::new(Obfuscation::None);
        let world = World { clock: desk.clock.clone(), random: desk.script.clone(), observer: NoObserver };
        let (address, client, bound) =
            (address.to_owned(), Arc::clone(&self.client), Arc::clone(&self.bound));
        self.runtime.spawn(async move {
            let connecting = Client::connect_with(address, config, FileSession::new(session), world);
            let (connected, mut events) = connecting.await.unwrap();
            *client.lock().unwrap() = Some(connected);
            while let Some(happened) = events.next().await {
                if let Event::Bound { temp, perm, .. } = happened.event {
                    bound.lock().unwrap().push(format!("{temp}-{perm}"));
                }
            }
        });
        String::new()
    }

    fn call(&self) -> String {
        let client = self.client.lock().unwrap().clone().unwrap();
        let request = dayfly_tl::to_bytes(&dayfly_tl::api::HelpGetConfig {});
        let answer = self.runtime.block_on(client.invoke_bytes(request)).unwrap();
        answer.len().to_string()
    }
}

/// What both processes have.
struct Desk {
    clock: MovedClock,
    script: Script,
    planted: Mutex<Vec<Zeroizing<Vec<u8>>>>,
}

impl Desk {
    fn new(seed: u64) -> Self {
        Self { clock: MovedClock::new(), script: Script::new(seed), planted: Mutex::default() }
    }

    /// Carries out orders, one a line, until there are no more.
    fn serve(&self, own: impl Fn(&[&str]) -> String) {
        for line in io::stdin().lock().lines() {
            let line = line.unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            let answer = match words.as_slice() {
                ["pid"] => process::id().to_string(),
                ["skip", seconds] => {
                    self.clock.skip(seconds.parse().unwrap());
                    String::new()
                }
                ["draws"] => self.script.log(),
                ["plant", a, b, new_nonce] => {
                    self.plant([a, b, new_nonce].map(|number| number.parse().unwrap()));
                    String::new()
                }
                ["wipe"] => {
                    self.planted.lock().unwrap().clear();
                    String::new()
                }
                order => own(order),
            };
            dayfly_tests::answer(&format!("{ANSWER}{answer}"));
        }
    }

    /// Holds an a, a b, the key that they make and a new_nonce in every form. `numbers` are those of their draws.
    fn plant(&self, [a, b, new_nonce]: [u64; 3]) {
        scrubbed::<DEEP, _>(|| {
            let group = SafePrimeGroup::published();
            let draw = |seed, number| Exponent::draw(2048, &mut Again { seed, number }).unwrap();
            let (a, b) = (draw(SERVER_SEED, a), draw(CLIENT_SEED, b));
            let g_b = group.raise_generator(&[&b]).unwrap().remove(0).unwrap();
            let key = group.shared_keys(&[(&g_b, &a)]).unwrap().remove(0);
            let mut nonce = Zeroizing::new([0; 32]);
            write_draw(CLIENT_SEED, new_nonce, &mut *nonce);
            let mut planted = self.planted.lock().unwrap();
            for secret in [a.expose(), b.expose(), key.expose(), &*nonce] {
                planted.extend(forms(secret));
            }
        });
    }
}
