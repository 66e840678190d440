//! TypeScript's types of a slot: one namespace with what its functions use, and the functions.

use std::collections::BTreeMap;

use super::text::{comment, property, quoted};
use crate::model::{Definition, Function, Label, NamedType, Type, TypeName};
use crate::names::{camel_case, type_names};
use crate::slot::{Repeat, Slot};
use crate::usage::{Usage, Way};

/// Names of the runtime's and the platform's types that a slot's types must leave visible.
const TAKEN: [&str; 6] =
    ["Uint8Array", "Timestamp", "Json", "JsonInput", "QueryFunction", "StreamFunction"];

/// The types of one slot.
pub(super) struct Types<'a> {
    pub(super) slot: Slot<'a>,
    pub(super) usage: Usage<'a>,
    pub(super) names: BTreeMap<TypeName, String>,
}

impl<'a> Types<'a> {
    pub(super) fn of(slot: Slot<'a>) -> Self {
        let names = type_names(slot.contract, &TAKEN);
        let usage = Usage::of(&slot, |ty| matches!(ty, Type::Json));
        Self { slot, usage, names }
    }

    /// The namespace, with the functions under these names.
    pub(super) fn namespace(&self, name: &str, functions: &[(String, &Function)]) -> String {
        let mut text = self.about();
        text.push_str(&format!("export namespace {name} {{\n"));
        for (type_name, named, ways) in self.usage.types() {
            for way in ways {
                text.push_str(&self.declaration(&type_name, named, way));
                text.push('\n');
            }
        }
        text.push_str("  export interface $Functions {\n");
        for (key, function) in functions {
            text.push_str(&comment(&self.docs(function), "    "));
            text.push_str(&format!(
                "    readonly {}: {};\n",
                property(key),
                self.function(function)
            ));
        }
        text + "  }\n}\n"
    }

    fn about(&self) -> String {
        let mut texts: Vec<&str> = Vec::new();
        for interface in self.slot.contract.interfaces.iter().filter(|one| one.exported) {
            for text in [interface.package_docs.as_str(), interface.docs.as_str()] {
                if !text.is_empty() && !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        comment(&texts.join("\n\n"), "")
    }

    fn docs(&self, function: &Function) -> String {
        let repeat = match self.slot.traits.repeat(&function.name) {
            Repeat::No => "",
            Repeat::ReadOnly => "It only reads: repeated when a failure may pass.",
            Repeat::Transactional => "It is one transaction: repeated when a failure may pass.",
        };
        [function.docs.as_str(), repeat].join("\n\n").trim().to_owned()
    }

    fn function(&self, function: &Function) -> String {
        let (value, failure) = self.slot.contract.outcome(function);
        let value = value.map_or_else(|| "void".to_owned(), |ty| self.ty(ty, Way::Out));
        let failure = match failure {
            None => "never".to_owned(),
            Some(ty) => ty.map_or_else(|| "null".to_owned(), |ty| self.ty(ty, Way::Out)),
        };
        let arguments = self.arguments(function);
        match self.slot.streamed(function) {
            None => format!("QueryFunction<{arguments}, {value}, {failure}>"),
            Some(element) => {
                let element = self.ty(element, Way::Out);
                format!("StreamFunction<{arguments}, {value}, {failure}, {element}>")
            }
        }
    }

    fn arguments(&self, function: &Function) -> String {
        let member = |(name, ty): &(String, Type)| self.member(&camel_case(name), ty, Way::In);
        let members: Vec<String> = function.params.iter().map(member).collect();
        if members.is_empty() {
            return "Record<string, never>".to_owned();
        }
        format!("{{ {} }}", members.join("; "))
    }

    /// `name: type`, or `name?: type` where the value may be absent.
    fn member(&self, key: &str, ty: &Type, way: Way) -> String {
        let written = self.ty(ty, way);
        if way == Way::In && self.slot.contract.is_option(ty) {
            return format!("{}?: {written} | undefined", property(key));
        }
        format!("{}: {written}", property(key))
    }

    fn declaration(&self, name: &TypeName, ty: &NamedType, way: Way) -> String {
        let own = self.name(name, way);
        let docs = match &ty.definition {
            Definition::Enum(names) | Definition::Flags(names) => with_labels(&ty.docs, names),
            _ => ty.docs.clone(),
        };
        let docs = comment(&docs, "  ");
        match &ty.definition {
            Definition::Record(fields) => {
                let mut text = format!("{docs}  export interface {own} {{\n");
                for field in fields {
                    text.push_str(&comment(&field.docs, "    "));
                    let member = self.member(&camel_case(&field.name), &field.ty, way);
                    text.push_str(&format!("    {member};\n"));
                }
                text + "  }\n"
            }
            Definition::Variant(cases) => {
                let mut text = format!("{docs}  export type {own} =\n");
                for (index, case) in cases.iter().enumerate() {
                    text.push_str(&comment(&case.docs, "    "));
                    let end = if index + 1 == cases.len() { ";" } else { "" };
                    let case = self.tagged(&case.name, case.ty.as_ref(), way);
                    text.push_str(&format!("    | {case}{end}\n"));
                }
                text
            }
            Definition::Enum(names) => format!("{docs}  export type {own} = {};\n", union(names)),
            Definition::Flags(names) => {
                format!("{docs}  export type {own} = ({})[];\n", union(names))
            }
            Definition::Alias(other) => {
                format!("{docs}  export type {own} = {};\n", self.ty(other, way))
            }
            Definition::Unsupported(_) => format!("{docs}  export type {own} = never;\n"),
        }
    }

    fn name(&self, name: &TypeName, way: Way) -> String {
        let own = self.names.get(name).map_or(name.name.as_str(), String::as_str);
        if self.usage.is_second(name, way) { format!("{own}Input") } else { own.to_owned() }
    }

    fn tagged(&self, tag: &str, ty: Option<&Type>, way: Way) -> String {
        let tag = quoted(tag);
        match ty {
            None => format!("{{ tag: {tag} }}"),
            Some(ty) => format!("{{ tag: {tag}; {} }}", self.member("val", ty, way)),
        }
    }

    fn ty(&self, ty: &Type, way: Way) -> String {
        let maybe = |ty: &Option<Box<Type>>, tag: &str| self.tagged(tag, ty.as_deref(), way);
        match ty {
            Type::Bool => "boolean".to_owned(),
            Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 => {
                "number".to_owned()
            }
            Type::F32 | Type::F64 => "number".to_owned(),
            Type::S64 | Type::U64 => "bigint".to_owned(),
            Type::Char | Type::String => "string".to_owned(),
            Type::Bytes => "Uint8Array".to_owned(),
            Type::Timestamp => "Timestamp".to_owned(),
            Type::Json if way == Way::In => "JsonInput".to_owned(),
            Type::Json => "Json".to_owned(),
            Type::List(inner) => {
                let inner = self.ty(inner, way);
                if inner.contains('|') { format!("({inner})[]") } else { format!("{inner}[]") }
            }
            Type::Tuple(types) => {
                let types: Vec<String> = types.iter().map(|ty| self.ty(ty, way)).collect();
                format!("[{}]", types.join(", "))
            }
            Type::Option(inner) if self.slot.contract.is_option(inner) => {
                format!("{} | null", self.tagged("some", Some(inner), way))
            }
            Type::Option(inner) => format!("{} | null", self.ty(inner, way)),
            Type::Result { ok, err } => {
                format!("({} | {})", maybe(ok, "ok"), maybe(err, "err"))
            }
            Type::Named(name) => self.name(name, way),
            Type::Unsupported(_) => "never".to_owned(),
        }
    }
}

fn union(names: &[Label]) -> String {
    let names: Vec<String> = names.iter().map(|one| quoted(&one.name)).collect();
    if names.is_empty() { "never".to_owned() } else { names.join(" | ") }
}

/// Documentation followed by that of each name, which a union has no place for.
fn with_labels(docs: &str, names: &[Label]) -> String {
    let lines = names.iter().filter(|one| !one.docs.is_empty());
    let lines: Vec<String> =
        lines.map(|one| format!("- `{}`: {}", one.name, one.docs.replace('\n', " "))).collect();
    if lines.is_empty() { docs.to_owned() } else { format!("{docs}\n\n{}", lines.join("\n")) }
}
