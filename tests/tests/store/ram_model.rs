//! `RamTempKeys` against a model that keeps a plain list and looks through all of it.

use dayfly_core::keys::requests::{BindOutcome, BindRequest, Lifetime};
use dayfly_crypto::AuthKeyId;
use dayfly_store::{Inserted, RamTempKeys, TempKeys, TempLimits};
use proptest::prelude::*;

use crate::common::{temp_of_dc, wait};

const ROOM: usize = 6;
const UNBOUND: u64 = 40;

#[derive(Clone, Debug)]
enum Step {
    Insert { id: u64, dc: i32, life: u64 },
    Bind { temp: u64, perm: u64, life: u64, capacity: usize },
    DropExcept { perm: u64, except: u64 },
    End(u64),
    Find(u64),
    Expire,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..10_u64, -1..2_i32, 0..90_u64).prop_map(|(id, dc, life)| Step::Insert { id, dc, life }),
        4 => (1..10_u64, 1..3_u64, 1..90_u64, 1..3_usize)
            .prop_map(|(temp, perm, life, capacity)| Step::Bind { temp, perm, life, capacity }),
        1 => (1..3_u64, 1..10_u64).prop_map(|(perm, except)| Step::DropExcept { perm, except }),
        1 => (1..10_u64).prop_map(Step::End),
        2 => (1..10_u64).prop_map(Step::Find),
        1 => Just(Step::Expire),
        2 => (1..30_u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..80)
}

#[derive(Clone, Debug)]
struct Known {
    id: u64,
    dc: i32,
    created_at: u64,
    expires_at: u64,
    bound_to: Option<u64>,
    turn: usize,
}

impl Known {
    fn ends_at(&self) -> u64 {
        match self.bound_to {
            Some(_) => self.expires_at,
            None => self.expires_at.min(self.created_at + UNBOUND),
        }
    }
}

#[derive(Default)]
struct Model {
    keys: Vec<Known>,
    turns: usize,
}

impl Model {
    fn turn(&mut self) -> usize {
        self.turns += 1;
        self.turns
    }

    fn remove(&mut self, id: u64) {
        self.keys.retain(|key| key.id != id);
    }

    fn remove_all(&mut self, mut gone: Vec<Known>) -> Vec<u64> {
        gone.sort_by_key(|key| key.turn);
        gone.iter().for_each(|key| self.remove(key.id));
        gone.iter().map(|key| key.id).collect()
    }

    fn insert(&mut self, id: u64, dc: i32, life: u64, now: u64) -> (Inserted, Vec<u64>) {
        if life == 0 {
            return (Inserted::Refused, Vec::new());
        }
        if self.keys.iter().any(|key| key.id == id && key.ends_at() > now) {
            return (Inserted::Taken, Vec::new());
        }
        self.remove(id);
        let mut evicted = Vec::new();
        while self.keys.len() >= ROOM {
            let oldest = self.keys.iter().min_by_key(|key| (key.bound_to.is_some(), key.turn)).unwrap().id;
            self.remove(oldest);
            evicted.push(oldest);
        }
        let turn = self.turn();
        let expires_at = now + life;
        self.keys.push(Known { id, dc, created_at: now, expires_at, bound_to: None, turn });
        (Inserted::Stored, evicted)
    }

    fn bind(&mut self, temp: u64, perm: u64, end: u64, capacity: usize, now: u64) -> Option<Vec<u64>> {
        let turn = self.turns + 1;
        let key = self.keys.iter_mut().find(|key| key.id == temp && key.ends_at() > now)?;
        if key.bound_to.is_some() {
            return None;
        }
        (key.bound_to, key.expires_at, key.turn) = (Some(perm), key.expires_at.min(end), turn);
        let dc = key.dc;
        self.turns = turn;
        let mut slot: Vec<Known> = self.keys.clone();
        slot.retain(|key| key.bound_to == Some(perm) && key.dc == dc);
        slot.sort_by_key(|key| key.turn);
        slot.truncate(slot.len().saturating_sub(capacity));
        Some(self.remove_all(slot))
    }

    fn drop_except(&mut self, perm: u64, except: u64) -> Vec<u64> {
        let mut gone = self.keys.clone();
        gone.retain(|key| key.bound_to == Some(perm) && key.id != except);
        self.remove_all(gone)
    }

    fn expire(&mut self, now: u64) -> Vec<u64> {
        let mut gone = self.keys.clone();
        gone.retain(|key| key.ends_at() <= now);
        gone.sort_by_key(|key| (key.ends_at(), key.id));
        gone.iter().for_each(|key| self.remove(key.id));
        gone.into_iter().map(|key| key.id).collect()
    }

    fn find(&self, id: u64, now: u64) -> Option<&Known> {
        self.keys.iter().find(|key| key.id == id && key.ends_at() > now)
    }
}

fn numbers(ids: Vec<AuthKeyId>) -> Vec<u64> {
    ids.into_iter().map(|id| id.0).collect()
}

fn agree(real: &RamTempKeys, model: &mut Model, step: &Step, now: u64) {
    match *step {
        Step::Insert { id, dc, life } => {
            let lifetime = Lifetime::Temporary { expires_at: now + life };
            let mut record = temp_of_dc(id, dc);
            (record.lifetime, record.created_at) = (lifetime, now);
            let insertion = wait(real.insert(record, now)).unwrap();
            let told = (insertion.outcome, numbers(insertion.evicted));
            assert_eq!(told, model.insert(id, dc, life, now));
        }
        Step::Bind { temp, perm, life, capacity } => {
            let (temp_id, perm_id) = (AuthKeyId(temp), AuthKeyId(perm));
            let request = BindRequest { temp: temp_id, perm: perm_id, expires_at: now + life, capacity };
            let bound_to = model.find(temp, now).map(|key| key.bound_to);
            let outcome = wait(real.bind(request, now)).unwrap();
            match (outcome, model.bind(temp, perm, now + life, capacity, now)) {
                (BindOutcome::Bound { replaced }, Some(expected)) => assert_eq!(numbers(replaced), expected),
                (BindOutcome::AlreadyBound, None) => assert_eq!(bound_to, Some(Some(perm))),
                (BindOutcome::BoundElsewhere, None) => assert_eq!(bound_to, Some(Some(3 - perm))),
                (BindOutcome::NoSuchKey, None) => assert_eq!(bound_to, None),
                (outcome, expected) => panic!("{outcome:?}, where the model has {expected:?}"),
            }
        }
        Step::DropExcept { perm, except } => {
            let dropped = wait(real.drop_except(AuthKeyId(perm), &[AuthKeyId(except)])).unwrap();
            assert_eq!(numbers(dropped), model.drop_except(perm, except));
        }
        Step::End(id) => {
            let there = model.keys.iter().any(|key| key.id == id);
            assert_eq!(wait(real.end(AuthKeyId(id))).unwrap().is_some(), there);
            model.remove(id);
        }
        Step::Find(id) => {
            let found = wait(real.find(&[AuthKeyId(id)], now)).unwrap().remove(0);
            let found = found.map(|record| (record.lifetime, record.bound_to.map(|perm| perm.0)));
            let end = |key: &Known| Lifetime::Temporary { expires_at: key.expires_at };
            assert_eq!(found, model.find(id, now).map(|key| (end(key), key.bound_to)));
        }
        Step::Expire => assert_eq!(numbers(wait(real.expire(now)).unwrap()), model.expire(now)),
        Step::Pass(_) => {}
    }
    assert_eq!(real.len(), model.keys.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_agrees_with_a_plain_list(steps in steps()) {
        let limits = TempLimits { keys: ROOM, unbound_seconds: UNBOUND, ..TempLimits::default() };
        let (real, mut model) = (RamTempKeys::new(limits), Model::default());
        let mut now = 1000;
        for step in &steps {
            if let Step::Pass(seconds) = step {
                now += seconds;
            }
            agree(&real, &mut model, step, now);
        }
    }
}
