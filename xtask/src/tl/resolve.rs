//! Gives every definition its Rust name, and every field its kind.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use grammers_tl_parser::tl::{Parameter, ParameterType, Type};

use super::names::{field_name, type_name};
use super::schema::{Combinator, Field, Kind, Traits, Union};
use super::source::Line;

/// Which Rust name stands for what.
pub(crate) struct Names {
    /// Rust names of the combinators, in their order.
    structs: Vec<String>,
    /// Constructors of each type, by its TL name.
    types: BTreeMap<String, Vec<usize>>,
    /// Constructors by their TL name, for bare types.
    constructors: BTreeMap<String, usize>,
}

impl Names {
    pub(crate) fn of(lines: &[Line]) -> Result<Self> {
        let mut types: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut constructors = BTreeMap::new();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.function) {
            types.entry(line.definition.ty.to_string()).or_default().push(at);
            constructors.insert(line.definition.full_name(), at);
        }
        let mut taken = Taken::default();
        taken
            .rust
            .extend(types.iter().filter(|(tl, members)| is_union(tl, members)).map(|(tl, _)| type_name(tl)));
        let structs = lines.iter().map(|line| taken.struct_name(line)).collect::<Result<_>>()?;
        Ok(Self { structs, types, constructors })
    }

    pub(crate) fn combinator(&self, at: usize, line: &Line) -> Result<Combinator> {
        let definition = &line.definition;
        let mut fields = definition
            .params
            .iter()
            .map(|param| self.field(param).with_context(|| line.text.clone()))
            .collect::<Result<Vec<_>>>()?;
        join_sized_object(&mut fields);
        Ok(Combinator {
            line: line.text.clone(),
            tl: definition.full_name(),
            rust: self.structs[at].clone(),
            id: definition.id,
            fields,
            traits: Traits::default(),
        })
    }

    fn field(&self, param: &Parameter) -> Result<Field> {
        let (kind, flag) = match &param.ty {
            ParameterType::Flags => (Kind::Flags, None),
            ParameterType::Normal { ty, flag } => {
                (self.kind(ty)?, flag.as_ref().map(|flag| (field_name(&flag.name), flag.index as u32)))
            }
        };
        ensure!(kind != Kind::True || flag.is_some(), "true without a flag");
        Ok(Field { rust: field_name(&param.name), tl: param.to_string(), kind, flag })
    }

    fn kind(&self, ty: &Type) -> Result<Kind> {
        if ty.generic_ref {
            return Ok(Kind::Rest);
        }
        Ok(match (ty.name.as_str(), &ty.generic_arg) {
            ("int", None) => Kind::Int,
            ("long", None) => Kind::Long,
            ("double", None) => Kind::Double,
            ("int128", None) => Kind::Int128,
            ("int256", None) => Kind::Int256,
            ("bytes" | "string", None) => Kind::Bytes,
            ("true", None) => Kind::True,
            ("Bool", None) => Kind::Bool,
            ("Object", None) => Kind::Rest,
            (vector @ ("vector" | "Vector"), Some(item)) => self.vector(vector == "Vector", item)?,
            (_, None) => self.named(&ty.to_string())?,
            _ => bail!("no generic type but vector is known"),
        })
    }

    fn vector(&self, boxed: bool, item: &Type) -> Result<Kind> {
        Ok(match self.kind(item)? {
            Kind::Long => Kind::Longs { boxed },
            Kind::Rest | Kind::True => bail!("a vector of objects has no known end"),
            item => Kind::Vector { boxed, item: Box::new(item) },
        })
    }

    fn named(&self, tl: &str) -> Result<Kind> {
        let bare = tl.strip_prefix('%');
        if let Some(at) = self.constructors.get(tl) {
            return Ok(Kind::Named { rust: self.structs[*at].clone(), boxed: false });
        }
        let tl = bare.unwrap_or(tl);
        let rust = match self.types.get(tl).map(Vec::as_slice) {
            None => bail!("no constructor makes {tl}"),
            Some([only]) => self.structs[*only].clone(),
            Some(_) if bare.is_some() => bail!("%{tl} has several constructors"),
            Some(_) => type_name(tl),
        };
        Ok(Kind::Named { rust, boxed: bare.is_none() })
    }

    pub(crate) fn into_unions(self) -> Vec<Union> {
        let types = self.types.into_iter().filter(|(tl, members)| is_union(tl, members));
        types
            .map(|(tl, members)| {
                let rust = type_name(&tl);
                Union { tl, rust, members, traits: Traits::default(), recursive: false }
            })
            .collect()
    }
}

/// `Bool` is Rust's own.
fn is_union(tl: &str, members: &[usize]) -> bool {
    members.len() > 1 && tl != "Bool"
}

/// The Rust names given so far, and the TL names that have one.
#[derive(Default)]
struct Taken {
    rust: BTreeSet<String>,
    tl: BTreeSet<String>,
}

impl Taken {
    /// The name of a struct. A type of several constructors has the first claim to its name: a constructor of the
    /// same name is `...Plain`, a function `...Call`. Of combinators with one TL name, all but the first carry
    /// their id.
    fn struct_name(&mut self, line: &Line) -> Result<String> {
        let tl = line.definition.full_name();
        let name = type_name(&tl);
        let mut candidate = name.clone();
        if self.rust.contains(&candidate) {
            candidate += if line.function { "Call" } else { "Plain" };
        }
        if !self.tl.insert(tl) {
            candidate = format!("{name}{:08x}", line.definition.id);
        }
        ensure!(self.rust.insert(candidate.clone()), "no name is left for {}", line.text);
        Ok(candidate)
    }
}

/// `bytes:int body:Object` is an object and its length.
fn join_sized_object(fields: &mut Vec<Field>) {
    if let [.., length, object] = fields.as_mut_slice()
        && length.tl == "bytes:int"
        && object.kind == Kind::Rest
    {
        object.kind = Kind::SizedObject;
        object.tl = format!("{} {}", length.tl, object.tl);
        fields.remove(fields.len() - 2);
    }
}
