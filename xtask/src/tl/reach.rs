//! What a type contains, through however many others.

use std::collections::BTreeSet;

use super::schema::{Kind, Schema, Traits};

/// What is reached from a type through its fields.
#[derive(Default)]
pub(crate) struct Reached {
    pub(crate) traits: Traits,
    on_path: BTreeSet<String>,
    /// Whether a type was reached from itself.
    pub(crate) cycle: bool,
}

impl Reached {
    pub(crate) fn combinator(&mut self, schema: &Schema, at: usize) {
        schema.combinators[at].fields.iter().for_each(|field| self.kind(schema, &field.kind));
    }

    pub(crate) fn union(&mut self, schema: &Schema, at: usize) {
        let union = &schema.unions[at];
        if !self.on_path.insert(union.rust.clone()) {
            self.cycle = true;
            return;
        }
        union.members.iter().for_each(|member| self.combinator(schema, *member));
        self.on_path.remove(&union.rust);
    }

    fn kind(&mut self, schema: &Schema, kind: &Kind) {
        match kind {
            Kind::Bytes | Kind::Rest | Kind::SizedObject => self.traits.borrows = true,
            Kind::Int256 => {
                self.traits.borrows = true;
                self.traits.secret = true;
            }
            Kind::Longs { .. } => {
                self.traits.borrows = true;
                self.traits.owns_list = true;
            }
            Kind::Vector { item, .. } => {
                self.traits.owns_list = true;
                self.kind(schema, item);
            }
            Kind::Named { rust, .. } => self.named(schema, rust),
            Kind::Flags | Kind::True | Kind::Bool | Kind::Int | Kind::Long | Kind::Double | Kind::Int128 => {}
        }
    }

    fn named(&mut self, schema: &Schema, rust: &str) {
        if let Some(at) = schema.unions.iter().position(|union| union.rust == rust) {
            self.union(schema, at);
        } else if let Some(at) = schema.combinators.iter().position(|combinator| combinator.rust == rust) {
            self.combinator(schema, at);
        }
    }
}
