//! What a component's functions take and give, with the names its author gave the
//! types. Reads the component's own type section; never runs anything.

#![expect(clippy::indexing_slicing, reason = "ids are looked up in the arena that made them")]

use wit_component::DecodedWasm;
use wit_parser::{Resolve, Type, TypeDefKind, WorldItem};

/// A function as its contract has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its name in kebab-case.
    pub name: String,
    /// The interface, with its version.
    pub interface: String,
    /// Such as `get-chat-by-id: func(chat-id: string) -> result<chat, failure>`.
    pub text: String,
}

/// The package whose functions are the host's to call (`wit/component`).
const OF_THE_HOST: &str = "avenire:component/";

/// The signatures of all functions that can be called, in the order of the component. The
/// error says what is wrong with the bytes.
pub fn signatures(component: &[u8]) -> Result<Vec<Signature>, String> {
    let decoded = wit_component::decode(component).map_err(|error| format!("{error:#}"))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err("this is a WIT package, not a component".to_owned());
    };
    let mut list = Vec::new();
    for (key, item) in &resolve.worlds[world].exports {
        let WorldItem::Interface { id, .. } = item else { continue };
        let interface = resolve.name_world_key(key);
        if interface.starts_with(OF_THE_HOST) {
            continue;
        }
        for (name, function) in &resolve.interfaces[*id].functions {
            let parameters: Vec<String> = function
                .params
                .iter()
                .map(|param| format!("{}: {}", param.name, named(&resolve, &param.ty)))
                .collect();
            let result = function
                .result
                .map_or_else(String::new, |ty| format!(" -> {}", named(&resolve, &ty)));
            let text = format!("{name}: func({}){result}", parameters.join(", "));
            list.push(Signature { name: name.clone(), interface: interface.clone(), text });
        }
    }
    Ok(list)
}

/// A type by its name, or written out when it has none.
fn named(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else { return primitive(*ty).to_owned() };
    let definition = &resolve.types[*id];
    if let Some(name) = &definition.name {
        return name.clone();
    }
    let of =
        |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), |ty| named(resolve, ty));
    match &definition.kind {
        TypeDefKind::List(ty) => format!("list<{}>", named(resolve, ty)),
        TypeDefKind::Option(ty) => format!("option<{}>", named(resolve, ty)),
        TypeDefKind::Result(result) => format!("result<{}, {}>", of(&result.ok), of(&result.err)),
        TypeDefKind::Tuple(tuple) => {
            let types: Vec<String> = tuple.types.iter().map(|ty| named(resolve, ty)).collect();
            format!("tuple<{}>", types.join(", "))
        }
        TypeDefKind::Type(ty) => named(resolve, ty),
        other => other.as_str().to_owned(),
    }
}

pub(crate) fn primitive(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        _ => "another type",
    }
}
