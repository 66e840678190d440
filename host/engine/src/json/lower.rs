//! From JSON to values of a function's parameter types.
//!
//! Strict: what does not fit is refused with its path, and nothing is guessed.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Number, Value};
use wasmtime::component::types::{Flags, Record, Variant};
use wasmtime::component::{Type, Val};

use super::{
    JSON_FIELD, RecordKind, TIMESTAMP_FIELD, camel_case, record_kind, timestamp, type_name,
};

/// How deeply arguments may nest. The types of a component are finite, so this
/// only guards against types made to exhaust the host's stack.
const MAX_DEPTH: usize = 100;

/// What does not fit, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Such as `messages[3].createdAt`; `arguments` for the whole.
    pub(crate) path: String,
    /// What is wrong and what is expected.
    pub(crate) message: String,
}

/// Turns an object of named arguments into values, in the parameters' order.
/// Parameters that are options may be absent.
pub(crate) fn arguments(
    parameters: &[(String, Type)],
    mut arguments: Map<String, Value>,
) -> Result<Vec<Val>, Mismatch> {
    let mut path = Path::default();
    let values = parameters
        .iter()
        .map(|(name, ty)| {
            let key = camel_case(name);
            let value = arguments.remove(&key);
            path.within_key(&key, |path| optional(ty, value, path))
        })
        .collect::<Result<_, _>>()?;
    match arguments.keys().next() {
        None => Ok(values),
        Some(key) => {
            let known = parameters.iter().map(|(name, _)| camel_case(name));
            Err(path.unknown(key, "parameter", known))
        }
    }
}

/// The way to the value that is looked at.
#[derive(Default)]
struct Path {
    segments: Vec<Segment>,
}

enum Segment {
    Key(String),
    Index(usize),
}

impl Path {
    fn within_key<T>(
        &mut self,
        key: &str,
        inside: impl FnOnce(&mut Self) -> Result<T, Mismatch>,
    ) -> Result<T, Mismatch> {
        self.within(Segment::Key(key.to_owned()), inside)
    }

    fn within<T>(
        &mut self,
        segment: Segment,
        inside: impl FnOnce(&mut Self) -> Result<T, Mismatch>,
    ) -> Result<T, Mismatch> {
        if self.segments.len() >= MAX_DEPTH {
            return Err(self.mismatch(format!("nests deeper than {MAX_DEPTH} levels")));
        }
        self.segments.push(segment);
        let result = inside(self);
        self.segments.pop();
        result
    }

    fn mismatch(&self, message: impl Into<String>) -> Mismatch {
        let mut path = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Key(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                }
                Segment::Index(index) => {
                    let _ = write!(path, "[{index}]");
                }
            }
        }
        if path.is_empty() {
            path.push_str("arguments");
        }
        Mismatch { path, message: message.into() }
    }

    fn expected(&self, expected: &str, found: &Value) -> Mismatch {
        self.mismatch(format!("expected {expected}, found {}", describe(found)))
    }

    fn unknown(&self, key: &str, what: &str, known: impl Iterator<Item = String>) -> Mismatch {
        let known: Vec<String> = known.collect();
        let shown: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
        let nearest = known
            .iter()
            .max_by(|a, b| similarity(a, key).total_cmp(&similarity(b, key)))
            .filter(|name| similarity(name, key) > 0.7);
        self.mismatch(match (nearest, known.is_empty()) {
            (Some(nearest), _) => format!("unknown {what} `{shown}`; the nearest is `{nearest}`"),
            (None, false) => {
                format!("unknown {what} `{shown}`; there are `{}`", known.join("`, `"))
            }
            (None, true) => format!("unknown {what} `{shown}`; there are none"),
        })
    }
}

fn similarity(name: &str, key: &str) -> f64 {
    strsim::jaro_winkler(&name.to_lowercase(), &key.replace(['-', '_'], "").to_lowercase())
}

/// A short word for what was found, without its content.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "a boolean".into(),
        Value::Number(_) => "a number".into(),
        Value::String(_) => "a string".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}

fn optional(ty: &Type, value: Option<Value>, path: &mut Path) -> Result<Val, Mismatch> {
    match (ty, value) {
        (Type::Option(_), None) => Ok(Val::Option(None)),
        (ty, None) => Err(path.mismatch(format!("is missing; expected {}", type_name(ty)))),
        (ty, Some(value)) => lower(ty, value, path),
    }
}

fn lower(ty: &Type, value: Value, path: &mut Path) -> Result<Val, Mismatch> {
    Ok(match (ty, value) {
        (Type::Bool, Value::Bool(value)) => Val::Bool(value),
        (Type::S8, value) => Val::S8(integer(ty, &value, path)?),
        (Type::U8, value) => Val::U8(integer(ty, &value, path)?),
        (Type::S16, value) => Val::S16(integer(ty, &value, path)?),
        (Type::U16, value) => Val::U16(integer(ty, &value, path)?),
        (Type::S32, value) => Val::S32(integer(ty, &value, path)?),
        (Type::U32, value) => Val::U32(integer(ty, &value, path)?),
        (Type::S64, value) => Val::S64(integer(ty, &value, path)?),
        (Type::U64, value) => Val::U64(integer(ty, &value, path)?),
        (Type::Float32, value) => Val::Float32(single(&value, path)?),
        (Type::Float64, value) => Val::Float64(float(&value, path)?),
        (Type::Char, Value::String(text)) => {
            let mut letters = text.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => Val::Char(letter),
                _ => return Err(path.mismatch("expected a string of one character")),
            }
        }
        (Type::String, Value::String(text)) => Val::String(text),
        (Type::List(list), Value::String(text)) if list.ty() == Type::U8 => {
            let bytes = BASE64
                .decode(text)
                .map_err(|error| path.mismatch(format!("expected base64: {error}")))?;
            Val::List(bytes.into_iter().map(Val::U8).collect())
        }
        (Type::List(list), Value::Array(items)) => Val::List(elements(&list.ty(), items, path)?),
        (Type::Tuple(tuple), Value::Array(items)) => {
            let types: Vec<Type> = tuple.types().collect();
            if types.len() != items.len() {
                let message = format!("expected {} elements, found {}", types.len(), items.len());
                return Err(path.mismatch(message));
            }
            let pairs = types.iter().zip(items).enumerate();
            Val::Tuple(
                pairs
                    .map(|(index, (ty, item))| {
                        path.within(Segment::Index(index), |path| lower(ty, item, path))
                    })
                    .collect::<Result<_, _>>()?,
            )
        }
        (Type::Record(fields), value) => record(fields, value, path)?,
        (Type::Variant(cases), value) => variant(cases, value, path)?,
        (Type::Enum(names), Value::String(name)) => {
            if names.names().any(|known| known == name) {
                Val::Enum(name)
            } else {
                return Err(path.unknown(&name, "value", names.names().map(str::to_owned)));
            }
        }
        (Type::Option(option), value) => match (option.ty(), value) {
            (_, Value::Null) => Val::Option(None),
            (inner @ Type::Option(_), value) => {
                let inside = tagged(value, path)?;
                match inside {
                    (tag, Some(value)) if tag == "some" => {
                        Val::Option(Some(Box::new(lower(&inner, value, path)?)))
                    }
                    (tag, None) if tag == "none" => Val::Option(None),
                    _ => return Err(path.mismatch("expected null or {\"tag\":\"some\",\"val\":…}")),
                }
            }
            (inner, value) => Val::Option(Some(Box::new(lower(&inner, value, path)?))),
        },
        (Type::Result(result), value) => {
            let (tag, value) = tagged(value, path)?;
            match tag.as_str() {
                "ok" => Val::Result(Ok(payload(result.ok(), value, path)?)),
                "err" => Val::Result(Err(payload(result.err(), value, path)?)),
                _ => {
                    return Err(path.unknown(
                        &tag,
                        "tag",
                        ["ok", "err"].map(str::to_owned).into_iter(),
                    ));
                }
            }
        }
        (Type::Flags(names), Value::Array(items)) => flags(names, items, path)?,
        (Type::Own(_) | Type::Borrow(_), _) => {
            return Err(path.mismatch("a resource can not be given as JSON"));
        }
        (ty, value) => return Err(path.expected(&type_name(ty), &value)),
    })
}

fn elements(ty: &Type, items: Vec<Value>, path: &mut Path) -> Result<Vec<Val>, Mismatch> {
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| path.within(Segment::Index(index), |path| lower(ty, item, path)))
        .collect()
}

/// An integer, exactly: `7`, `"7"`, but not `7.5`, `7.0` or `1e3`.
fn integer<T: std::str::FromStr>(ty: &Type, value: &Value, path: &Path) -> Result<T, Mismatch> {
    let digits = match value {
        Value::Number(number) => number.as_str(),
        Value::String(text) => text,
        other => return Err(path.expected(&type_name(ty), other)),
    };
    let shown: String = digits.chars().filter(|c| !c.is_control()).take(40).collect();
    digits.parse().map_err(|_| {
        let message =
            format!("expected {} (a whole number in its range), found {shown}", type_name(ty));
        path.mismatch(message)
    })
}

fn float(value: &Value, path: &Path) -> Result<f64, Mismatch> {
    match value {
        Value::Number(number) => {
            number.as_f64().ok_or_else(|| path.mismatch("the number is out of range"))
        }
        Value::String(text) => match text.as_str() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => Err(path.mismatch("expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"")),
        },
        other => Err(path.expected("a number", other)),
    }
}

fn single(value: &Value, path: &Path) -> Result<f32, Mismatch> {
    let double = float(value, path)?;
    #[expect(clippy::cast_possible_truncation, reason = "the nearest f32 is asked for")]
    let single = double as f32;
    if double.is_finite() && !single.is_finite() {
        return Err(path.mismatch("the number is out of range"));
    }
    Ok(single)
}

fn record(ty: &Record, value: Value, path: &mut Path) -> Result<Val, Mismatch> {
    match record_kind(ty.fields().map(|field| field.name)) {
        RecordKind::Timestamp => {
            let Value::String(text) = &value else {
                return Err(path.expected("an RFC 3339 timestamp", &value));
            };
            let micros = timestamp::parse(text).ok_or_else(|| {
                path.mismatch("expected an RFC 3339 timestamp such as \"2026-01-31T12:00:00Z\"")
            })?;
            Ok(Val::Record(vec![(TIMESTAMP_FIELD.to_owned(), Val::S64(micros))]))
        }
        RecordKind::Json => {
            Ok(Val::Record(vec![(JSON_FIELD.to_owned(), Val::String(value.to_string()))]))
        }
        RecordKind::Object => object(ty, value, path),
    }
}

fn object(ty: &Record, value: Value, path: &mut Path) -> Result<Val, Mismatch> {
    let Value::Object(mut members) = value else {
        return Err(path.expected("an object", &value));
    };
    let fields = ty
        .fields()
        .map(|field| {
            let key = camel_case(field.name);
            let value = members.remove(&key);
            let value = path.within_key(&key, |path| optional(&field.ty, value, path))?;
            Ok((field.name.to_owned(), value))
        })
        .collect::<Result<_, _>>()?;
    match members.keys().next() {
        None => Ok(Val::Record(fields)),
        Some(key) => {
            Err(path.unknown(key, "field", ty.fields().map(|field| camel_case(field.name))))
        }
    }
}

fn variant(ty: &Variant, value: Value, path: &mut Path) -> Result<Val, Mismatch> {
    let (tag, value) = tagged(value, path)?;
    let case = ty.cases().find(|case| case.name == tag);
    match case {
        Some(case) => Ok(Val::Variant(tag, payload(case.ty, value, path)?)),
        None => Err(path.unknown(&tag, "tag", ty.cases().map(|case| case.name.to_owned()))),
    }
}

fn payload(
    ty: Option<Type>,
    value: Option<Value>,
    path: &mut Path,
) -> Result<Option<Box<Val>>, Mismatch> {
    match (ty, value) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(path.mismatch("this case has no `val`")),
        (Some(ty), value) => path
            .within_key("val", |path| optional(&ty, value, path))
            .map(|value| Some(Box::new(value))),
    }
}

/// Takes `{"tag":…,"val":…}` apart. A string alone is a tag without a value.
fn tagged(value: Value, path: &Path) -> Result<(String, Option<Value>), Mismatch> {
    const FORM: &str = "{\"tag\":\"name\",\"val\":…}";
    match value {
        Value::String(tag) => Ok((tag, None)),
        Value::Object(mut members) => {
            let Some(Value::String(tag)) = members.remove("tag") else {
                return Err(path.mismatch(format!("expected {FORM}; `tag` is missing")));
            };
            let value = members.remove("val");
            match members.keys().next() {
                None => Ok((tag, value)),
                Some(key) => {
                    Err(path.unknown(key, "field", ["tag", "val"].map(str::to_owned).into_iter()))
                }
            }
        }
        other => Err(path.expected(FORM, &other)),
    }
}

fn flags(ty: &Flags, items: Vec<Value>, path: &mut Path) -> Result<Val, Mismatch> {
    let names = items
        .into_iter()
        .enumerate()
        .map(|(index, item)| {
            path.within(Segment::Index(index), |path| match item {
                Value::String(name) if ty.names().any(|known| known == name) => Ok(name),
                Value::String(name) => {
                    Err(path.unknown(&name, "flag", ty.names().map(str::to_owned)))
                }
                other => Err(path.expected("the name of a flag", &other)),
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Val::Flags(names))
}

/// Keeps the compiler from accepting a build of `serde_json` that would round
/// 64-bit integers: `Number::as_str` exists only with `arbitrary_precision`.
const _: fn(&Number) -> &str = Number::as_str;
