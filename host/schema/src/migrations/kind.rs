//! What kind of statement it is, as far as going on after an interruption depends on it. Pure.
//! Never: executes anything.

use super::lexer::tokens;

/// A kind of statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `create index concurrently`: leaves an invalid index when it fails.
    CreateIndex {
        /// Without quotes; nothing when Postgres is to choose it.
        name: Option<String>,
        /// As written, quotes and schema included.
        table: String,
    },
    /// `drop index concurrently`; the name as written.
    DropIndex {
        name: String,
    },
    /// `reindex`; what it is about, as written.
    Reindex {
        what: ReindexOf,
        name: String,
    },
    /// `alter table … detach partition … concurrently`: has two transactions of its own. The names
    /// as written.
    Detach {
        parent: String,
        partition: String,
    },
    /// Harmless to run again, and never in a transaction: `vacuum` and the like.
    Maintenance,
    /// Sets something for the session, which a new session has to be told again.
    Setting,
    /// Says itself that it may have happened already (`if exists`, `if not exists`), or is the same
    /// when it happens twice (`comment on`).
    Guarded,
    Other,
}

/// What a `reindex` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReindexOf {
    Index,
    Table,
    /// A schema or a database.
    More,
}

impl Kind {
    pub(super) fn of(statement: &str) -> Self {
        let raw = tokens(statement, 48);
        let lower: Vec<String> = raw.iter().map(|token| token.to_ascii_lowercase()).collect();
        let words: Vec<&str> = lower.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["create", "index", "concurrently", ..] => create_index(raw.get(3..)),
            ["create", "unique", "index", "concurrently", ..] => create_index(raw.get(4..)),
            ["drop", "index", "concurrently", "if", "exists", ..] => drop_index(raw.get(5..)),
            ["drop", "index", "concurrently", ..] => drop_index(raw.get(3..)),
            ["reindex", ..] => reindex(&raw, &words),
            ["alter", "table", ..] if words.contains(&"detach") => detach(&raw, &words),
            ["vacuum" | "cluster" | "checkpoint", ..] | ["alter", "system", ..] => {
                Self::Maintenance
            }
            ["set", "local" | "transaction" | "constraints", ..] => Self::Other,
            ["set" | "reset", ..] => Self::Setting,
            ["comment", "on", ..] => Self::Guarded,
            _ if guarded(&words) => Self::Guarded,
            _ => Self::Other,
        }
    }

    /// Whether Postgres refuses it in a transaction, so that it is not tried there.
    pub(super) fn is_alone(&self) -> bool {
        matches!(
            self,
            Self::CreateIndex { .. }
                | Self::DropIndex { .. }
                | Self::Reindex { .. }
                | Self::Detach { .. }
                | Self::Maintenance
        )
    }

    /// Whether a session that does not know how far it got can go on with it.
    pub(super) fn may_be_repeated(&self) -> bool {
        !matches!(self, Self::Other | Self::CreateIndex { name: None, .. })
    }
}

/// Whether a file outside of a transaction can go on with the statement, however far it got.
pub(crate) fn may_be_repeated(statement: &str) -> bool {
    Kind::of(statement).may_be_repeated()
}

/// In front of the first parenthesis only: behind it may be the body of something.
fn guarded(words: &[&str]) -> bool {
    let head = words.split(|word| *word == "(").next().unwrap_or_default();
    let head = head.get(..8).unwrap_or(head);
    matches!(head.first(), Some(&("create" | "drop" | "alter")))
        && (head.windows(2).any(|two| two == ["if", "exists"])
            || head.windows(3).any(|three| three == ["if", "not", "exists"]))
}

/// `[if not exists] [name] on [only] table …`
fn create_index(rest: Option<&[&str]>) -> Kind {
    let mut rest = rest.unwrap_or_default();
    if let [first, second, third, after @ ..] = rest
        && is(first, "if")
        && is(second, "not")
        && is(third, "exists")
    {
        rest = after;
    }
    let (name, rest) = match rest {
        [on, after @ ..] if is(on, "on") => (None, after),
        [name, on, after @ ..] if is(on, "on") => (Some(unquoted(name)), after),
        _ => return Kind::Other,
    };
    let rest = match rest {
        [only, after @ ..] if is(only, "only") => after,
        _ => rest,
    };
    qualified(rest).map_or(Kind::Other, |table| Kind::CreateIndex { name, table })
}

fn drop_index(rest: Option<&[&str]>) -> Kind {
    qualified(rest.unwrap_or_default()).map_or(Kind::Other, |name| Kind::DropIndex { name })
}

/// `reindex [(…)] index|table|schema|… [concurrently] name`
fn reindex(raw: &[&str], words: &[&str]) -> Kind {
    let options = match words.get(1) {
        Some(&"(") => words.iter().position(|word| *word == ")").unwrap_or(0),
        _ => 0,
    };
    let at = options + 1;
    let what = match words.get(at) {
        Some(&"index") => ReindexOf::Index,
        Some(&"table") => ReindexOf::Table,
        _ => ReindexOf::More,
    };
    let skip = usize::from(words.get(at + 1) == Some(&"concurrently"));
    let name = raw.get(at + 1 + skip..).and_then(qualified).unwrap_or_default();
    Kind::Reindex { what, name }
}

/// `alter table [if exists] [only] parent detach partition child concurrently`
fn detach(raw: &[&str], words: &[&str]) -> Kind {
    let Some(at) = words.iter().position(|word| *word == "detach") else { return Kind::Other };
    let mut from = 2;
    if words.get(2..4) == Some(&["if", "exists"]) {
        from += 2;
    }
    if words.get(from) == Some(&"only") {
        from += 1;
    }
    let parent = raw.get(from..at).and_then(qualified);
    let partition = raw.get(at + 2..).and_then(qualified);
    let (Some(parent), Some(partition)) = (parent, partition) else { return Kind::Other };
    match words.last() {
        Some(&"concurrently") => Kind::Detach { parent, partition },
        _ => Kind::Other,
    }
}

/// `name` or `schema.name`, at the beginning.
fn qualified(tokens: &[&str]) -> Option<String> {
    let is_name = |token: &str| {
        token
            .starts_with(|c: char| c == '"' || c == '_' || c.is_ascii_alphabetic() || !c.is_ascii())
    };
    match tokens {
        [schema, ".", name, ..] if is_name(schema) && is_name(name) => {
            Some(format!("{schema}.{name}"))
        }
        [name, ..] if is_name(name) => Some((*name).to_owned()),
        _ => None,
    }
}

fn is(token: &str, word: &str) -> bool {
    token.eq_ignore_ascii_case(word)
}

/// As the catalog has it (PostgreSQL documentation, 4.1.1 "Identifiers and Key Words").
fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_known_by_its_name_and_its_table() {
        let index = |name: Option<&str>, table: &str| Kind::CreateIndex {
            name: name.map(str::to_owned),
            table: table.to_owned(),
        };
        let of = Kind::of;
        assert_eq!(of("create index concurrently I on t (a)"), index(Some("i"), "t"));
        assert_eq!(
            of(
                "CREATE unique INDEX /* x */ concurrently if not exists \"I\"\"x\" ON only \"S\".t(a)"
            ),
            index(Some("I\"x"), "\"S\".t")
        );
        assert_eq!(of("create index concurrently on s.t (a)"), index(None, "s.t"));
        assert!(!index(None, "t").may_be_repeated(), "its name is not known");
        assert_eq!(of("create index i on t (a)"), Kind::Other);
    }

    #[test]
    fn what_goes_in_several_transactions_is_known() {
        let name = "s.i".to_owned();
        assert_eq!(Kind::of("drop index concurrently if exists s.i"), Kind::DropIndex { name });
        assert_eq!(
            Kind::of("reindex (verbose) table concurrently t"),
            Kind::Reindex { what: ReindexOf::Table, name: "t".into() }
        );
        assert_eq!(
            Kind::of("alter table if exists s.p detach partition \"C\" concurrently"),
            Kind::Detach { parent: "s.p".into(), partition: "\"C\"".into() }
        );
        assert_eq!(Kind::of("alter table p detach partition c"), Kind::Other);
        assert_eq!(Kind::of("vacuum analyze t"), Kind::Maintenance);
    }

    #[test]
    fn only_what_says_so_itself_is_guarded() {
        assert_eq!(Kind::of("create table if not exists t (a int)"), Kind::Guarded);
        assert_eq!(Kind::of("drop database if exists d"), Kind::Guarded);
        assert_eq!(Kind::of("create function f(text default 'if exists')"), Kind::Other);
        assert_eq!(Kind::of("do $$ begin drop table if exists t; end $$"), Kind::Other);
        assert_eq!(Kind::of("comment on index i is 'x'"), Kind::Guarded);
        assert_eq!(Kind::of("set search_path = a"), Kind::Setting);
        assert_eq!(Kind::of("set local search_path = a"), Kind::Other);
    }
}
