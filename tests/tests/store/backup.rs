//! Permanent keys out of one store and into another.

use std::sync::Arc;

use dayfly_core::keys::requests::KeyRecord;
use dayfly_crypto::{AuthKey, AuthKeyId};
use dayfly_store::{
    BackupError, BackupReader, BackupWriter, Cost, EmbeddedStore, ImportError, Imported, Inserted, KeptKey,
    KeyStore, OsRandom, Passphrase, PlainKeys,
};
use zeroize::Zeroizing;

use crate::common::{Places, perm_made_at, same, wait};

/// Enough for a test: the real cost takes most of a second.
const CHEAP: Cost = Cost { memory: 64, passes: 1, lanes: 1 };
/// The clear part and the tag behind it.
const HEAD: usize = 12 + 4 + 12 + 16 + 19 + 16;
/// A full piece with its tag.
const PIECE: usize = 256 * 284 + 16;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::take(Zeroizing::new(text.to_owned())).unwrap()
}

fn key_of(number: u64) -> AuthKey {
    let mut bytes = [0; 256];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    AuthKey::take(&mut bytes)
}

fn record(number: u64) -> KeyRecord {
    let key = key_of(number);
    KeyRecord { id: key.id(), key: Arc::new(key), dc: -2, ..perm_made_at(number, 1000 + number) }
}

/// A store with so many keys, of which the even ones were used.
fn filled(places: &Places, count: u64) -> EmbeddedStore {
    let store = places.open().unwrap();
    let inserted = wait(store.insert((0..count).map(record).collect()));
    assert!(inserted.iter().all(|outcome| *outcome == Ok(Inserted::Stored)));
    let used: Vec<AuthKeyId> = (0..count).step_by(2).map(|number| key_of(number).id()).collect();
    wait(store.mark_used(&used, 5000)).unwrap();
    store
}

fn exported(store: &EmbeddedStore) -> Vec<u8> {
    let mut writer = BackupWriter::begin(Vec::new(), &passphrase("right"), CHEAP, &mut OsRandom).unwrap();
    for kept in store.kept(None, usize::MAX).unwrap() {
        writer.add(&kept).unwrap();
    }
    writer.finish().unwrap().0
}

fn import(bytes: &[u8], store: &mut EmbeddedStore) -> Result<Imported, ImportError> {
    let input = std::io::Cursor::new(bytes.to_vec());
    store.import(BackupReader::open(input, &passphrase("right"))?)
}

fn count(store: &EmbeddedStore) -> usize {
    wait(store.list(None, usize::MAX)).unwrap().len()
}

#[test]
fn what_was_exported_is_imported_whole() {
    // One key more than two pieces, two pieces, none.
    for keys in [513, 512, 0] {
        let (from, to) = (Places::new(), Places::new());
        let bytes = exported(&filled(&from, keys));
        let mut store = to.open().unwrap();
        assert_eq!(import(&bytes, &mut store).unwrap(), Imported { added: keys, present: 0 });
        let kept = store.kept(None, usize::MAX).unwrap();
        assert_eq!(kept.len() as u64, keys);
        for number in 0..keys {
            let own = kept.iter().find(|kept| kept.record.id == key_of(number).id()).unwrap();
            assert!(same(&own.record, &record(number)));
            assert_eq!(own.used_at, (number % 2 == 0).then_some(5000));
        }
        assert_eq!(import(&bytes, &mut store).unwrap(), Imported { added: 0, present: keys });
    }
}

// rule: PF-26
#[test]
fn an_imported_key_that_was_used_is_not_swept() {
    let (from, to) = (Places::new(), Places::new());
    let bytes = exported(&filled(&from, 4));
    let mut store = to.open().unwrap();
    import(&bytes, &mut store).unwrap();
    let mut swept = wait(store.sweep_unused(u64::MAX, 100)).unwrap();
    swept.sort_unstable();
    let mut never_used = [1, 3].map(|number| key_of(number).id());
    never_used.sort_unstable();
    assert_eq!(swept, never_used);
}

#[test]
fn an_export_holds_no_piece_of_a_key() {
    let places = Places::new();
    let bytes = exported(&filled(&places, 3));
    let key = key_of(2);
    assert!(!bytes.windows(8).any(|window| window == &key.expose()[..8]));
    assert!(!bytes.windows(8).any(|window| window == key.id().to_wire()));
}

#[test]
fn another_passphrase_opens_nothing() {
    let places = Places::new();
    let bytes = exported(&filled(&places, 3));
    let opened = BackupReader::open(bytes.as_slice(), &passphrase("wrong"));
    assert!(matches!(opened.err().unwrap(), BackupError::Passphrase));
    assert!(matches!(
        Passphrase::take(Zeroizing::new(String::new())).unwrap_err(),
        BackupError::EmptyPassphrase
    ));
}

#[test]
fn a_file_that_is_cut_short_is_named_and_changes_nothing() {
    let (from, to) = (Places::new(), Places::new());
    let bytes = exported(&filled(&from, 600));
    let mut store = to.open().unwrap();
    let borders = [HEAD, HEAD + PIECE, HEAD + 2 * PIECE];
    let around = borders.iter().flat_map(|border| border - 1..=border + 1);
    for len in around.chain([bytes.len() - 1]) {
        let error = import(&bytes[..len], &mut store).unwrap_err();
        let expected = match len {
            len if len < HEAD => matches!(error, ImportError::Source(BackupError::Passphrase)),
            len => {
                let after = ((len - HEAD) / PIECE * 256) as u64;
                matches!(error, ImportError::Source(BackupError::Altered { after: found }) if found <= after)
            }
        };
        assert!(expected, "{len}: {error}");
        assert_eq!(count(&store), 0, "{len}");
    }
    let error = import(&bytes[..20], &mut store).unwrap_err();
    assert!(matches!(error, ImportError::Source(BackupError::NotABackup)));
}

#[test]
fn a_change_anywhere_is_noticed_and_changes_nothing() {
    let (from, to) = (Places::new(), Places::new());
    let bytes = exported(&filled(&from, 300));
    let mut store = to.open().unwrap();
    for at in (0..HEAD).chain((HEAD..bytes.len()).step_by(1999)) {
        // Cost of Argon2id, its highest bytes: a test must not do what they ask for.
        let mut altered = bytes.clone();
        altered[at] ^= 0x80;
        let error = import(&altered, &mut store).unwrap_err();
        assert!(matches!(error, ImportError::Source(_)), "{at}: {error}");
        assert_eq!(count(&store), 0, "{at}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(import(&longer, &mut store).is_err());
    let pieces = &bytes[HEAD..];
    let exchanged = [&bytes[..HEAD], &pieces[PIECE..], &pieces[..PIECE]].concat();
    assert!(import(&exchanged, &mut store).is_err());
}

#[test]
fn a_newer_format_and_unreasonable_work_are_told_apart() {
    let places = Places::new();
    let bytes = exported(&filled(&places, 1));
    let refusal = |at: usize, value: u32| {
        let mut altered = bytes.clone();
        altered[at..at + 4].copy_from_slice(&value.to_le_bytes());
        BackupReader::open(altered.as_slice(), &passphrase("right")).err().unwrap()
    };
    assert!(matches!(refusal(12, 2), BackupError::NewerFormat { found: 2, known: 1 }));
    for (at, value) in [(16, u32::MAX), (16, 0), (20, 0), (20, 1000), (24, 0), (24, 1000)] {
        assert!(matches!(refusal(at, value), BackupError::Cost), "{at}: {value}");
    }
}

#[test]
fn another_key_under_a_taken_id_ends_the_import_and_nothing_of_it_is_there() {
    let (from, to) = (Places::new(), Places::new());
    let bytes = exported(&filled(&from, 300));
    let mut store = to.open().unwrap();
    let taken = key_of(7).id();
    let other = KeyRecord { id: taken, ..record(1_000_000) };
    assert_eq!(wait(store.insert(vec![other])), [Ok(Inserted::Stored)]);
    assert!(matches!(import(&bytes, &mut store).unwrap_err(), ImportError::Taken(id) if id == taken));
    assert_eq!(count(&store), 1);
}

fn plain(text: &str, store: &mut EmbeddedStore) -> Result<Imported, ImportError> {
    store.import(PlainKeys::new(std::io::Cursor::new(text.as_bytes().to_vec()), 9000))
}

fn line(number: u64) -> String {
    format!("{{\"key\": \"{}\", \"dc\": 2, \"created_at\": 17}}\n", hex::encode(key_of(number).expose()))
}

#[test]
fn plain_lines_are_taken_and_count_as_used() {
    let places = Places::new();
    let mut store = places.open().unwrap();
    let with_salt = line(2).replace("17}", "17, \"first_salt\": -5}");
    let text = format!("{}\n{with_salt}", line(1));
    assert_eq!(plain(&text, &mut store).unwrap(), Imported { added: 2, present: 0 });
    for KeptKey { record, used_at } in store.kept(None, 10).unwrap() {
        let salt = if record.id == key_of(2).id() { -5 } else { 0 };
        assert_eq!((record.dc, record.created_at, record.first_salt, used_at), (2, 17, salt, Some(9000)));
    }
    assert!(wait(store.sweep_unused(u64::MAX, 10)).unwrap().is_empty());
}

#[test]
fn a_plain_line_that_is_wrong_is_named_repeats_no_secret_and_changes_nothing() {
    let places = Places::new();
    let mut store = places.open().unwrap();
    let secret = hex::encode(key_of(2).expose());
    for (wrong, reason) in [
        (line(2).replace("17", &format!("\"{secret}\"")), "no object of key, dc and created_at"),
        (line(2).replace("\"dc\": 2, ", ""), "no object of key, dc and created_at"),
        (line(2).replace("17", "17, \"more\": 1"), "no object of key, dc and created_at"),
        (line(2).replace("17", "9001"), "created_at 9001 lies ahead"),
        (line(2).replace("0000\"", "000\""), "the key is not 512 hexadecimal digits"),
        (line(2).replace("0000\"", "000x\""), "the key is not 512 hexadecimal digits"),
        (format!("{}\n", "x".repeat(5000)), "longer than 4096 bytes"),
        ("\u{0}\n".to_owned(), "no object of key, dc and created_at"),
    ] {
        let said = plain(&format!("{}{wrong}", line(1)), &mut store).unwrap_err().to_string();
        assert!(said.starts_with(&format!("line 2: {reason}")), "{said}");
        assert!(!said.contains(&secret[..16]), "{said}");
        assert_eq!(count(&store), 0);
    }
}
