//! A schema file as the emitter wants it: every name resolved, every field of a known kind.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow, bail, ensure};
use grammers_tl_parser::tl::{Definition, Parameter, ParameterType, Type};

use super::names::{field_name, type_name};

/// One schema file.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) name: String,
    /// Of the line `// LAYER n`.
    pub(crate) layer: Option<i32>,
    /// Constructors and functions in their order.
    pub(crate) combinators: Vec<Combinator>,
    /// Types of several constructors, by their TL name.
    pub(crate) unions: Vec<Union>,
}

/// A constructor or function: one struct.
#[derive(Debug)]
pub(crate) struct Combinator {
    /// As in the schema, without the semicolon.
    pub(crate) line: String,
    pub(crate) tl: String,
    pub(crate) rust: String,
    pub(crate) id: u32,
    pub(crate) fields: Vec<Field>,
    pub(crate) traits: Traits,
}

/// A type of several constructors: one enum.
#[derive(Debug)]
pub(crate) struct Union {
    pub(crate) tl: String,
    pub(crate) rust: String,
    /// Indices of its constructors.
    pub(crate) members: Vec<usize>,
    pub(crate) traits: Traits,
    /// Whether a value may hold one of the same type.
    pub(crate) recursive: bool,
}

/// What the types of the fields make of the whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traits {
    pub(crate) borrows: bool,
    pub(crate) owns_list: bool,
    pub(crate) secret: bool,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) rust: String,
    /// As in the schema: `pq:bytes`.
    pub(crate) tl: String,
    pub(crate) kind: Kind,
    /// The flags field and the bit that tell whether it is there.
    pub(crate) flag: Option<(String, u32)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Flags,
    /// `true` behind a flag: the flag alone.
    True,
    Bool,
    Int,
    Long,
    Double,
    Int128,
    Int256,
    Bytes,
    Longs {
        boxed: bool,
    },
    /// `Object` or `!X`: the rest of what encloses it.
    Rest,
    /// The `body:Object` of a `message`; the field `bytes` in front of it is read and written with it.
    SizedObject,
    Vector {
        boxed: bool,
        item: Box<Kind>,
    },
    /// A struct or an enum.
    Named {
        rust: String,
        boxed: bool,
    },
}

/// Reads a schema file: one definition a line.
pub(crate) fn parse(name: &str, text: &str) -> Result<Schema> {
    let mut source = Source::default();
    for (number, line) in (1..).zip(text.lines()) {
        source.line(line).with_context(|| format!("line {number}"))?;
    }
    let names = Names::of(&source.lines)?;
    let combinators: Vec<Combinator> = source
        .lines
        .iter()
        .enumerate()
        .map(|(at, line)| names.combinator(at, line))
        .collect::<Result<_>>()?;
    let mut schema =
        Schema { name: name.to_owned(), layer: source.layer, combinators, unions: names.into_unions() };
    schema.derive_traits();
    Ok(schema)
}

impl Schema {
    fn derive_traits(&mut self) {
        for at in 0..self.combinators.len() {
            let mut kinds = Reached::default();
            kinds.combinator(self, at);
            self.combinators[at].traits = kinds.traits;
        }
        for at in 0..self.unions.len() {
            let mut kinds = Reached::default();
            kinds.union(self, at);
            self.unions[at].traits = kinds.traits;
            self.unions[at].recursive = kinds.cycle;
        }
    }
}

/// What is reached from a type through its fields.
#[derive(Default)]
struct Reached {
    traits: Traits,
    on_path: BTreeSet<String>,
    cycle: bool,
}

impl Reached {
    fn combinator(&mut self, schema: &Schema, at: usize) {
        schema.combinators[at].fields.iter().for_each(|field| self.kind(schema, &field.kind));
    }

    fn union(&mut self, schema: &Schema, at: usize) {
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

/// The definitions of a file, before names are resolved.
#[derive(Default)]
struct Source {
    layer: Option<i32>,
    in_functions: bool,
    lines: Vec<Line>,
}

struct Line {
    text: String,
    definition: Definition,
    function: bool,
}

impl Source {
    fn line(&mut self, line: &str) -> Result<()> {
        let line = line.trim();
        if let Some(layer) = line.strip_prefix("// LAYER ") {
            self.layer = Some(layer.parse().context("the layer is no number")?);
            return Ok(());
        }
        match line {
            "---functions---" => self.in_functions = true,
            "---types---" => self.in_functions = false,
            _ if line.is_empty() || line.starts_with("//") || is_built_in(line) => {}
            _ => self.definition(line)?,
        }
        Ok(())
    }

    fn definition(&mut self, line: &str) -> Result<()> {
        let text = line.strip_suffix(';').context("no semicolon at the end")?;
        let definition = text.parse().map_err(|error| anyhow!("{error:?}"))?;
        self.lines.push(Line { text: text.to_owned(), definition, function: self.in_functions });
        Ok(())
    }
}

/// What the hand-written half of the crate knows by itself.
fn is_built_in(line: &str) -> bool {
    ["int ?", "long ?", "double ?", "string ?", "vector", "int128 ", "int256 "]
        .iter()
        .any(|built_in| line.starts_with(built_in))
}

/// Which Rust name stands for what.
struct Names {
    /// Rust names of the combinators, in their order.
    structs: Vec<String>,
    /// Constructors of each type, by its TL name.
    types: BTreeMap<String, Vec<usize>>,
    /// Constructors by their TL name, for bare types.
    constructors: BTreeMap<String, usize>,
}

impl Names {
    fn of(lines: &[Line]) -> Result<Self> {
        let mut types: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut constructors = BTreeMap::new();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.function) {
            types.entry(line.definition.ty.to_string()).or_default().push(at);
            constructors.insert(line.definition.full_name(), at);
        }
        let mut taken: BTreeSet<String> =
            types.iter().filter(|(tl, members)| is_union(tl, members)).map(|(tl, _)| type_name(tl)).collect();
        let structs = lines.iter().map(|line| struct_name(line, &mut taken)).collect::<Result<_>>()?;
        Ok(Self { structs, types, constructors })
    }

    fn combinator(&self, at: usize, line: &Line) -> Result<Combinator> {
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

    fn into_unions(self) -> Vec<Union> {
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

/// The name of a struct. A type of several constructors has the first claim to its name: a constructor of the same
/// name is `...Plain`, a function `...Call`. Of several combinators with one name, all but the first carry their id.
fn struct_name(line: &Line, taken: &mut BTreeSet<String>) -> Result<String> {
    let name = type_name(&line.definition.full_name());
    let suffix = if line.function { "Call" } else { "Plain" };
    let id = line.definition.id;
    let candidates = [name.clone(), format!("{name}{suffix}"), format!("{name}{id:08x}")];
    let same_tl_name = taken.contains(&format!(" {}", line.definition.full_name()));
    let skip = usize::from(same_tl_name) * 2;
    let free = candidates.into_iter().skip(skip).find(|name| !taken.contains(name));
    let name = free.with_context(|| format!("no name left for {}", line.text))?;
    taken.insert(format!(" {}", line.definition.full_name()));
    taken.insert(name.clone());
    Ok(name)
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
