//! What callers choose, and what they get back for it.
//! Never: decides anything.

/// What to apply. By default everything, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// How far.
    pub to: Target,
    /// What of a migration whose number is below one that is applied.
    pub order: Order,
}

/// How far to apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// To the newest file.
    #[default]
    Latest,
    /// To this number, which must be one of the files'.
    Version(i64),
}

/// Whether the order of the numbers counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// A migration that comes too late is refused.
    #[default]
    Strict,
    /// It is applied all the same: whoever says so knows that it does not depend on the later ones.
    Any,
}

/// How much to undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// So many, the newest first.
    Steps(usize),
    /// Everything above this number, which must be applied; 0 is everything.
    To(i64),
}

/// What to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// That it is applied.
    Applied,
    /// That it is not.
    NotApplied,
}

/// What recording came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// The ledger says so now.
    Changed,
    /// The ledger said so before.
    Unchanged,
}

/// What a baseline recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselined {
    /// The files that are recorded as applied now, in order.
    pub marked: Vec<String>,
    /// How many were before.
    pub already: usize,
    /// Something to think of, one sentence without a full stop.
    pub advice: Option<String>,
}

/// Its name is written into SQL, and into the ledger for good.
pub(super) fn names_a_component(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_a_plain_word() {
        for name in ["main", "chat", "a-b_2"] {
            assert!(names_a_component(name), "{name}");
        }
        let long = "a".repeat(64);
        for name in ["", "Chat", "1a", "a b", "a'b", "ä", long.as_str()] {
            assert!(!names_a_component(name), "{name}");
        }
    }
}
