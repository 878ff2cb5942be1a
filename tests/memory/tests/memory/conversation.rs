//! The story: two keys are made and bound, a call is made, the temporary key is renewed, the next one expires.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use dayfly_crypto::AuthKey;
use dayfly_server::OsRandom;
use dayfly_store::{EmbeddedStore, KeyStore as _, SealingSource};

use crate::child::{CLIENT, SEALING_DIRECTORY, SERVER, STORE_FILE};
use crate::control::Process;
use crate::needles::{Found, Named, Needles};
use crate::relay::{Conversation, Gate, Relay};
use crate::script::parse_log;
use crate::secrets::Secrets;
use crate::written;

/// What was found in each process.
#[derive(Debug)]
pub(crate) struct Sides {
    pub(crate) server: Found,
    pub(crate) client: Found,
}

impl Sides {
    fn are_empty(&self) -> bool {
        self.server.is_empty() && self.client.is_empty()
    }
}

/// What the story found out.
pub(crate) struct Story {
    /// In the middle of the first two exchanges: of their secrets, and of every key that could come of them.
    pub(crate) held: Sides,
    /// Once both are finished: of their secrets.
    pub(crate) finished: Sides,
    /// At the same time: of the first temporary key and the permanent key.
    pub(crate) first_keys: Sides,
    /// While each process holds one secret of each kind in each form: of these.
    pub(crate) planted: Sides,
    /// After the renewal: of the first temporary key and of all exchanges.
    pub(crate) renewed: Sides,
    /// At the same time: of the second temporary key and the permanent key.
    pub(crate) second_keys: Sides,
    /// After the second temporary key expired: of both and of all exchanges.
    pub(crate) expired: Sides,
    /// At the same time: of the permanent key.
    pub(crate) last_keys: Sides,
    /// Each file that the processes wrote, and what it holds of all this.
    pub(crate) files: Vec<(PathBuf, Found)>,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) secrets: Secrets,
    pub(crate) keys: StoryKeys,
    /// The permanent key as the server's file and its sealing key give it.
    pub(crate) stored: Option<AuthKey>,
    pub(crate) took: Duration,
}

pub(crate) struct StoryKeys {
    pub(crate) perm: AuthKey,
    pub(crate) temps: [AuthKey; 2],
}

/// The story, told once for all tests.
pub(crate) fn story() -> &'static Story {
    static STORY: LazyLock<Story> = LazyLock::new(tell);
    &STORY
}

/// The life of a temporary key, in seconds.
const LIFE: u64 = 86_400;
/// Later than the client renews, earlier than the key ends.
const UNTIL_RENEWAL: u64 = 83_000;
/// More than a server lets a replaced key answer.
const GRACE: u64 = 15;

/// How long a slow machine may take for anything here.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long what has ended is given to go away: timers are looked at once a second.
const SETTLES: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(200);

fn tell() -> Story {
    let begun = Instant::now();
    let directory = tempfile::tempdir().unwrap();
    let mut scene = Scene::begin(directory.path());

    scene.relay.wait_until_held(2);
    let early = scene.secrets();
    let possible = early.keys();
    let held = scene.scan_until_client_has("key, wire order", &with(early.named(), "key", &possible));

    scene.relay.set(Gate::Open);
    let [first, perm] = scene.wait_for_binding(1).map(|id| key(&possible, &id));
    scene.client.order("call");
    let finished = scene.scan_settled(&early.named());
    let first_keys = scene.scan(&living(&first, &perm));
    let planted = scene.scan_planted(&early, &possible);

    scene.both(&format!("skip {UNTIL_RENEWAL}"));
    let [second, _] = scene.wait_for_binding(2);
    scene.client.order("call");
    scene.both(&format!("skip {GRACE}"));
    let secrets = scene.secrets();
    let second = key(&secrets.keys(), &second);
    let renewed = scene.scan_settled(&with(secrets.named(), "temp key", [&first]));
    let second_keys = scene.scan(&living(&second, &perm));

    scene.relay.set(Gate::NoMore);
    scene.both(&format!("skip {LIFE}"));
    let expired = scene.scan_settled(&with(secrets.named(), "temp key", [&first, &second]));
    let last_keys = scene.scan(&with(Vec::new(), "perm key", [&perm]));

    scene.client.end();
    scene.server.end();
    let everything = with(with(secrets.named(), "temp key", [&first, &second]), "perm key", [&perm]);
    Story {
        held,
        finished,
        first_keys,
        planted,
        renewed,
        second_keys,
        expired,
        last_keys,
        files: scan_files(directory.path(), &Needles::new(&everything)),
        conversations: scene.relay.conversations(),
        stored: from_store(&directory.path().join("server"), &perm),
        secrets,
        keys: StoryKeys { perm, temps: [first, second] },
        took: begun.elapsed(),
    }
}

/// The two processes, and what stands between them.
struct Scene {
    server: Process,
    client: Process,
    relay: Relay,
}

impl Scene {
    /// The client has begun to connect; both its exchanges will wait at the gate.
    fn begin(directory: &Path) -> Self {
        let start = |name, variable: &str| {
            let own = directory.join(name);
            fs::create_dir(&own).unwrap();
            Process::start(&format!("child::{name}_process"), variable, &own, &log(directory, name))
        };
        let (mut server, mut client) = (start("server", SERVER), start("client", CLIENT));
        let relay = Relay::start(server.order("address").parse().unwrap(), Gate::BeforeClientParams);
        client.order(&format!("connect {}", relay.address));
        Self { server, client, relay }
    }

    /// What both have drawn so far.
    fn secrets(&mut self) -> Secrets {
        let (server, client) = (self.server.order("draws"), self.client.order("draws"));
        Secrets::of(&parse_log(&server), &parse_log(&client))
    }

    fn both(&mut self, order: &str) {
        self.server.order(order);
        self.client.order(order);
    }

    fn scan(&self, secrets: &Named<'_>) -> Sides {
        self.scan_until(secrets, Duration::ZERO, |_| true)
    }

    /// Scans until nothing is found, or what is found has had its time to go away.
    fn scan_settled(&self, secrets: &Named<'_>) -> Sides {
        self.scan_until(secrets, SETTLES, Sides::are_empty)
    }

    fn scan_until_client_has(&self, name: &str, secrets: &Named<'_>) -> Sides {
        self.scan_until(secrets, PATIENCE, |sides| sides.client.contains_key(name))
    }

    fn scan_until(
        &self,
        secrets: &Named<'_>,
        patience: Duration,
        is_right: impl Fn(&Sides) -> bool,
    ) -> Sides {
        let (needles, until) = (Needles::new(secrets), Instant::now() + patience);
        loop {
            let sides = Sides { server: self.server.scan(&needles), client: self.client.scan(&needles) };
            if is_right(&sides) || Instant::now() >= until {
                return sides;
            }
            thread::sleep(LOOK);
        }
    }

    /// Has both processes hold one secret of each kind in each form, and scans them.
    fn scan_planted(&mut self, secrets: &Secrets, possible: &[AuthKey]) -> Sides {
        let [a, b, nonce] = [&secrets.a, &secrets.b, &secrets.new_nonces].map(|drawn| drawn[0].number);
        self.both(&format!("plant {a} {b} {nonce}"));
        let planted = self.scan(&with(secrets.named(), "key", &possible[..1]));
        self.both("wipe");
        planted
    }

    /// Waits for binding `number`, counted from 1: the ids of the temporary and of the permanent key.
    fn wait_for_binding(&mut self, number: usize) -> [String; 2] {
        let until = Instant::now() + PATIENCE;
        loop {
            let bound = self.client.order("bound");
            if let Some((temp, perm)) = bound.split(' ').nth(number - 1).and_then(|ids| ids.split_once('-')) {
                return [temp.to_owned(), perm.to_owned()];
            }
            assert!(Instant::now() < until, "temporary key {number} is not bound in time");
            thread::sleep(LOOK);
        }
    }
}

/// The secrets and these keys, all under one name.
fn with<'a>(mut secrets: Named<'a>, name: &str, keys: impl IntoIterator<Item = &'a AuthKey>) -> Named<'a> {
    secrets.extend(keys.into_iter().map(|key| (name.to_owned(), key.expose().as_slice())));
    secrets
}

fn living<'a>(temp: &'a AuthKey, perm: &'a AuthKey) -> Named<'a> {
    with(with(Vec::new(), "temp key", [temp]), "perm key", [perm])
}

/// The one of `keys` that the client named.
fn key(keys: &[AuthKey], id: &str) -> AuthKey {
    let named = keys.iter().find(|key| key.id().to_string() == id);
    AuthKey::copy_of(named.expect("every key follows from the seeds").expose())
}

fn log(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.strace"))
}

/// Every file that strace saw a process write, and every one in the directories of the two.
fn scan_files(directory: &Path, needles: &Needles) -> Vec<(PathBuf, Found)> {
    let mut files = BTreeSet::new();
    for name in ["server", "client"] {
        files.extend(written::below(&directory.join(name)));
        if written::strace_works() {
            let log = fs::read_to_string(log(directory, name)).unwrap();
            files.extend(written::in_log(&log));
        }
    }
    // Devices and what was renamed away hold nothing.
    files.retain(|path| path.is_file());
    let scan = |path: PathBuf| {
        let mut found = Found::new();
        needles.find(&fs::read(&path).unwrap(), &mut found, |offset| format!("at byte {offset}"));
        (path, found)
    };
    files.into_iter().map(scan).collect()
}

/// What a thief finds who takes the server's disk, the sealing key included.
fn from_store(directory: &Path, perm: &AuthKey) -> Option<AuthKey> {
    let sealing = SealingSource::Directory(directory.join(SEALING_DIRECTORY));
    let store = EmbeddedStore::open(&directory.join(STORE_FILE), &sealing, Box::new(OsRandom)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let loaded = runtime.block_on(store.load(&[perm.id()])).remove(0).unwrap();
    loaded.map(|record| AuthKey::copy_of(record.key.expose()))
}
