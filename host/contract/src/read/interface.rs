//! From the tools' arena of types to a contract: what interfaces export, and all types these use.

use std::collections::{BTreeMap, BTreeSet};

use wit_parser::{
    Docs, Handle, InterfaceId, Resolve, Type as WitType, TypeDefKind, TypeId, TypeOwner, WorldKey,
};

use crate::error::ContractError;
use crate::model::{
    Case, Contract, Definition, Field, Function, Interface, Label, NamedType, Type, TypeName,
};

/// How deeply types may nest: more than arguments may.
const MAX_DEPTH: usize = 100;

/// How many types one contract may have, each counted where it is written out.
const MAX_TYPES: usize = 100_000;

/// The one field of `avenire:types/values.timestamp`, by which the engine knows it.
const TIMESTAMP_FIELD: &str = "unix-micros";

/// The one field of `avenire:types/values.json`, by which the engine knows it.
const JSON_FIELD: &str = "json-text";

pub(super) struct Reader<'a> {
    resolve: &'a Resolve,
    /// Names of exported interfaces, which may have none of their own.
    exported: BTreeMap<InterfaceId, String>,
    contract: Contract,
    seen: BTreeSet<TypeName>,
    depth: usize,
    count: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(resolve: &'a Resolve, exported: &[(InterfaceId, String)]) -> Self {
        let names = exported.iter().cloned().collect();
        let interfaces =
            exported.iter().map(|(id, name)| empty(resolve, *id, name, true)).collect();
        let contract = Contract { interfaces };
        Self { resolve, exported: names, contract, seen: BTreeSet::new(), depth: 0, count: 0 }
    }

    pub(super) fn finish(self) -> Contract {
        self.contract
    }

    /// Reads the functions of an exported interface and all its own types, used or not.
    pub(super) fn exported(&mut self, id: InterfaceId, name: &str) -> Result<(), ContractError> {
        let Some(interface) = self.resolve.interfaces.get(id) else { return Ok(()) };
        for ty in interface.types.values() {
            // What is `use`d appears with those that need it.
            if !self.is_other_name(*ty) {
                self.ty(&WitType::Id(*ty))?;
            }
        }
        for function in interface.functions.values() {
            let params = function.params.iter();
            let params = params
                .map(|param| Ok((param.name.clone(), self.ty(&param.ty)?)))
                .collect::<Result<_, _>>()?;
            let result = function.result.as_ref().map(|ty| self.ty(ty)).transpose()?;
            let docs = text(&function.docs);
            let function = Function { name: function.name.clone(), docs, params, result };
            self.interface(name, Some(id)).functions.push(function);
        }
        Ok(())
    }

    /// Whether a type is another name for one that has a name.
    fn is_other_name(&self, id: TypeId) -> bool {
        let kind = self.resolve.types.get(id).map(|one| &one.kind);
        let Some(TypeDefKind::Type(WitType::Id(other))) = kind else { return false };
        self.resolve.types.get(*other).is_some_and(|other| other.name.is_some())
    }

    fn interface(&mut self, name: &str, id: Option<InterfaceId>) -> &mut Interface {
        let list = &mut self.contract.interfaces;
        let place = list.iter().position(|one| one.name == name).unwrap_or_else(|| {
            let new = id.map(|id| empty(self.resolve, id, name, false));
            list.push(new.unwrap_or_else(|| Interface {
                name: name.to_owned(),
                exported: false,
                docs: String::new(),
                package_docs: String::new(),
                functions: Vec::new(),
                types: Vec::new(),
            }));
            list.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the place was found, or made just now")]
        &mut list[place]
    }

    fn ty(&mut self, ty: &WitType) -> Result<Type, ContractError> {
        Ok(match ty {
            WitType::Bool => Type::Bool,
            WitType::U8 => Type::U8,
            WitType::U16 => Type::U16,
            WitType::U32 => Type::U32,
            WitType::U64 => Type::U64,
            WitType::S8 => Type::S8,
            WitType::S16 => Type::S16,
            WitType::S32 => Type::S32,
            WitType::S64 => Type::S64,
            WitType::F32 => Type::F32,
            WitType::F64 => Type::F64,
            WitType::Char => Type::Char,
            WitType::String => Type::String,
            WitType::ErrorContext => Type::Unsupported("error-context".to_owned()),
            WitType::Id(id) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(ContractError::TooDeep { maximum: MAX_DEPTH });
                }
                self.count += 1;
                if self.count > MAX_TYPES {
                    return Err(ContractError::TooManyTypes { maximum: MAX_TYPES });
                }
                let read = self.defined(*id)?;
                self.depth -= 1;
                read
            }
        })
    }

    fn defined(&mut self, id: TypeId) -> Result<Type, ContractError> {
        let resolve = self.resolve;
        let Some(one) = resolve.types.get(id) else {
            return Ok(Type::Unsupported("unknown".to_owned()));
        };
        let Some(name) = &one.name else { return self.anonymous(&one.kind) };
        match &one.kind {
            TypeDefKind::Type(other) if self.is_other_name(id) => return self.ty(other),
            TypeDefKind::Record(record) => {
                if let [field] = record.fields.as_slice() {
                    match (field.name.as_str(), field.ty) {
                        (TIMESTAMP_FIELD, WitType::S64) => return Ok(Type::Timestamp),
                        (JSON_FIELD, WitType::String) => return Ok(Type::Json),
                        (TIMESTAMP_FIELD | JSON_FIELD, _) => {
                            let what =
                                format!("the record {name} with the one field {}", field.name);
                            return Ok(Type::Unsupported(what));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        let (interface, owner) = self.owner(id);
        let key = TypeName { interface, name: name.clone() };
        if self.seen.insert(key.clone()) {
            let definition = self.definition(&one.kind)?;
            let named = NamedType { name: name.clone(), docs: text(&one.docs), definition };
            self.interface(&key.interface, owner).types.push(named);
        }
        Ok(Type::Named(key))
    }

    /// The name of what defines a type.
    fn owner(&self, id: TypeId) -> (String, Option<InterfaceId>) {
        match self.resolve.types.get(id).map(|one| one.owner) {
            Some(TypeOwner::Interface(id)) => {
                let name = self.exported.get(&id).cloned();
                let own = || self.resolve.name_world_key(&WorldKey::Interface(id));
                (name.unwrap_or_else(own), Some(id))
            }
            Some(TypeOwner::World(id)) => {
                (self.resolve.worlds.get(id).map_or_else(String::new, |one| one.name.clone()), None)
            }
            _ => (String::new(), None),
        }
    }

    fn anonymous(&mut self, kind: &TypeDefKind) -> Result<Type, ContractError> {
        let maybe = |reader: &mut Self, ty: &Option<WitType>| {
            ty.as_ref().map(|ty| reader.ty(ty).map(Box::new)).transpose()
        };
        Ok(match kind {
            TypeDefKind::Type(ty) => self.ty(ty)?,
            TypeDefKind::List(ty) => match self.ty(ty)? {
                element if *self.contract.behind(&element) == Type::U8 => Type::Bytes,
                element => Type::List(Box::new(element)),
            },
            TypeDefKind::Option(ty) => Type::Option(Box::new(self.ty(ty)?)),
            TypeDefKind::Tuple(tuple) => {
                Type::Tuple(tuple.types.iter().map(|ty| self.ty(ty)).collect::<Result<_, _>>()?)
            }
            TypeDefKind::Result(result) => {
                let ok = maybe(self, &result.ok)?;
                Type::Result { ok, err: maybe(self, &result.err)? }
            }
            TypeDefKind::Handle(Handle::Own(_) | Handle::Borrow(_)) => {
                Type::Unsupported("resource".to_owned())
            }
            other => Type::Unsupported(other.as_str().to_owned()),
        })
    }

    fn definition(&mut self, kind: &TypeDefKind) -> Result<Definition, ContractError> {
        Ok(match kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|one| {
                    let (name, docs) = (one.name.clone(), text(&one.docs));
                    Ok(Field { name, docs, ty: self.ty(&one.ty)? })
                });
                Definition::Record(fields.collect::<Result<_, ContractError>>()?)
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|one| {
                    let (name, docs) = (one.name.clone(), text(&one.docs));
                    let ty = one.ty.as_ref().map(|ty| self.ty(ty)).transpose()?;
                    Ok(Case { name, docs, ty })
                });
                Definition::Variant(cases.collect::<Result<_, ContractError>>()?)
            }
            TypeDefKind::Enum(names) => Definition::Enum(
                names.cases.iter().map(|one| label(&one.name, &one.docs)).collect(),
            ),
            TypeDefKind::Flags(names) => Definition::Flags(
                names.flags.iter().map(|one| label(&one.name, &one.docs)).collect(),
            ),
            TypeDefKind::Resource => Definition::Unsupported("resource".to_owned()),
            other => match self.anonymous(other)? {
                Type::Unsupported(what) => Definition::Unsupported(what),
                ty => Definition::Alias(ty),
            },
        })
    }
}

fn empty(resolve: &Resolve, id: InterfaceId, name: &str, exported: bool) -> Interface {
    let interface = resolve.interfaces.get(id);
    let package = interface.and_then(|one| resolve.packages.get(one.package?));
    Interface {
        name: name.to_owned(),
        exported,
        docs: interface.map_or_else(String::new, |one| text(&one.docs)),
        package_docs: package.map_or_else(String::new, |one| text(&one.docs)),
        functions: Vec::new(),
        types: Vec::new(),
    }
}

fn label(name: &str, docs: &Docs) -> Label {
    Label { name: name.to_owned(), docs: text(docs) }
}

/// Documentation without the white space around it, lines ended by line feeds.
fn text(docs: &Docs) -> String {
    let text = docs.contents.as_deref().unwrap_or_default();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}
