//! The model of a contract: interfaces, functions and types, without anything of the tools that
//! read them.
//!
//! Owns what a value's form in JSON depends on. Never reads bytes or files.

use std::collections::BTreeSet;

use serde::Serialize;

/// What a component promises.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contract {
    /// The exported interfaces in the order of the component, then those whose types they use.
    pub interfaces: Vec<Interface>,
}

/// Functions and types of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// With its package and version: `avenire:chat/queries@0.1.0`.
    pub name: String,
    /// Whether the component exports it. Others are there for their types.
    pub exported: bool,
    /// Its documentation; empty when there is none.
    pub docs: String,
    /// The documentation of its package; empty when there is none.
    pub package_docs: String,
    /// Its functions, in the order of the component.
    pub functions: Vec<Function>,
    /// Its named types; each stands after those it uses, where these are of the same interface.
    pub types: Vec<NamedType>,
}

/// A query function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Function {
    /// In kebab-case, as in WIT.
    pub name: String,
    /// Its documentation; empty when there is none.
    pub docs: String,
    /// Names, in kebab-case, and types of its parameters.
    pub params: Vec<(String, Type)>,
    /// What it gives, if anything.
    pub result: Option<Type>,
}

/// A type that its author gave a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedType {
    /// In kebab-case.
    pub name: String,
    /// Its documentation; empty when there is none.
    pub docs: String,
    /// What it is.
    pub definition: Definition,
}

/// What a named type is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Definition {
    /// Another name for a type.
    Alias(Type),
    /// Fields.
    Record(Vec<Field>),
    /// One of several cases.
    Variant(Vec<Case>),
    /// One of several names.
    Enum(Vec<Label>),
    /// Any of several names.
    Flags(Vec<Label>),
    /// What JSON has no form for, such as a resource; the text says what it is.
    Unsupported(String),
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// In kebab-case.
    pub name: String,
    /// Its documentation; empty when there is none.
    pub docs: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// A case of a variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// In kebab-case.
    pub name: String,
    /// Its documentation; empty when there is none.
    pub docs: String,
    /// What it carries.
    #[serde(rename = "type")]
    pub ty: Option<Type>,
}

/// A name of an enum or of flags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// In kebab-case.
    pub name: String,
    /// Its documentation; empty when there is none.
    pub docs: String,
}

/// Which named type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct TypeName {
    /// The interface that defines it.
    pub interface: String,
    /// Its name there.
    pub name: String,
}

/// The type of a value. Integers are named by their bits, `S` with and `U` without a sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the primitive types of WIT say what they are")]
pub enum Type {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    /// `list<u8>`; in JSON base64.
    Bytes,
    /// A point in time: `avenire:types/values.timestamp`, known by its one field.
    Timestamp,
    /// Any JSON document: `avenire:types/values.json`, known by its one field.
    Json,
    List(Box<Type>),
    Tuple(Vec<Type>),
    Option(Box<Type>),
    Result {
        /// What it carries when it is well.
        ok: Option<Box<Type>>,
        /// What it carries when not.
        err: Option<Box<Type>>,
    },
    /// A type with a name.
    Named(TypeName),
    /// What JSON has no form for, such as `stream`; the text says what it is.
    Unsupported(String),
}

impl Contract {
    /// The interface of that name.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }

    /// The type of that name.
    pub fn named(&self, name: &TypeName) -> Option<&NamedType> {
        self.interface(&name.interface)?.types.iter().find(|one| one.name == name.name)
    }

    /// A type behind the names that are only other names for it.
    pub fn behind<'a>(&'a self, ty: &'a Type) -> &'a Type {
        let mut ty = ty;
        while let Type::Named(name) = ty
            && let Some(NamedType { definition: Definition::Alias(other), .. }) = self.named(name)
        {
            ty = other;
        }
        ty
    }

    /// Whether a value may be absent where the type stands: as a field or an argument.
    pub fn is_option(&self, ty: &Type) -> bool {
        matches!(self.behind(ty), Type::Option(_))
    }

    /// What a function gives when it is well, and how it fails, if it can. A `result` at the
    /// function's end is not part of the value in JSON.
    pub fn outcome<'a>(
        &'a self,
        function: &'a Function,
    ) -> (Option<&'a Type>, Option<Option<&'a Type>>) {
        match function.result.as_ref().map(|ty| (ty, self.behind(ty))) {
            None => (None, None),
            Some((_, Type::Result { ok, err })) => (ok.as_deref(), Some(err.as_deref())),
            Some((ty, _)) => (Some(ty), None),
        }
    }

    /// The type of the elements that a function's result can be streamed as. None when it gives
    /// no list, or one of JSON documents: these could be mistaken for the end of a stream
    /// (`protocol::STREAM_PROBLEM`).
    pub fn streamable<'a>(&'a self, function: &'a Function) -> Option<&'a Type> {
        let (Some(value), _) = self.outcome(function) else { return None };
        let Type::List(element) = self.behind(value) else { return None };
        (!self.may_be_any_json(element)).then_some(element)
    }

    fn may_be_any_json(&self, ty: &Type) -> bool {
        match self.behind(ty) {
            Type::Json => true,
            Type::Option(inner) => self.may_be_any_json(inner),
            _ => false,
        }
    }

    /// What of a function's types JSON has no form for.
    pub fn unsupported_in<'a>(&'a self, function: &'a Function) -> Option<&'a str> {
        let params = function.params.iter().map(|(_, ty)| ty);
        let mut seen = BTreeSet::new();
        params.chain(&function.result).find_map(|ty| self.unsupported(ty, &mut seen))
    }

    fn unsupported<'a>(
        &'a self,
        ty: &'a Type,
        seen: &mut BTreeSet<&'a TypeName>,
    ) -> Option<&'a str> {
        match ty {
            Type::Unsupported(what) => return Some(what),
            Type::Named(name) if !seen.insert(name) => return None,
            Type::Named(name) => {
                if let Some(Definition::Unsupported(what)) =
                    self.named(name).map(|named| &named.definition)
                {
                    return Some(what);
                }
            }
            _ => {}
        }
        self.parts(ty).into_iter().find_map(|part| self.unsupported(part, seen))
    }

    /// The types that a type consists of, one level down.
    pub(crate) fn parts<'a>(&'a self, ty: &'a Type) -> Vec<&'a Type> {
        match ty {
            Type::List(inner) | Type::Option(inner) => vec![inner],
            Type::Tuple(types) => types.iter().collect(),
            Type::Result { ok, err } => ok.as_deref().into_iter().chain(err.as_deref()).collect(),
            Type::Named(name) => match self.named(name).map(|named| &named.definition) {
                Some(Definition::Alias(ty)) => vec![ty],
                Some(Definition::Record(fields)) => fields.iter().map(|one| &one.ty).collect(),
                Some(Definition::Variant(cases)) => {
                    cases.iter().filter_map(|one| one.ty.as_ref()).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}
