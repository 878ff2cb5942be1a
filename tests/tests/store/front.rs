//! `Keys`: both kinds behind one door.

use std::future::{Future, ready};

use dayfly_core::keys::requests::{
    BindOutcome, BindRequest, KeyRecord, Lifetime, StoreOutcome, StoreRequest, Ticket,
};
use dayfly_crypto::AuthKeyId;
use dayfly_store::{
    EmbeddedStore, Inserted, KeyStore, Keys, Listed, RamTempKeys, TempInsertion, TempKeys, TempLimits,
    Unavailable,
};

use crate::common::{Places, bind, ids, perm, same, temp, wait};

/// A place that cannot be asked.
struct Away;

fn away<T>() -> impl Future<Output = Result<T, Unavailable>> + Send
where
    T: Send,
{
    ready(Err(Unavailable::Closed))
}

impl KeyStore for Away {
    async fn insert(&self, records: Vec<KeyRecord>) -> Vec<Result<Inserted, Unavailable>> {
        records.iter().map(|_| Err(Unavailable::Closed)).collect()
    }

    async fn load(&self, ids: &[AuthKeyId]) -> Vec<Result<Option<KeyRecord>, Unavailable>> {
        ids.iter().map(|_| Err(Unavailable::Closed)).collect()
    }

    fn mark_used(&self, _: &[AuthKeyId], _: u64) -> impl Future<Output = Result<(), Unavailable>> + Send {
        away()
    }

    fn list(
        &self,
        _: Option<AuthKeyId>,
        _: usize,
    ) -> impl Future<Output = Result<Vec<Listed>, Unavailable>> + Send {
        away()
    }

    fn revoke(&self, _: AuthKeyId) -> impl Future<Output = Result<bool, Unavailable>> + Send {
        away()
    }

    fn sweep_unused(
        &self,
        _: u64,
        _: usize,
    ) -> impl Future<Output = Result<Vec<AuthKeyId>, Unavailable>> + Send {
        away()
    }
}

impl TempKeys for Away {
    fn insert(
        &self,
        _: KeyRecord,
        _: u64,
    ) -> impl Future<Output = Result<TempInsertion, Unavailable>> + Send {
        away()
    }

    fn find(
        &self,
        _: &[AuthKeyId],
        _: u64,
    ) -> impl Future<Output = Result<Vec<Option<KeyRecord>>, Unavailable>> + Send {
        away()
    }

    fn bind(&self, _: BindRequest, _: u64) -> impl Future<Output = Result<BindOutcome, Unavailable>> + Send {
        away()
    }

    fn drop_except(
        &self,
        _: AuthKeyId,
        _: &[AuthKeyId],
    ) -> impl Future<Output = Result<Vec<AuthKeyId>, Unavailable>> + Send {
        away()
    }

    fn end(&self, _: AuthKeyId) -> impl Future<Output = Result<Option<KeyRecord>, Unavailable>> + Send {
        away()
    }

    fn expire(&self, _: u64) -> impl Future<Output = Result<Vec<AuthKeyId>, Unavailable>> + Send {
        away()
    }
}

fn front(places: &Places) -> Keys<EmbeddedStore, RamTempKeys> {
    let limits = TempLimits { keys: 4, ..TempLimits::default() };
    Keys::new(places.open().unwrap(), RamTempKeys::new(limits))
}

fn ask<K: KeyStore, T: TempKeys>(keys: &Keys<K, T>, requests: Vec<StoreRequest>) -> Vec<StoreOutcome> {
    let numbered = (7..).map(Ticket).zip(requests).collect();
    let outcomes = wait(keys.perform(numbered, 1000));
    assert!(outcomes.iter().zip(7..).all(|((ticket, _), number)| ticket.0 == number), "in their order");
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn names(outcomes: &[StoreOutcome]) -> Vec<&'static str> {
    let name = |outcome: &StoreOutcome| match outcome {
        StoreOutcome::Found(record) if record.lifetime == Lifetime::Permanent => "found perm",
        StoreOutcome::Found(_) => "found temp",
        StoreOutcome::Missing => "missing",
        StoreOutcome::Inserted => "inserted",
        StoreOutcome::Taken => "taken",
        StoreOutcome::Refused => "refused",
        StoreOutcome::Bind(_) => "bind",
        StoreOutcome::Dropped(_) => "dropped",
        StoreOutcome::Destroyed(_) => "destroyed",
        StoreOutcome::Done => "done",
        StoreOutcome::Unavailable => "unavailable",
    };
    outcomes.iter().map(name).collect()
}

fn find(id: u64) -> StoreRequest {
    StoreRequest::Find(AuthKeyId(id))
}

#[test]
fn one_batch_of_everything_is_answered_in_its_order() {
    let places = Places::new();
    let keys = front(&places);
    let outcomes = ask(
        &keys,
        vec![
            find(1),
            StoreRequest::MarkUsed(AuthKeyId(1)),
            StoreRequest::Insert(perm(1)),
            StoreRequest::Bind(bind(2, 1)),
            StoreRequest::Insert(temp(2, 5000)),
            find(2),
            find(3),
            StoreRequest::DropTemp { perm: AuthKeyId(1), except: ids(&[2]) },
        ],
    );
    let expected = ["found perm", "done", "inserted", "bind", "inserted", "found temp", "missing", "dropped"];
    assert_eq!(names(&outcomes), expected);
    let StoreOutcome::Found(record) = &outcomes[0] else { unreachable!() };
    assert!(same(record, &perm(1)));
    assert_eq!(wait(keys.perm().list(None, 9)).unwrap()[0].used_at, Some(1000));
}

// rule: HS-25
#[test]
fn an_id_of_zero_is_taken() {
    let keys = Keys::new(Accepting, RamTempKeys::default());
    let outcomes = ask(&keys, vec![StoreRequest::Insert(perm(0)), StoreRequest::Insert(temp(0, 5000))]);
    assert_eq!(names(&outcomes), ["taken", "taken"]);
}

/// Keeps `first`, then tries two of the other kind, the one with its id first.
fn keep_then(first: KeyRecord, others: [KeyRecord; 2]) -> [Vec<&'static str>; 2] {
    let places = Places::new();
    let keys = front(&places);
    ask(&keys, vec![StoreRequest::Insert(first)]);
    let outcomes = ask(&keys, others.map(StoreRequest::Insert).into());
    [names(&outcomes), names(&ask(&keys, vec![find(1)]))]
}

// rule: HS-25
#[test]
fn an_id_that_a_temporary_key_has_is_taken_for_a_permanent_one() {
    let told = keep_then(temp(1, 5000), [perm(1), perm(2)]);
    assert_eq!(told, [vec!["taken", "inserted"], vec!["found temp"]]);
}

// rule: HS-25
#[test]
fn an_id_that_a_permanent_key_has_is_taken_for_a_temporary_one() {
    let told = keep_then(perm(1), [temp(1, 5000), temp(2, 5000)]);
    assert_eq!(told, [vec!["taken", "inserted"], vec!["found perm"]]);
}

// rule: HS-25
#[test]
fn a_permanent_id_is_taken_once() {
    let places = Places::new();
    let keys = front(&places);
    ask(&keys, vec![StoreRequest::Insert(perm(1))]);
    assert_eq!(names(&ask(&keys, vec![StoreRequest::Insert(perm(1))])), ["taken"]);
}

#[test]
fn of_two_kinds_in_one_batch_the_first_has_the_id() {
    let places = Places::new();
    let keys = front(&places);
    let outcomes = ask(&keys, vec![StoreRequest::Insert(temp(1, 5000)), StoreRequest::Insert(perm(1))]);
    assert_eq!(names(&outcomes), ["inserted", "taken"]);
    let outcomes = ask(&keys, vec![StoreRequest::Insert(perm(2)), StoreRequest::Insert(temp(2, 5000))]);
    assert_eq!(names(&outcomes), ["inserted", "taken"]);
}

// rule: HS-36
#[test]
fn a_store_that_cannot_be_asked_never_says_missing() {
    let keys = Keys::new(Away, RamTempKeys::default());
    let outcomes = ask(
        &keys,
        vec![
            find(1),
            StoreRequest::Insert(perm(1)),
            StoreRequest::Insert(temp(2, 5000)),
            StoreRequest::MarkUsed(AuthKeyId(1)),
        ],
    );
    assert_eq!(names(&outcomes), ["unavailable"; 4]);
    wait(keys.temp().insert(temp(3, 5000), 1000)).unwrap();
    assert_eq!(names(&ask(&keys, vec![find(3)])), ["found temp"], "a temporary key needs no disk");
}

#[test]
fn temporary_keys_that_cannot_be_asked_make_everything_unavailable() {
    let places = Places::new();
    let keys = Keys::new(places.open().unwrap(), Away);
    let outcomes = ask(
        &keys,
        vec![
            find(1),
            StoreRequest::Insert(perm(1)),
            StoreRequest::Insert(temp(2, 5000)),
            StoreRequest::Bind(bind(2, 1)),
            StoreRequest::DropTemp { perm: AuthKeyId(1), except: Vec::new() },
        ],
    );
    assert_eq!(names(&outcomes), ["unavailable"; 5]);
    assert!(wait(keys.expire(1)).is_err());
}

// rule: PF-25
#[test]
fn what_made_room_is_told_with_what_expired() {
    let places = Places::new();
    let keys = front(&places);
    let inserts = (1..=5).map(|id| StoreRequest::Insert(temp(id, 1000 + 100 * id))).collect();
    assert_eq!(names(&ask(&keys, inserts)), ["inserted"; 5]);
    assert_eq!(wait(keys.expire(1200)).unwrap(), ids(&[1, 2]));
    assert_eq!(wait(keys.expire(1200)).unwrap(), []);
    assert_eq!(names(&ask(&keys, vec![find(1), find(3)])), ["missing", "found temp"]);
}

#[test]
fn an_abandoned_insertion_gives_its_id_back() {
    let keys = Keys::new(Hanging, RamTempKeys::default());
    let request = vec![(Ticket(1), StoreRequest::Insert(perm(1)))];
    wait(async {
        let call = keys.perform(request, 1000);
        assert!(tokio::time::timeout(std::time::Duration::ZERO, call).await.is_err());
    });
    let outcomes = ask(&keys, vec![StoreRequest::Insert(temp(1, 5000))]);
    assert_eq!(names(&outcomes), ["inserted"]);
}

/// Takes every permanent key without a look at it.
struct Accepting;
/// Never answers an insertion.
struct Hanging;

macro_rules! only_insert {
    ($name:ident, $records:ident, $insert:expr) => {
        impl KeyStore for $name {
            async fn insert(&self, $records: Vec<KeyRecord>) -> Vec<Result<Inserted, Unavailable>> {
                $insert
            }

            async fn load(&self, ids: &[AuthKeyId]) -> Vec<Result<Option<KeyRecord>, Unavailable>> {
                ids.iter().map(|_| Ok(None)).collect()
            }

            async fn mark_used(&self, _: &[AuthKeyId], _: u64) -> Result<(), Unavailable> {
                Ok(())
            }

            async fn list(&self, _: Option<AuthKeyId>, _: usize) -> Result<Vec<Listed>, Unavailable> {
                Ok(Vec::new())
            }

            async fn revoke(&self, _: AuthKeyId) -> Result<bool, Unavailable> {
                Ok(false)
            }

            async fn sweep_unused(&self, _: u64, _: usize) -> Result<Vec<AuthKeyId>, Unavailable> {
                Ok(Vec::new())
            }
        }
    };
}

only_insert!(Accepting, records, records.iter().map(|_| Ok(Inserted::Stored)).collect());
only_insert!(Hanging, _records, std::future::pending().await);

// rule: MS-17
#[test]
fn a_destroyed_permanent_key_takes_its_temporary_keys_along_and_never_comes_back() {
    let places = Places::new();
    let keys = front(&places);
    ask(&keys, vec![StoreRequest::Insert(perm(1)), StoreRequest::Insert(perm(9))]);
    ask(&keys, [2, 3, 4].map(|id| StoreRequest::Insert(temp(id, 5000))).into());
    let binds = [(2, 1), (3, 1), (4, 9)].map(|(temp, perm)| BindRequest { capacity: 9, ..bind(temp, perm) });
    ask(&keys, binds.map(StoreRequest::Bind).into());
    let destroyed = ask(&keys, vec![StoreRequest::Destroy(AuthKeyId(1))]);
    assert!(matches!(&destroyed[..], [StoreOutcome::Destroyed(ended)] if *ended == ids(&[2, 3])));
    let left = ask(&keys, [1, 2, 3, 4, 9].map(find).into());
    assert_eq!(names(&left), ["missing", "missing", "missing", "found temp", "found perm"]);
    assert_eq!(names(&ask(&keys, vec![StoreRequest::Destroy(AuthKeyId(1))])), ["missing"]);
    drop(keys);
    assert_eq!(
        names(&ask(&front(&places), vec![find(1), find(9)])),
        ["missing", "found perm"],
        "after a start"
    );
}

// rule: MS-17
#[test]
fn an_unbound_key_is_destroyed_alone() {
    let places = Places::new();
    let keys = front(&places);
    ask(&keys, vec![StoreRequest::Insert(perm(1)), StoreRequest::Insert(temp(2, 5000))]);
    let destroyed = ask(&keys, vec![StoreRequest::Destroy(AuthKeyId(2))]);
    assert!(matches!(&destroyed[..], [StoreOutcome::Destroyed(ended)] if *ended == ids(&[2])));
    assert_eq!(names(&ask(&keys, vec![find(1), find(2)])), ["found perm", "missing"]);
}

// rule: MS-17
#[test]
fn nothing_is_bound_to_a_permanent_key_that_was_destroyed_meanwhile() {
    let places = Places::new();
    let keys = front(&places);
    ask(&keys, vec![StoreRequest::Insert(perm(1)), StoreRequest::Insert(temp(2, 5000))]);
    ask(&keys, vec![StoreRequest::Destroy(AuthKeyId(1))]);
    let late = ask(&keys, vec![StoreRequest::Bind(bind(2, 1))]);
    assert!(matches!(late[..], [StoreOutcome::Bind(BindOutcome::PermGone)]));
    assert_eq!(names(&ask(&keys, vec![find(2)])), ["missing"]);
}
