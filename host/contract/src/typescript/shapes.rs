//! The types of a slot as the client's runtime has them: data that says how a value is written to
//! and read from JSON.

use super::text::{property, quoted};
use super::types::Types;
use crate::model::{Case, Definition, Field, Function, NamedType, Type, TypeName};
use crate::names::camel_case;

impl Types<'_> {
    /// A constant for each record and variant that functions use, each after those it uses.
    pub(super) fn constants(&self, prefix: &str) -> String {
        let mut text = String::new();
        for (name, named, _) in self.usage.types() {
            let shape = match &named.definition {
                Definition::Record(fields) => self.record(fields, prefix),
                Definition::Variant(cases) => self.variant(cases, prefix),
                _ => continue,
            };
            let constant = self.constant(&name, prefix);
            text.push_str(&format!("const {constant}: Shape = {shape};\n"));
        }
        text
    }

    fn constant(&self, name: &TypeName, prefix: &str) -> String {
        let own = self.names.get(name).map_or(name.name.as_str(), String::as_str);
        format!("{prefix}${own}")
    }

    /// What the runtime has to know of a function.
    pub(super) fn signature(&self, function: &Function, prefix: &str) -> String {
        let (value, failure) = self.slot.contract.outcome(function);
        let or_void =
            |ty: Option<&Type>| ty.map_or_else(|| quoted("void"), |ty| self.shape(ty, prefix));
        let args = function.params.iter().map(|(name, ty)| (name.as_str(), ty));
        let mut members = vec![
            format!("name: {}", quoted(&function.name)),
            format!("args: {}", self.members(args, prefix)),
            format!("value: {}", or_void(value)),
        ];
        members.extend(failure.map(|ty| format!("failure: {}", or_void_failure(&or_void, ty))));
        let element = self.slot.streamed(function);
        members.extend(element.map(|ty| format!("element: {}", self.shape(ty, prefix))));
        let repeatable = self.slot.traits.repeat(&function.name).is_safe();
        members.push(format!("repeatable: {repeatable}"));
        format!("{{ {} }}", members.join(", "))
    }

    fn record(&self, fields: &[Field], prefix: &str) -> String {
        let fields = fields.iter().map(|one| (one.name.as_str(), &one.ty));
        format!("{{ record: {} }}", self.members(fields, prefix))
    }

    fn members<'t>(
        &self,
        members: impl Iterator<Item = (&'t str, &'t Type)>,
        prefix: &str,
    ) -> String {
        object(members.map(|(name, ty)| (camel_case(name), self.shape(ty, prefix))))
    }

    fn variant(&self, cases: &[Case], prefix: &str) -> String {
        self.tags(cases.iter().map(|case| (case.name.as_str(), case.ty.as_ref())), prefix)
    }

    fn tags<'t>(
        &self,
        cases: impl Iterator<Item = (&'t str, Option<&'t Type>)>,
        prefix: &str,
    ) -> String {
        let cases = cases.map(|(tag, ty)| {
            let shape = ty.map_or_else(|| "null".to_owned(), |ty| self.shape(ty, prefix));
            (tag.to_owned(), shape)
        });
        format!("{{ variant: {} }}", object(cases))
    }

    fn shape(&self, ty: &Type, prefix: &str) -> String {
        match ty {
            Type::Bool => quoted("bool"),
            Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 => quoted("int"),
            Type::S64 | Type::U64 => quoted("long"),
            Type::F32 | Type::F64 => quoted("float"),
            Type::Char | Type::String | Type::Timestamp => quoted("text"),
            Type::Bytes => quoted("bytes"),
            Type::Json => quoted("json"),
            Type::List(inner) => format!("{{ list: {} }}", self.shape(inner, prefix)),
            Type::Tuple(types) => {
                let types: Vec<String> = types.iter().map(|ty| self.shape(ty, prefix)).collect();
                format!("{{ tuple: [{}] }}", types.join(", "))
            }
            Type::Option(inner) if self.slot.contract.is_option(inner) => {
                let some = self.tags([("some", Some(&**inner))].into_iter(), prefix);
                format!("{{ option: {some} }}")
            }
            Type::Option(inner) => format!("{{ option: {} }}", self.shape(inner, prefix)),
            Type::Result { ok, err } => {
                self.tags([("ok", ok.as_deref()), ("err", err.as_deref())].into_iter(), prefix)
            }
            Type::Named(name) => match self.slot.contract.named(name) {
                Some(NamedType { definition: Definition::Alias(ty), .. }) => self.shape(ty, prefix),
                Some(NamedType { definition: Definition::Enum(_), .. }) => quoted("text"),
                Some(NamedType { definition: Definition::Flags(_), .. }) => quoted("flags"),
                _ => self.constant(name, prefix),
            },
            Type::Unsupported(_) => quoted("void"),
        }
    }
}

/// A failure that carries nothing is `null`, not absent.
fn or_void_failure(or_void: &impl Fn(Option<&Type>) -> String, ty: Option<&Type>) -> String {
    if ty.is_none() { quoted("json") } else { or_void(ty) }
}

fn object(members: impl Iterator<Item = (String, String)>) -> String {
    let members: Vec<String> =
        members.map(|(key, shape)| format!("{}: {shape}", property(&key))).collect();
    if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
}
