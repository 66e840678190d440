//! Names by themselves, and their repetition.

use std::collections::BTreeSet;

use super::Found;
use super::known::Known;
use crate::syntax::{Location, Name, ObjectName};

/// Longest name in bytes (PostgreSQL documentation, "Identifiers and Key Words": `NAMEDATALEN`
/// less one). Postgres cuts longer ones, so that two may become one.
const LONGEST: usize = 63;

pub(super) fn name(name: &Name, what: &str, found: &mut Found) {
    text(&name.text, name.at, what, found);
}

pub(super) fn object(name: &ObjectName, what: &str, known: &Known<'_>, found: &mut Found) {
    text(&name.name, name.at, what, found);
    known.schema(&name.schema, name.at, found);
}

/// What an enum has may be empty.
pub(super) fn label(name: &Name, found: &mut Found) {
    if !name.text.is_empty() {
        text(&name.text, name.at, "value", found);
    }
}

/// An object's name is only the modules': it may be a signature, of any length.
pub(super) fn signature(name: &Name, found: &mut Found) {
    if name.text.is_empty() || name.text.contains('\0') {
        text(&name.text, name.at, "object", found);
    }
}

/// The name that a type or an enum's variant gets in Rust by `as`.
pub(super) fn rust(name: Option<&Name>, found: &mut Found) {
    let Some(name) = name.filter(|name| !crate::rust::is_name(&name.text)) else { return };
    let hint = format!("write `as {}`", crate::rust::camel_case(&name.text));
    found.add(name.at, format!("`{name}` can not be a name in Rust"), hint);
}

fn text(name: &str, at: Location, what: &str, found: &mut Found) {
    if name.is_empty() || name.contains('\0') {
        found.add(at, format!("a {what} needs a name"), "give it one that Postgres can have");
    } else if name.len() > LONGEST {
        found.add(
            at,
            format!(
                "the name of the {what} `{name}` has {} bytes, {LONGEST} are allowed",
                name.len()
            ),
            "shorten it; Postgres would cut it silently",
        );
    }
}

/// Reports names that come twice.
pub(super) fn unique<'a>(
    names: impl IntoIterator<Item = &'a Name>,
    what: &str,
    place: &str,
    found: &mut Found,
) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.text.as_str()) {
            found.add(
                name.at,
                format!("{place} has the {what} `{name}` twice"),
                "rename or remove one of them",
            );
        }
    }
}
