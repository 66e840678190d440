//! What names and texts may be before they reach the database. Never: changes what was checked.

use std::borrow::Cow;

use super::error::RegistryError;

/// The most characters of a text that people write: a source, a name, a reason.
pub(super) const MAXIMUM_TEXT: usize = 500;

/// The most characters of a component's contract.
pub(super) const MAXIMUM_CONTRACT: usize = 64 << 10;

/// The most characters of a signature file.
pub(super) const MAXIMUM_SIGNATURE: usize = 4 << 10;

/// The most characters of a component's name.
const MAXIMUM_NAME: usize = 32;

/// The most characters of a host's id.
const MAXIMUM_ID: usize = 64;

/// A component's name: a lower-case letter, then letters, digits and hyphens, 32 in all.
pub(super) fn component(name: &str) -> Result<(), RegistryError> {
    let is_name = name.len() <= MAXIMUM_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_name {
        return Ok(());
    }
    let shortened = name.chars().take(MAXIMUM_NAME).map(visible).collect();
    Err(RegistryError::BadComponent { component: shortened })
}

/// The id of a host: letters, digits and `-_.:`, 64 at most.
pub(super) fn host(id: &str) -> Result<(), RegistryError> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if !id.is_empty() && id.len() <= MAXIMUM_ID && id.chars().all(is_part) {
        return Ok(());
    }
    let reason = "has other characters than letters, digits and `-_.:`, or not 1 to 64 of them";
    Err(RegistryError::BadText { what: "the host's id", reason: reason.into() })
}

/// A text that the database can keep.
pub(super) fn text(what: &'static str, text: &str, maximum: usize) -> Result<(), RegistryError> {
    let reason = if text.contains('\0') {
        "has a zero character".into()
    } else if text.chars().nth(maximum).is_some() {
        format!("has more than {maximum} characters")
    } else {
        return Ok(());
    };
    Err(RegistryError::BadText { what, reason })
}

/// The same for one that may be absent.
pub(super) fn maybe(
    what: &'static str,
    value: Option<&str>,
    maximum: usize,
) -> Result<(), RegistryError> {
    value.map_or(Ok(()), |value| text(what, value, maximum))
}

/// What a machine reports is cut instead of refused, so that it is told at all.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    if self::text("", text, MAXIMUM_TEXT).is_ok() {
        return Cow::Borrowed(text);
    }
    let replaced = text.chars().map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c });
    Cow::Owned(replaced.take(MAXIMUM_TEXT).collect())
}

fn visible(c: char) -> char {
    if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_has_a_name_that_can_stand_anywhere() {
        for name in ["chat", "c", "a-1", &"x".repeat(32)] {
            assert!(component(name).is_ok(), "{name}");
        }
        for name in ["", "1a", "-a", "Chat", "a_b", "a'b", "é", "a\0", "a b", &"x".repeat(33)] {
            assert!(component(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_a_machine_reports_is_cut_to_what_fits() {
        assert_eq!(shortened("all\nof it"), "all\nof it");
        assert_eq!(shortened("a\0b"), "a\u{fffd}b");
        assert_eq!(shortened(&"é".repeat(900)).chars().count(), MAXIMUM_TEXT);
        assert!(text("x", &"é".repeat(500), 500).is_ok());
        assert!(text("x", &"é".repeat(501), 500).is_err());
    }
}
