//! What a manifest declares of a component's functions: which only read, and which are one
//! transaction. Pure functions.
//!
//! Never: believes it of a function that was not named.

/// Whether a call may be carried out more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing was declared: at most once.
    #[default]
    No,
    /// It only reads. Statements that write are denied.
    ReadOnly,
    /// It is one transaction: its statements take effect all or none.
    Transactional,
}

impl Repeat {
    /// `no`, `read-only` or `transactional`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::ReadOnly => "read-only",
            Self::Transactional => "transactional",
        }
    }
}

/// Names of functions, in which `*` stands for any letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Functions that only read.
    pub read_only: Vec<String>,
    /// Functions that are one transaction.
    pub transactional: Vec<String>,
}

impl Declared {
    /// What is declared of a function. One that is declared to be both is one transaction, in which
    /// nothing is denied.
    pub fn of(&self, function: &str) -> Repeat {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, function));
        if any(&self.transactional) {
            Repeat::Transactional
        } else if any(&self.read_only) {
            Repeat::ReadOnly
        } else {
            Repeat::No
        }
    }

    /// The patterns that are about none of these functions.
    pub fn idle(&self, functions: &[&str]) -> Vec<&str> {
        let all = self.read_only.iter().chain(&self.transactional);
        let is_idle = |pattern: &&String| !functions.iter().any(|name| matches(pattern, name));
        all.filter(is_idle).map(String::as_str).collect()
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        let Some(at) = name.find(part) else { return false };
        name = name.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, name, fits) in [
            ("get-*", "get-chat", true),
            ("get-*", "get-", true),
            ("get-*", "target-x", false),
            ("*", "", true),
            ("*-by-*", "get-chat-by-id", true),
            ("*-by-*", "get-chat", false),
            ("a*a", "a", false),
            ("a*b*c", "axbxc", true),
            ("a*b*c", "axcxb", false),
            ("save", "save-chat", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_not_named_is_nothing_and_both_is_a_transaction() {
        let declared = Declared {
            read_only: vec!["get-*".to_owned()],
            transactional: vec!["get-and-*".to_owned(), "sve-*".to_owned()],
        };
        assert_eq!(declared.of("get-chat"), Repeat::ReadOnly);
        assert_eq!(declared.of("get-and-delete"), Repeat::Transactional);
        assert_eq!(declared.of("save-chat"), Repeat::No);
        let functions = ["get-chat", "get-and-delete", "save-chat"];
        assert_eq!(declared.idle(&functions), ["sve-*"]);
    }
}
