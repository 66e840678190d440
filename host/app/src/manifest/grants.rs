//! `grants = { chat = "all", users = ["select(id)"] }`: what a component's role
//! may do to which tables.
//!
//! Owns the form and the quoting; a grant that was read can be written into SQL
//! as it is.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The grants of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(pub Vec<TableGrant>);

/// What may be done to one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableGrant {
    /// Schema of the table.
    pub schema: String,
    /// Name of the table.
    pub table: String,
    /// What is allowed, in the order of the manifest.
    pub privileges: Vec<Privilege>,
}

/// One privilege on a table (PostgreSQL documentation, "Privileges").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privilege {
    /// `select`, `insert`, `update` or `delete`.
    pub verb: &'static str,
    /// The columns it is limited to; all when empty.
    pub columns: Vec<String>,
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb)?;
        if self.columns.is_empty() {
            return Ok(());
        }
        write!(f, "({})", self.columns.join(", "))
    }
}

impl TableGrant {
    /// `schema.table`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }

    /// Whether any privilege reaches a column.
    pub fn covers(&self, column: &str) -> bool {
        let reaches = |privilege: &Privilege| {
            privilege.columns.is_empty() || privilege.columns.iter().any(|name| name == column)
        };
        // To delete says nothing of columns.
        self.privileges.iter().filter(|privilege| privilege.verb != "delete").any(reaches)
    }

    /// Whether rows can be added, which needs the table's sequences too.
    pub fn may_insert(&self) -> bool {
        self.privileges.iter().any(|privilege| privilege.verb == "insert")
    }
}

const VERBS: [&str; 4] = ["select", "insert", "update", "delete"];

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"all\" or an array such as [\"select\", \"update(name)\"]"
)]
enum Entry {
    Word(String),
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for Grants {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        BTreeMap::<String, Entry>::deserialize(input)?
            .into_iter()
            .map(|(name, entry)| table_grant(&name, &entry).map_err(D::Error::custom))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn table_grant(name: &str, entry: &Entry) -> Result<TableGrant, String> {
    let (schema, table) = name.split_once('.').unwrap_or(("public", name));
    if !is_identifier(schema) || !is_identifier(table) {
        return Err(format!(
            "`{name}` can not be a table here; write `table` or `schema.table` with letters, digits and underscores"
        ));
    }
    let privileges = match entry {
        Entry::Word(word) if word == "all" => {
            VERBS.map(|verb| Privilege { verb, columns: Vec::new() }).to_vec()
        }
        Entry::Word(word) => {
            return Err(format!("`{word}` is no grant; write \"all\" or an array"));
        }
        Entry::List(words) => words.iter().map(|word| privilege(word)).collect::<Result<_, _>>()?,
    };
    Ok(TableGrant { schema: schema.to_owned(), table: table.to_owned(), privileges })
}

fn privilege(word: &str) -> Result<Privilege, String> {
    let (name, columns) = match word.split_once('(') {
        None => (word.trim(), None),
        Some((name, rest)) => {
            let columns = rest.trim_end().strip_suffix(')');
            let columns =
                columns.ok_or_else(|| format!("`{word}` lacks its closing parenthesis"))?;
            (name.trim(), Some(columns))
        }
    };
    let verb = VERBS
        .into_iter()
        .find(|verb| *verb == name)
        .ok_or_else(|| format!("`{name}` is no privilege; there are `{}`", VERBS.join("`, `")))?;
    let Some(columns) = columns else { return Ok(Privilege { verb, columns: Vec::new() }) };
    if verb == "delete" {
        return Err("a deletion can not be limited to columns".to_owned());
    }
    let columns: Vec<String> = columns.split(',').map(|name| name.trim().to_owned()).collect();
    match columns.iter().find(|name| !is_identifier(name)) {
        Some(name) => Err(format!("`{name}` can not be a column here")),
        None => Ok(Privilege { verb, columns }),
    }
}

/// What can be quoted without surprises. Postgres cuts names at 63 bytes.
fn is_identifier(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
