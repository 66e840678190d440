//! JSON as it is accepted from callers: stricter than the parser, and no number loses a digit.
//! Never: repairs or guesses.
//!
//! Readers of JSON differ in what they make of a key that is there twice, which one part of a system
//! can use to mislead another; such documents are refused (RFC 8259, section 4, leaves it open). So
//! are keys by which the parser marks its own numbers, since it would take such an object for one.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value};

/// What the parser's own keys begin with.
const PARSERS_OWN_KEY: &str = "$serde_json::private::";

/// The deepest nesting that may be configured: the parser itself refuses more than 127 levels.
pub(crate) const DEEPEST: usize = 120;

/// As much of a key as is shown, in characters.
const SHOWN_KEY: usize = 64;

/// Why a text is not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("the JSON is malformed at line {line}, column {column}")]
    Malformed { line: usize, column: usize },
    #[error("the key `{key}` is there twice in one object")]
    DuplicateKey { key: String },
    #[error("the key `{key}` is reserved")]
    ReservedKey { key: String },
    #[error("the JSON is nested more than {limit} levels deep")]
    TooDeep { limit: usize },
    #[error("the JSON is {found}, where {expected} is expected")]
    Shape { found: &'static str, expected: &'static str },
}

impl JsonError {
    /// One sentence without full stop on what to do.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "send one JSON document in UTF-8 (RFC 8259)",
            Self::DuplicateKey { .. } => "give each key once",
            Self::ReservedKey { .. } => "send such a document as text instead",
            Self::TooDeep { .. } => "send the inner part as text instead",
            Self::Shape { .. } => "see /openapi.json for what each function takes",
        }
    }
}

/// Reads one document.
pub(crate) fn read(text: &[u8], depth: usize) -> Result<Value, JsonError> {
    scan(text, depth)?;
    serde_json::from_slice(text)
        .map_err(|error| JsonError::Malformed { line: error.line(), column: error.column() })
}

/// Reads one object.
pub(crate) fn read_object(text: &[u8], depth: usize) -> Result<Map<String, Value>, JsonError> {
    match read(text, depth)? {
        Value::Object(object) => Ok(object),
        other => Err(JsonError::Shape { found: kind_of(&other), expected: "an object" }),
    }
}

/// What a value is, for messages.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// An object or array that is open.
enum Open<'a> {
    Array,
    Object { keys: HashSet<Cow<'a, str>>, expects_key: bool },
}

/// Looks at nesting and keys only: whether the text is JSON at all is left to the parser.
fn scan(text: &[u8], limit: usize) -> Result<(), JsonError> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'{' | b'[' => {
                if open.len() >= limit {
                    return Err(JsonError::TooDeep { limit });
                }
                open.push(match byte {
                    b'{' => Open::Object { keys: HashSet::new(), expects_key: true },
                    _ => Open::Array,
                });
            }
            b'}' | b']' => {
                open.pop();
            }
            b',' => {
                if let Some(Open::Object { expects_key, .. }) = open.last_mut() {
                    *expects_key = true;
                }
            }
            b'"' => {
                let Some((raw, after)) = string(tail) else { return Ok(()) };
                rest = after;
                if let Some(Open::Object { keys, expects_key }) = open.last_mut()
                    && std::mem::take(expects_key)
                {
                    let Some(key) = unescaped(raw) else { return Ok(()) };
                    take_key(keys, key)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn take_key<'a>(keys: &mut HashSet<Cow<'a, str>>, key: Cow<'a, str>) -> Result<(), JsonError> {
    let shown = |key: &str| key.chars().filter(|c| !c.is_control()).take(SHOWN_KEY).collect();
    if key.starts_with(PARSERS_OWN_KEY) {
        return Err(JsonError::ReservedKey { key: shown(&key) });
    }
    if keys.contains(&key) {
        return Err(JsonError::DuplicateKey { key: shown(&key) });
    }
    keys.insert(key);
    Ok(())
}

/// Splits behind the quotation mark that ends a string, given what follows the one that begins it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = text.iter().position(|&byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// The key that stands between quotation marks; nothing when the parser will refuse it anyway.
fn unescaped(raw: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(raw).ok()?;
    if text.contains('\\') {
        serde_json::from_str(&format!("\"{text}\"")).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> JsonError {
        read(text.as_bytes(), 4).expect_err(text)
    }

    #[test]
    fn keys_that_are_there_twice_are_refused_however_they_are_written() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"c":[{}],"b":2}}"#,
            "{\"a\":1,\"\\u0061\":2}",
            r#"[{"a":"}","a":1}]"#,
        ] {
            assert!(matches!(error(text), JsonError::DuplicateKey { .. }), "{text}");
        }
        let fine = br#"{"a":{"a":"a","b":"a"},"b":[{"a":1},{"a":1}],"c":"\",\"a\":"}"#;
        assert!(read(fine, 4).is_ok());
    }

    #[test]
    fn keys_of_the_parser_are_refused_however_they_are_written() {
        let plain = r#"{"a":{"$serde_json::private::Number":"1"}}"#;
        let escaped = "{\"\\u0024serde_json::private::Number\":\"1\"}";
        for text in [plain, escaped] {
            assert!(matches!(error(text), JsonError::ReservedKey { .. }), "{text}");
        }
    }

    #[test]
    fn depth_is_limited_before_anything_is_built() {
        assert!(read(b"[[[[1]]]]", 4).is_ok());
        assert_eq!(error("[[[[[1]]]]]"), JsonError::TooDeep { limit: 4 });
        let deep = "[".repeat(1_000_000);
        assert_eq!(read(deep.as_bytes(), DEEPEST), Err(JsonError::TooDeep { limit: DEEPEST }));
        let deepest = format!("{}1{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST));
        assert!(read(deepest.as_bytes(), DEEPEST).is_ok());
    }

    #[test]
    fn numbers_keep_every_digit() {
        let text = r#"{"a":123456789012345678901234567890.123456789012345678901,"b":1.10}"#;
        let object = read_object(text.as_bytes(), 4).expect("json");
        assert_eq!(serde_json::to_string(&object).expect("json"), text);
    }

    #[test]
    fn malformed_text_is_refused_with_its_place_and_never_panics() {
        assert_eq!(error("{\"a\":\n 1,}"), JsonError::Malformed { line: 2, column: 4 });
        for text in
            ["", "{", "\"", "{\"a", "{\"\\", "]]}}", "{,,}", "{\"\\ud800\":1}", "1 2", "NaN"]
        {
            assert!(matches!(error(text), JsonError::Malformed { .. }), "{text:?}");
        }
        assert!(matches!(read(b"\xff\xfe", 4), Err(JsonError::Malformed { .. })));
    }

    #[test]
    fn arguments_are_an_object() {
        let error = read_object(b"[1]", 4).expect_err("an array");
        assert_eq!(error.to_string(), "the JSON is an array, where an object is expected");
    }
}
