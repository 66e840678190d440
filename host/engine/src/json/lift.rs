//! From a function's result to JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Number, Value};
use wasmtime::component::Val;
use wasmtime::component::types::Type;

use super::{RecordKind, camel_case, record_kind, timestamp};

/// A function's result as JSON: what it gave, or how it failed.
pub(crate) type Lifted = Result<Value, Value>;

/// Lifts a whole result. A function whose type is a `result` failed when that is
/// its failure case; one without a result gives `null`.
pub(crate) fn lift_result(ty: Option<&Type>, value: Option<Val>) -> Result<Lifted, String> {
    let (Some(ty), Some(value)) = (ty, value) else { return Ok(Ok(Value::Null)) };
    match (ty, value) {
        (Type::Result(types), Val::Result(result)) => Ok(match result {
            Ok(value) => Ok(payload(types.ok().as_ref(), value)?.unwrap_or(Value::Null)),
            Err(value) => Err(payload(types.err().as_ref(), value)?.unwrap_or(Value::Null)),
        }),
        (ty, value) => Ok(Ok(lift(ty, value)?)),
    }
}

fn payload(ty: Option<&Type>, value: Option<Box<Val>>) -> Result<Option<Value>, String> {
    match (ty, value) {
        (Some(ty), Some(value)) => Ok(Some(lift(ty, *value)?)),
        _ => Ok(None),
    }
}

/// Lifts one value. The error says which value JSON has no form for.
fn lift(ty: &Type, value: Val) -> Result<Value, String> {
    Ok(match (ty, value) {
        (_, Val::Bool(value)) => Value::Bool(value),
        (_, Val::S8(value)) => Value::from(value),
        (_, Val::U8(value)) => Value::from(value),
        (_, Val::S16(value)) => Value::from(value),
        (_, Val::U16(value)) => Value::from(value),
        (_, Val::S32(value)) => Value::from(value),
        (_, Val::U32(value)) => Value::from(value),
        (_, Val::S64(value)) => Value::from(value),
        (_, Val::U64(value)) => Value::from(value),
        (_, Val::Float32(value)) => float(f64::from(value), &format!("{value:?}")),
        (_, Val::Float64(value)) => float(value, &format!("{value:?}")),
        (_, Val::Char(value)) => Value::String(value.to_string()),
        (_, Val::String(value)) => Value::String(value),
        (Type::List(list), Val::List(items)) => {
            let ty = list.ty();
            if ty == Type::U8 {
                Value::String(BASE64.encode(bytes(&items)))
            } else {
                items.into_iter().map(|item| lift(&ty, item)).collect::<Result<_, _>>()?
            }
        }
        (Type::Tuple(tuple), Val::Tuple(items)) => {
            tuple.types().zip(items).map(|(ty, item)| lift(&ty, item)).collect::<Result<_, _>>()?
        }
        (Type::Record(record), Val::Record(fields)) => {
            let kind = record_kind(record.fields().map(|field| field.name));
            let pairs = record.fields().zip(fields);
            match kind {
                RecordKind::Object => Value::Object(
                    pairs
                        .map(|(field, (_, value))| {
                            Ok((camel_case(field.name), lift(&field.ty, value)?))
                        })
                        .collect::<Result<Map<_, _>, String>>()?,
                ),
                kind => single(&kind, pairs.map(|(_, (_, value))| value).next())?,
            }
        }
        (Type::Variant(variant), Val::Variant(tag, value)) => {
            let ty = variant.cases().find(|case| case.name == tag).and_then(|case| case.ty);
            let value = payload(ty.as_ref(), value)?;
            tagged(tag, value)
        }
        (_, Val::Enum(name)) => Value::String(name),
        (Type::Option(option), Val::Option(value)) => match (option.ty(), value) {
            (_, None) => Value::Null,
            (inner @ Type::Option(_), Some(value)) => {
                tagged("some".to_owned(), Some(lift(&inner, *value)?))
            }
            (inner, Some(value)) => lift(&inner, *value)?,
        },
        (Type::Result(types), Val::Result(result)) => match result {
            Ok(value) => tagged("ok".to_owned(), payload(types.ok().as_ref(), value)?),
            Err(value) => tagged("err".to_owned(), payload(types.err().as_ref(), value)?),
        },
        (_, Val::Flags(names)) => names.into_iter().map(Value::String).collect(),
        (ty, _) => return Err(format!("JSON has no form for {}", super::type_name(ty))),
    })
}

fn tagged(tag: String, value: Option<Value>) -> Value {
    let mut members = Map::new();
    members.insert("tag".to_owned(), Value::String(tag));
    if let Some(value) = value {
        members.insert("val".to_owned(), value);
    }
    Value::Object(members)
}

/// The shortest digits that give the same float again; `digits` are as Rust's debug
/// form has them, which turns to an exponent where the digits would be many zeroes.
fn float(value: f64, digits: &str) -> Value {
    if value.is_nan() {
        return Value::from("NaN");
    }
    if value.is_infinite() {
        return Value::from(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let digits = digits.strip_suffix(".0").unwrap_or(digits);
    digits.parse::<Number>().map_or_else(|_| Value::from(value), Value::Number)
}

fn bytes(items: &[Val]) -> Vec<u8> {
    items
        .iter()
        .filter_map(|item| if let Val::U8(byte) = item { Some(*byte) } else { None })
        .collect()
}

fn single(kind: &RecordKind, value: Option<Val>) -> Result<Value, String> {
    match (kind, value) {
        (RecordKind::Timestamp, Some(Val::S64(micros))) => timestamp::format(micros)
            .map(Value::String)
            .ok_or_else(|| format!("the timestamp of {micros} µs since 1970 is beyond RFC 3339's years 0000 to 9999")),
        // A text that the parser would mistake for a number of its own.
        (RecordKind::Json, Some(Val::String(text))) if text.contains(super::PARSERS_OWN_KEY) => {
            Ok(Value::String(text))
        }
        (RecordKind::Json, Some(Val::String(text))) => serde_json::from_str(&text)
            .map_err(|error| format!("a value said to be JSON is not: {error}")),
        _ => Err("a record of an unexpected type".to_owned()),
    }
}
