//! What the host sets for one transaction on behalf of a caller: a role, a search path, settings
//! that policies read (PostgreSQL documentation, "Row Security Policies", "Customized Options").
//! Never: lets the component of the call change them.

use std::fmt;
use std::fmt::Write as _;

use crate::error::Error;

/// The longest value, in bytes.
const LONGEST: usize = 8 << 10;

/// Settings that end with their transaction.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Local {
    role: Option<String>,
    settings: Vec<(String, String)>,
}

impl Local {
    /// `role` must have been granted to the user that logs in. A setting is `search_path`, or has a
    /// name with a dot, such as `app.user_id`, of lower-case letters, digits and underscores.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other names, and for values of more than 8 KiB or with a NUL.
    pub fn new(role: Option<String>, settings: Vec<(String, String)>) -> Result<Self, Error> {
        if role.as_ref().is_some_and(|role| role.is_empty() || role.contains('\0')) {
            return Err(Error::invalid("the role for the transaction is no name"));
        }
        for (name, value) in &settings {
            if !is_setting(name) {
                let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
                return Err(Error::invalid(format!("{name} is no setting for a transaction")));
            }
            if value.len() > LONGEST || value.contains('\0') {
                return Err(Error::invalid(format!("the value for {name} is too long or no text")));
            }
        }
        Ok(Self { role, settings })
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.role.is_none() && self.settings.is_empty()
    }

    /// What follows `BEGIN`, as one text of the simple protocol. The role comes last, since it may
    /// not be allowed to set the rest.
    pub(super) fn sql(&self) -> String {
        let mut sql = String::new();
        for (name, value) in &self.settings {
            if name == SEARCH_PATH {
                let names: Vec<String> =
                    value.split(',').map(|name| quoted(name.trim().trim_matches('"'))).collect();
                let _ = write!(sql, "; set local search_path = {}", names.join(", "));
            } else {
                let _ = write!(sql, "; set local {name} = {}", literal(value));
            }
        }
        if let Some(role) = &self.role {
            let _ = write!(sql, "; set local role {}", quoted(role));
        }
        sql
    }
}

/// Names only: values are the caller's.
impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.settings.iter().map(|(name, _)| name).collect();
        f.debug_struct("Local").field("role", &self.role).field("settings", &names).finish()
    }
}

const SEARCH_PATH: &str = "search_path";

fn is_setting(name: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    name == SEARCH_PATH || (name.len() <= 63 && name.contains('.') && name.split('.').all(is_part))
}

/// A name as SQL (PostgreSQL documentation, "Identifiers and Key Words").
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL, whatever `standard_conforming_strings` is.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> Result<Local, Error> {
        Local::new(None, vec![(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn values_can_not_leave_their_quotes() {
        let local = one("app.user_id", "a'; drop table x; -- \\").unwrap();
        assert_eq!(local.sql(), "; set local app.user_id = E'a\\'; drop table x; -- \\\\'");
        let local = one("search_path", "tenant_1, \"a\"\"; x\"").unwrap();
        assert_eq!(local.sql(), "; set local search_path = \"tenant_1\", \"a\"\"\"\"; x\"");
        let local = Local::new(Some("a\"b".to_owned()), Vec::new()).unwrap();
        assert_eq!(local.sql(), "; set local role \"a\"\"b\"");
    }

    #[test]
    fn settings_of_the_server_and_odd_names_are_refused() {
        for name in
            ["statement_timeout", "role", "a.b; drop", "App.x", "a..b", ".a", "a.", "a.1", ""]
        {
            assert!(one(name, "x").is_err(), "{name}");
        }
        assert!(one("app.user_id", "nul\0").is_err());
        assert!(one("app.user_id", &"x".repeat(LONGEST + 1)).is_err());
        assert!(Local::new(Some(String::new()), Vec::new()).is_err());
    }

    #[test]
    fn values_are_not_shown() {
        let shown = format!("{:?}", one("app.user_id", "secret").unwrap());
        assert!(shown.contains("app.user_id") && !shown.contains("secret"), "{shown}");
    }
}
