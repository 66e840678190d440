//! What a slot promises its callers: the functions of its contract, with their types written out.
//!
//! Owns the comparison of a component with that promise. Never runs anything.

#![expect(clippy::indexing_slicing, reason = "ids are looked up in the arena that made them")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use avenire_engine::is_compatible;
use wit_component::DecodedWasm;
use wit_parser::{Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, WorldItem};
use wit_parser::{UnresolvedPackageGroup, WorldKey};

use crate::signatures::primitive;

/// The functions of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contract {
    /// Parameters and result, by name.
    functions: BTreeMap<String, String>,
}

impl Contract {
    /// What a component exports as `interface`, or as a later version of its track. None when it
    /// does not export that.
    pub(crate) fn of_component(bytes: &[u8], interface: &str) -> Result<Option<Self>, String> {
        let decoded = wit_component::decode(bytes).map_err(|error| format!("{error:#}"))?;
        let DecodedWasm::Component(resolve, world) = decoded else { return Ok(None) };
        for (key, item) in &resolve.worlds[world].exports {
            let WorldItem::Interface { id, .. } = item else { continue };
            if is_compatible(&resolve.name_world_key(key), interface) {
                return Ok(Some(Self::of_interface(&resolve, *id)));
            }
        }
        Ok(None)
    }

    /// What the WIT packages below a folder say of `interface`; one folder a package. None when none
    /// of them has it.
    pub(crate) fn of_folder(folder: &Path, interface: &str) -> Result<Option<Self>, String> {
        let mut folders = Vec::new();
        packages(folder, &mut folders).map_err(|error| error.to_string())?;
        let mut groups = Vec::new();
        for folder in folders {
            let group = UnresolvedPackageGroup::parse_dir(&folder);
            groups.push(group.map_err(|error| format!("{error:#}"))?);
        }
        let Some(last) = groups.pop() else { return Ok(None) };
        let mut resolve = Resolve::default();
        resolve.push_groups(last, groups).map_err(|error| error.to_string())?;
        let mut ids = resolve.interfaces.iter().map(|(id, _)| id);
        let wanted = ids.find(|&id| {
            let name = resolve.name_world_key(&WorldKey::Interface(id));
            is_compatible(&name, interface)
        });
        Ok(wanted.map(|id| Self::of_interface(&resolve, id)))
    }

    fn of_interface(resolve: &Resolve, id: InterfaceId) -> Self {
        let functions = resolve.interfaces[id].functions.iter();
        let functions = functions.map(|(name, one)| (name.clone(), shape(resolve, one))).collect();
        Self { functions }
    }

    /// What of this promise `other` does not keep, each in words. What it offers beyond is fine.
    pub(crate) fn broken_by(&self, other: &Self) -> Vec<String> {
        let broken = |(name, promised): (&String, &String)| match other.functions.get(name) {
            None => Some(format!("the function {name} is missing")),
            Some(found) if found != promised => {
                Some(format!("the function {name} is {found}, and was promised as {promised}"))
            }
            Some(_) => None,
        };
        self.functions.iter().filter_map(broken).collect()
    }
}

/// Folders that have WIT files of their own.
fn packages(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut is_package = false;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            packages(&path, found)?;
        } else {
            is_package |= path.extension().is_some_and(|ending| ending == "wit");
        }
    }
    if is_package {
        found.push(folder.to_owned());
    }
    Ok(())
}

fn shape(resolve: &Resolve, function: &Function) -> String {
    let parameters = function.params.iter();
    let parameters: Vec<String> =
        parameters.map(|one| format!("{}: {}", one.name, written(resolve, &one.ty))).collect();
    let result =
        function.result.map_or_else(String::new, |ty| format!(" -> {}", written(resolve, &ty)));
    format!("func({}){result}", parameters.join(", "))
}

/// A type with all that it consists of, without the names of records and variants: these are not
/// part of what crosses the boundary.
fn written(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else { return primitive(*ty).to_owned() };
    let definition = &resolve.types[*id];
    let one = |ty: &Type| written(resolve, ty);
    let maybe = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), one);
    let list = |word: &str, parts: Vec<String>| format!("{word} {{ {} }}", parts.join(", "));
    match &definition.kind {
        TypeDefKind::Type(ty) => one(ty),
        TypeDefKind::List(ty) => format!("list<{}>", one(ty)),
        TypeDefKind::Option(ty) => format!("option<{}>", one(ty)),
        TypeDefKind::Result(result) => {
            format!("result<{}, {}>", maybe(&result.ok), maybe(&result.err))
        }
        TypeDefKind::Tuple(tuple) => {
            format!("tuple<{}>", tuple.types.iter().map(one).collect::<Vec<_>>().join(", "))
        }
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            list("record", fields.map(|f| format!("{}: {}", f.name, one(&f.ty))).collect())
        }
        TypeDefKind::Variant(variant) => {
            let case = |name: &str, ty: &Option<Type>| match ty {
                Some(ty) => format!("{name}({})", one(ty)),
                None => name.to_owned(),
            };
            list("variant", variant.cases.iter().map(|c| case(&c.name, &c.ty)).collect())
        }
        TypeDefKind::Enum(cases) => {
            list("enum", cases.cases.iter().map(|case| case.name.clone()).collect())
        }
        TypeDefKind::Flags(flags) => {
            list("flags", flags.flags.iter().map(|flag| flag.name.clone()).collect())
        }
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => one(&Type::Id(*id)),
        other => definition.name.clone().unwrap_or_else(|| other.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &str = "package a:types@0.1.0; interface values { type id = string; \
        record page { first: u32, last: option<u32> } }";

    fn contract(functions: &str) -> Contract {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("types/v0.1/types.wit", TYPES);
        write(
            "b/v0.1/b.wit",
            &format!(
                "package a:b@0.1.2; interface queries {{ use a:types/values@0.1.0.{{id, page}};
                 enum mood {{ calm, wild }} {functions} }}"
            ),
        );
        let none = Contract::of_folder(folder.path(), "a:b/other@0.1.0").unwrap();
        assert_eq!(none, None);
        Contract::of_folder(folder.path(), "a:b/queries@0.1.0").unwrap().unwrap()
    }

    const PROMISED: &str = "get: func(id: id, page: page) -> result<list<string>, mood>;
        save: func(id: id);";

    #[test]
    fn what_is_added_breaks_nothing() {
        let more = format!("{PROMISED} count: func() -> u64;");
        assert_eq!(contract(PROMISED).broken_by(&contract(&more)), Vec::<String>::new());
        assert_eq!(
            contract(&more).broken_by(&contract(PROMISED)),
            ["the function count is missing"]
        );
    }

    #[test]
    fn everything_that_changed_is_named_also_deep_within_a_type() {
        let changed = "get: func(id: id, page: tuple<u32, u32>) -> result<list<string>, mood>;";
        assert_eq!(
            contract(PROMISED).broken_by(&contract(changed)),
            [
                "the function get is func(id: string, page: tuple<u32, u32>) -> \
             result<list<string>, enum { calm, wild }>, and was promised as \
             func(id: string, page: record { first: u32, last: option<u32> }) -> \
             result<list<string>, enum { calm, wild }>",
                "the function save is missing",
            ]
        );
    }

    #[test]
    fn a_type_by_another_name_is_the_same() {
        let named = "type key = string; get: func(id: key, page: page) -> result<list<id>, mood>;
            save: func(id: string);";
        assert_eq!(contract(PROMISED).broken_by(&contract(named)), Vec::<String>::new());
    }
}
