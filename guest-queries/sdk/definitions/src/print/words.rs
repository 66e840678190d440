//! Names, strings and lists.

use crate::syntax::{Name, ObjectName, Reference, SequenceOptions, Type, TypeName};

/// Words that begin what may stand where a name was left out.
const AMBIGUOUS: &[&str] = &["concurrently", "index", "using"];

/// A name: the word itself where Rust has such a word, a string otherwise.
pub(super) fn word(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().any(|c| c != '_');
    if plain { name.to_owned() } else { string(name) }
}

/// With a space after it, or nothing.
pub(super) fn optional(name: Option<&Name>) -> String {
    match name {
        None => String::new(),
        Some(name) if AMBIGUOUS.contains(&name.text.as_str()) => format!("{} ", string(&name.text)),
        Some(name) => format!("{} ", word(&name.text)),
    }
}

pub(super) fn names(names: &[Name]) -> String {
    let names: Vec<String> = names.iter().map(|name| word(&name.text)).collect();
    format!("({})", names.join(", "))
}

pub(super) fn object(name: &ObjectName) -> String {
    if name.schema == "public" {
        word(&name.name)
    } else {
        format!("{}.{}", word(&name.schema), word(&name.name))
    }
}

pub(super) fn objects(names: &[ObjectName]) -> String {
    let names: Vec<String> = names.iter().map(object).collect();
    format!("({})", names.join(", "))
}

pub(super) fn reference(name: &Reference) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", word(schema), word(&name.name)),
        None => word(&name.name),
    }
}

/// A string literal; a raw one where that is easier to read.
pub(super) fn string(text: &str) -> String {
    let plain =
        !text.contains(['"', '\\', '\n', '\r', '\t']) && !text.chars().any(char::is_control);
    if plain {
        return format!("\"{text}\"");
    }
    // A raw string can not hold a carriage return of its own, nor show what is invisible.
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return escaped(text);
    }
    let mut hashes = String::new();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}

fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// An SQL expression: small numbers and truth values as they are.
pub(super) fn expression(sql: &str) -> String {
    let digits = sql.strip_prefix('-').unwrap_or(sql);
    let number = !digits.is_empty()
        && digits.len() <= 18
        && digits.chars().all(|c| c.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if number || sql == "true" || sql == "false" { sql.to_owned() } else { string(sql) }
}

/// `(name = value, …)`
pub(super) fn options(options: &[(String, String)]) -> String {
    let option = |(name, value): &(String, String)| {
        let name: Vec<String> = name.split('.').map(word).collect();
        format!("{} = {}", name.join("."), expression(value))
    };
    let options: Vec<String> = options.iter().map(option).collect();
    format!("({})", options.join(", "))
}

pub(super) fn data_type(data_type: &Type) -> String {
    let name = match &data_type.name {
        TypeName::Sql(text) => return dimensions(string(text), data_type),
        TypeName::Plain { schema: None, name } => plain_type(name),
        TypeName::Plain { schema: Some(schema), name } => {
            format!("{}.{}", word(schema), word(name))
        }
    };
    if data_type.modifiers.is_empty() {
        return dimensions(name, data_type);
    }
    dimensions(format!("{name}({})", data_type.modifiers.join(", ")), data_type)
}

/// A string alone would be SQL, so a name that is no word gets its schema.
fn plain_type(name: &str) -> String {
    let word = word(name);
    if word.starts_with(['"', 'r']) && word != name { format!("public.{word}") } else { word }
}

fn dimensions(mut text: String, data_type: &Type) -> String {
    if data_type.nullable_elements && data_type.dimensions > 0 {
        text.push('?');
    }
    text.push_str(&"[]".repeat(data_type.dimensions));
    text
}

/// With a space before each.
pub(super) fn sequence_options(options: &SequenceOptions) -> String {
    let mut text = String::new();
    if let Some(data_type) = &options.data_type {
        text.push_str(&format!(" as {data_type}"));
    }
    for (name, value) in [
        ("start", options.start),
        ("increment", options.increment),
        ("minvalue", options.minimum),
        ("maxvalue", options.maximum),
        ("cache", options.cache),
    ] {
        if let Some(value) = value {
            text.push_str(&format!(" {name} {value}"));
        }
    }
    if options.cycle {
        text.push_str(" cycle");
    }
    text
}
