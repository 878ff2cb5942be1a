//! What a server and a client leave behind: nothing that opens what was said under a temporary key that has ended.
//!
//! Both run as processes of their own, made of the shipped libraries: tokio, real threads, exponents of 2048 bits, a real
//! store. Only their time and their randomness are scripted, so that the test can compute every secret of theirs. It
//! reads all of their memory and every file that they wrote, from outside.
//!
//! [`conversation`] tells the story; each test below looks at one side of what it found.
#![cfg(target_os = "linux")]

mod child;
mod control;
mod conversation;
mod forms;
mod needles;
mod process;
mod recorded;
mod relay;
mod script;
mod secrets;
mod written;

use dayfly_crypto::dh::SafePrimeGroup;
use dayfly_crypto::{AuthKey, Exponent};

use conversation::{Sides, Story, story};
use needles::Found;
use script::{Again, SERVER_SEED};

fn sees(found: &Found, names: &[&str]) {
    for name in names {
        assert!(found.contains_key(*name), "the scan does not see {name}: {found:#?}");
    }
}

/// What is left behind is told with its place: the map that it stands in, or the file.
fn sees_nothing(sides: &Sides) {
    assert_eq!(sides.server, Found::new(), "in the server");
    assert_eq!(sides.client, Found::new(), "in the client");
}

// rule: HS-29
#[test]
fn a_finished_exchange_leaves_nothing_of_its_secrets() {
    let story = story();
    sees(&story.held.server, &["a 0, wire order", "new_nonce 0, wire order", "new_nonce 1, wire order"]);
    sees(&story.held.client, &["new_nonce 0, wire order", "new_nonce 1, wire order", "key, wire order"]);
    sees_nothing(&story.finished);
}

#[test]
fn the_scan_finds_each_kind_of_secret_in_each_form() {
    for kind in ["a 0", "b 0", "new_nonce 0", "key"] {
        for form in forms::NAMES {
            let name = format!("{kind}, {form}");
            sees(&story().planted.server, &[&name]);
            sees(&story().planted.client, &[&name]);
        }
    }
}

// rule: PF-15
#[test]
fn a_temporary_key_is_gone_once_it_was_replaced_or_has_expired() {
    let story = story();
    for living in [&story.first_keys, &story.second_keys] {
        sees(&living.server, &["temp key, wire order"]);
        sees(&living.client, &["temp key, wire order", "perm key, wire order"]);
    }
    sees_nothing(&story.renewed);
    sees_nothing(&story.expired);
    sees(&story.last_keys.client, &["perm key, wire order"]);
    summarize(story);
}

// rule: PF-01
#[test]
fn no_file_holds_anything_of_a_temporary_key_or_an_exchange() {
    let files = &story().files;
    for (path, found) in files {
        // The client keeps its permanent key in the open, in a file of mode 0600: proof that the scan reads files.
        let expected: &[&str] =
            if path.ends_with(child::SESSION_FILE) { &["perm key, wire order"] } else { &[] };
        assert_eq!(found.keys().collect::<Vec<_>>(), expected, "{}", path.display());
    }
    for name in [child::SESSION_FILE, child::STORE_FILE, child::EVENT_FILE] {
        assert!(
            files.iter().any(|(path, _)| path.ends_with(name)),
            "{name} is not among the files: {files:?}"
        );
    }
}

/// Who recorded the conversation and takes everything that lasts gets as far as g_a and g_b, and no further: for g^ab he
/// lacks a or b, and of those nothing is left in either process or on either disk (which the tests above show; what
/// remains is a discrete logarithm).
// rule: PF-16
#[test]
fn the_long_term_secrets_do_not_open_a_recorded_conversation() {
    let story = story();
    let sealed = recorded::sealed(&story.conversations);
    let opened = |key: &AuthKey| sealed.iter().filter(|message| message.opens_with(key)).count();
    let by_temps: usize = story.keys.temps.iter().map(opened).sum();
    assert_eq!(by_temps, sealed.len(), "the recording is one of these keys");
    assert!(sealed.len() >= 8, "{} messages are no conversation", sealed.len());

    let stored = story.stored.as_ref().expect("the store has the permanent key");
    assert_eq!(stored.expose(), story.keys.perm.expose());
    assert_eq!(opened(stored), 0, "the permanent key opens nothing");

    let unlocked = recorded::unlock(&story.conversations, &dayfly_testkit::test_key());
    assert_eq!(unlocked.len(), 3, "the RSA key opens the outside of every exchange");
    for exchange in &unlocked {
        assert!(story.secrets.new_nonces.iter().any(|drawn| *drawn.bytes == exchange.new_nonce));
        for public in [&exchange.g_a, &exchange.g_b] {
            assert_eq!(
                opened(&AuthKey::copy_of(public[..].try_into().unwrap())),
                0,
                "a public value is no key"
            );
        }
    }
    assert_eq!(with_a(story, &unlocked, &opened), sealed.len(), "only a, or b, is missing");
    sees_nothing(&story.expired);
}

/// How many messages would open if each a were still to be had.
fn with_a(story: &Story, unlocked: &[recorded::Unlocked], opened: &impl Fn(&AuthKey) -> usize) -> usize {
    let group = SafePrimeGroup::published();
    let values = unlocked.iter().map(|exchange| (&exchange.g_a, &exchange.g_b));
    let keys = values.flat_map(|(g_a, g_b)| {
        let group = &group;
        story.secrets.a.iter().filter_map(move |drawn| {
            let a = Exponent::draw(2048, &mut Again { seed: SERVER_SEED, number: drawn.number }).unwrap();
            let is_of_this =
                group.raise_generator(&[&a]).unwrap()[0].as_ref().unwrap().bytes()[..] == g_a[..];
            let g_b = dayfly_crypto::dh::PublicValue::parse(g_b, group).unwrap();
            is_of_this.then(|| group.shared_keys(&[(&g_b, &a)]).unwrap().remove(0))
        })
    });
    keys.map(|key| opened(&key)).sum()
}

fn summarize(story: &Story) {
    let strace = if written::strace_works() { "as strace lists them" } else { "without strace" };
    dayfly_tests::tell(&format!(
        "memory: {} exchanges and 2 temporary keys ended; nothing of them in either process or in {} files ({strace}); \
         {:.1} s",
        story.secrets.a.len(),
        story.files.len(),
        story.took.as_secs_f64()
    ));
}
