//! The one mapping between values of the component model and JSON.
//!
//! | WIT | JSON |
//! | --- | --- |
//! | `bool`, integers | `true`, `7`; 64-bit integers keep every digit, and are also accepted as strings of digits |
//! | `f32`, `f64` | a number, or `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `char`, `string` | a string |
//! | `list<u8>` | base64 (RFC 4648, section 4) |
//! | `list<T>`, `tuple` | an array |
//! | `record` | an object with keys in camelCase; unknown keys are refused |
//! | `option` | the value, or `null` or an absent key; an option in an option is `{"tag":"some","val":…}` |
//! | `enum` | its name, as in WIT |
//! | `variant` | `{"tag":"name","val":…}`, without `val` when the case has none |
//! | `result` | `{"tag":"ok","val":…}`, `{"tag":"err","val":…}` |
//! | `flags` | an array of names |
//! | `avenire:types/values.timestamp` | an RFC 3339 string in UTC, `"infinity"` or `"-infinity"` |
//! | `avenire:types/values.json` | the document itself; its text, should a key begin with `$serde_json::private::` |
//!
//! Variants and results follow the convention of the JavaScript component
//! tools. The two values are recognised by their one field's name.
//!
//! Pure functions: nothing here runs guest code.

mod lift;
mod lower;
mod timestamp;

use wasmtime::component::Type;

pub(crate) use lift::lift_result;
pub(crate) use lower::{Mismatch, arguments};

/// The one field of `avenire:types/values.timestamp`.
const TIMESTAMP_FIELD: &str = "unix-micros";

/// The one field of `avenire:types/values.json`.
const JSON_FIELD: &str = "json-text";

/// How `serde_json` marks numbers that keep every digit. A document with such a key
/// would be read as a number: as a result it is shown as its text, and as an argument
/// the command line and other readers of JSON must refuse it.
pub const PARSERS_OWN_KEY: &str = "$serde_json::private::";

/// What a record stands for in JSON.
enum RecordKind {
    Object,
    Timestamp,
    Json,
}

fn record_kind<'a>(mut fields: impl ExactSizeIterator<Item = &'a str>) -> RecordKind {
    if fields.len() != 1 {
        return RecordKind::Object;
    }
    match fields.next() {
        Some(TIMESTAMP_FIELD) => RecordKind::Timestamp,
        Some(JSON_FIELD) => RecordKind::Json,
        _ => RecordKind::Object,
    }
}

/// `get-messages-by-chat-id` → `getMessagesByChatId`.
pub fn camel_case(kebab: &str) -> String {
    let mut words = kebab.split('-');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// A type as a reader of WIT expects it; named types are written out.
pub fn type_name(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::S8 => "s8".into(),
        Type::U8 => "u8".into(),
        Type::S16 => "s16".into(),
        Type::U16 => "u16".into(),
        Type::S32 => "s32".into(),
        Type::U32 => "u32".into(),
        Type::S64 => "s64".into(),
        Type::U64 => "u64".into(),
        Type::Float32 => "f32".into(),
        Type::Float64 => "f64".into(),
        Type::Char => "char".into(),
        Type::String => "string".into(),
        Type::List(list) => format!("list<{}>", type_name(&list.ty())),
        Type::Tuple(tuple) => {
            format!("tuple<{}>", joined(tuple.types().map(|ty| type_name(&ty))))
        }
        Type::Option(option) => format!("option<{}>", type_name(&option.ty())),
        Type::Enum(names) => format!("enum {{ {} }}", joined(names.names().map(str::to_owned))),
        Type::Flags(names) => format!("flags {{ {} }}", joined(names.names().map(str::to_owned))),
        Type::Record(record) => match record_kind(record.fields().map(|field| field.name)) {
            RecordKind::Timestamp => "timestamp".into(),
            RecordKind::Json => "json".into(),
            RecordKind::Object => {
                let fields = record
                    .fields()
                    .map(|field| format!("{}: {}", field.name, type_name(&field.ty)));
                format!("record {{ {} }}", joined(fields))
            }
        },
        Type::Variant(variant) => {
            let cases = variant.cases().map(|case| match &case.ty {
                Some(ty) => format!("{}({})", case.name, type_name(ty)),
                None => case.name.to_owned(),
            });
            format!("variant {{ {} }}", joined(cases))
        }
        Type::Result(result) => match (result.ok(), result.err()) {
            (None, None) => "result".into(),
            (Some(ok), None) => format!("result<{}>", type_name(&ok)),
            (None, Some(err)) => format!("result<_, {}>", type_name(&err)),
            (Some(ok), Some(err)) => format!("result<{}, {}>", type_name(&ok), type_name(&err)),
        },
        Type::Own(_) | Type::Borrow(_) => "resource".into(),
        _ => "another type".into(),
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::camel_case;

    #[test]
    fn kebab_case_becomes_camel_case() {
        assert_eq!(camel_case("get-messages-by-chat-id"), "getMessagesByChatId");
        assert_eq!(camel_case("id"), "id");
        assert_eq!(camel_case("sha-256-sum"), "sha256Sum");
    }
}
