//! Decides by a statement's first keywords whether it may run on a connection
//! that others use afterwards, and by the names of a few functions whether it leaves
//! something behind in the session. Never parses further: what a role may do to data
//! is decided by Postgres' own privileges.

use crate::error::Error;

/// Where a statement is about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// By itself, on a connection that others use at the same time.
    Autocommit,
    /// Inside a transaction on a connection of its own.
    Transaction,
}

/// What the first keywords tell of an allowed statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `select`, `with`, `values`, `table`: returns rows.
    Read,
    /// `insert`, `update`, `delete`, `merge`: may return rows.
    Write,
    /// Everything else.
    Utility,
    /// Leaves something behind in the session, so that the connection must not be
    /// used by others afterwards (temporary tables inside a transaction).
    Tainting,
}

const TRANSACTION: &str = "use the transaction functions of the database interface";
const SAVEPOINT: &str = "use the savepoint functions of a transaction";
const PREPARE: &str = "statements are prepared by the host; send the statement itself";
const CURSOR: &str = "use open-cursor";
const LISTEN: &str = "connections are shared, so notifications can not be received on them";
const SETTING: &str =
    "connections are shared; use `SET LOCAL` inside a transaction, or a setting of the role";
const ROLE: &str = "a component works as the role the host gives it";
const COPY: &str = "use a cursor to read and batches or `unnest` to write";
const LOAD: &str = "libraries are loaded by the server's configuration";
const DISCARD: &str = "connections are shared and their state is kept by the host";
const LOCK: &str = "locks end with the statement; take them inside a transaction";
const TEMPORARY: &str = "connections are shared; create temporary tables inside a transaction";
const LASTING: &str = "its effect would outlive the statement on a shared connection; use a \
     transaction with `SET LOCAL` or `pg_advisory_xact_lock`, and parameters for texts";
const BLOCK: &str =
    "a block can change the session unseen; write a statement, or a function in a migration";
const FUNCTION: &str = "functions are made by migrations";
const UNKNOWN: &str = "it is none of the statements the host knows to leave the session as it was";

/// Checks one statement.
///
/// # Errors
/// [`Error::Denied`] for statements that change the session or the transaction,
/// [`Error::Invalid`] for empty statements and NUL bytes.
pub(crate) fn check(sql: &str, place: Place) -> Result<Kind, Error> {
    if sql.as_bytes().contains(&0) {
        return Err(Error::invalid("the statement contains a NUL byte"));
    }
    let mut words = Words { rest: sql.as_bytes() };
    words.skip_space_and_parentheses()?;
    let Some(first) = words.next_word() else {
        return match words.rest.first() {
            None => Err(Error::invalid("the statement is empty")),
            Some(byte) => {
                let shown = if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' };
                Err(Error::Denied { statement: shown.to_string(), instead: UNKNOWN })
            }
        };
    };
    let kind = decide(&first, words, place)?;
    match (lasting_function(sql), place) {
        (None, _) => Ok(kind),
        // The connection is closed afterwards, and what was left with it.
        (Some(_), Place::Transaction) => Ok(Kind::Tainting),
        (Some(name), Place::Autocommit) => {
            Err(Error::Denied { statement: name.to_ascii_uppercase(), instead: LASTING })
        }
    }
}

/// Functions whose effect outlives the statement, or that run text as SQL and could
/// hide such a call: settings and advisory locks of the session, and the documents and
/// statistics made from a query's text (PostgreSQL documentation, "System
/// Administration Functions", "Producing XML Content", "Text Search Functions").
const LASTING_FUNCTIONS: [&str; 7] = [
    "set_config",
    "pg_advisory_lock",
    "pg_try_advisory_lock",
    "query_to_xml",
    "ts_stat",
    "ts_rewrite",
    // Identifiers written with escapes could be any of these.
    "u&\"",
];

/// Looks for the names anywhere in the text, also in literals: a statement that
/// merely mentions one can pass it as a parameter.
fn lasting_function(sql: &str) -> Option<&'static str> {
    let bytes = sql.as_bytes();
    LASTING_FUNCTIONS.into_iter().find(|name| {
        bytes.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name.as_bytes()))
    })
}

fn decide(first: &str, words: Words<'_>, place: Place) -> Result<Kind, Error> {
    let instead = match first {
        "select" | "with" | "values" | "table" => return Ok(Kind::Read),
        "insert" | "update" | "delete" | "merge" => return Ok(Kind::Write),
        "explain" | "show" | "call" | "refresh" | "drop" | "truncate" | "comment" | "grant"
        | "revoke" | "analyze" | "analyse" | "vacuum" | "reindex" | "cluster" | "reassign"
        | "security" | "import" | "notify" | "checkpoint" => {
            return Ok(Kind::Utility);
        }
        "alter" => return alter(words),
        "create" => return create(words, place),
        "do" => BLOCK,
        "lock" if place == Place::Transaction => return Ok(Kind::Utility),
        "set" => return set(words, place),
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" => TRANSACTION,
        "savepoint" | "release" => SAVEPOINT,
        "prepare" | "execute" | "deallocate" => PREPARE,
        "declare" | "fetch" | "move" | "close" => CURSOR,
        "listen" | "unlisten" => LISTEN,
        "reset" => SETTING,
        "discard" => DISCARD,
        "copy" => COPY,
        "load" => LOAD,
        "lock" => LOCK,
        _ => UNKNOWN,
    };
    // A long unknown word is shortened: it comes from the guest and goes to logs.
    let statement = first.chars().take(32).collect::<String>().to_ascii_uppercase();
    Err(Error::Denied { statement, instead })
}

/// A role may change its own password and settings, which would outlive the call and
/// lock out every host. Everything else is for Postgres' privileges to decide.
fn alter(mut words: Words<'_>) -> Result<Kind, Error> {
    match words.following().as_deref() {
        Some("role" | "user" | "group" | "database" | "system") => {
            Err(Error::Denied { statement: "ALTER ROLE".to_owned(), instead: ROLE })
        }
        _ => Ok(Kind::Utility),
    }
}

/// `create [global | local] {temporary | temp}` and `create or replace temp view`
/// leave an object in the session.
fn create(mut words: Words<'_>, place: Place) -> Result<Kind, Error> {
    for _ in 0..4 {
        match words.following().as_deref() {
            Some("temp" | "temporary") if place == Place::Transaction => {
                return Ok(Kind::Tainting);
            }
            Some("temp" | "temporary") => {
                return Err(Error::Denied {
                    statement: "CREATE TEMPORARY".to_owned(),
                    instead: TEMPORARY,
                });
            }
            // In the schema of temporary objects everyone may make one.
            Some("function" | "procedure") => {
                let statement = "CREATE FUNCTION".to_owned();
                return Err(Error::Denied { statement, instead: FUNCTION });
            }
            Some("global" | "local" | "or" | "replace") => {}
            _ => break,
        }
    }
    Ok(Kind::Utility)
}

/// Inside a transaction `set local <setting>` and `set constraints` end with it;
/// every other form outlives it or changes who speaks.
fn set(mut words: Words<'_>, place: Place) -> Result<Kind, Error> {
    let second = words.following();
    let third = words.following();
    let denied =
        |statement: &str, instead| Err(Error::Denied { statement: statement.to_owned(), instead });
    match (second.as_deref(), third.as_deref()) {
        (Some("role"), _) | (Some("local" | "session"), Some("role")) => denied("SET ROLE", ROLE),
        (Some("session" | "local"), Some("authorization" | "session")) => {
            denied("SET SESSION AUTHORIZATION", ROLE)
        }
        (Some("transaction"), _)
        | (Some("local" | "session"), Some("transaction" | "characteristics")) => {
            denied("SET TRANSACTION", TRANSACTION)
        }
        (Some("constraints"), _) | (Some("local"), Some(_)) if place == Place::Transaction => {
            Ok(Kind::Utility)
        }
        _ => denied("SET", SETTING),
    }
}

/// The words at the beginning of a statement, as Postgres' scanner sees them
/// (PostgreSQL documentation, "Lexical Structure").
struct Words<'a> {
    rest: &'a [u8],
}

impl Words<'_> {
    fn skip_space_and_parentheses(&mut self) -> Result<(), Error> {
        loop {
            self.skip_space()?;
            match self.rest {
                [b'(', rest @ ..] => self.rest = rest,
                _ => return Ok(()),
            }
        }
    }

    fn skip_space(&mut self) -> Result<(), Error> {
        loop {
            match self.rest {
                [b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c, rest @ ..] => self.rest = rest,
                [b'-', b'-', rest @ ..] => {
                    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                    self.rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
                }
                [b'/', b'*', rest @ ..] => self.rest = after_comment(rest)?,
                _ => return Ok(()),
            }
        }
    }

    /// The next word in lower case; none when something else comes first.
    fn next_word(&mut self) -> Option<String> {
        let is_start = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        let is_inner = |byte: &u8| {
            byte.is_ascii_alphanumeric() || matches!(*byte, b'_' | b'$') || !byte.is_ascii()
        };
        self.rest.first().filter(|byte| is_start(byte))?;
        let end = self.rest.iter().position(|byte| !is_inner(byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(String::from_utf8_lossy(word).to_ascii_lowercase())
    }

    fn following(&mut self) -> Option<String> {
        self.skip_space().ok()?;
        self.next_word()
    }
}

/// What follows a block comment whose opening was consumed. They nest.
fn after_comment(mut rest: &[u8]) -> Result<&[u8], Error> {
    let mut depth = 1_usize;
    while depth > 0 {
        rest = match rest {
            [b'*', b'/', rest @ ..] => {
                depth -= 1;
                rest
            }
            [b'/', b'*', rest @ ..] => {
                depth += 1;
                rest
            }
            [_, rest @ ..] => rest,
            [] => return Err(Error::invalid("the statement has an unterminated comment")),
        };
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(sql: &str, place: Place) -> String {
        match check(sql, place) {
            Err(Error::Denied { statement, .. }) => statement,
            other => panic!("{sql:?} gave {other:?}"),
        }
    }

    #[test]
    fn reading_and_writing_statements_pass() {
        for (sql, kind) in [
            ("select 1", Kind::Read),
            ("  \n\t SELECT 1", Kind::Read),
            ("((select 1) union (select 2))", Kind::Read),
            ("with a as (select 1) insert into t select * from a", Kind::Read),
            ("/* a /* b */ begin */ values (1)", Kind::Read),
            ("-- begin\nselect 1", Kind::Read),
            ("-- begin\rselect 1", Kind::Read),
            ("table t", Kind::Read),
            ("insert into t values (1)", Kind::Write),
            ("MERGE into t using s on true when matched then delete", Kind::Write),
            ("create index on t (a)", Kind::Utility),
            ("create or replace view v as select 1", Kind::Utility),
            ("select'begin'", Kind::Read),
        ] {
            assert_eq!(check(sql, Place::Autocommit).unwrap(), kind, "{sql}");
        }
    }

    #[test]
    fn session_and_transaction_statements_are_denied_however_they_are_disguised() {
        for sql in [
            "begin",
            "BEGIN",
            "/**/begin",
            "/* /* */ select */ commit",
            "--\n--\nrollback",
            "(((begin",
            "start transaction",
            "end",
            "abort",
            "savepoint a",
            "release a",
            "prepare a as select 1",
            "execute a",
            "deallocate all",
            "declare c cursor for select 1",
            "fetch all from c",
            "move 1 from c",
            "close c",
            "listen a",
            "unlisten *",
            "set a = 1",
            "set local a = 1",
            "reset all",
            "discard all",
            "copy t from stdin",
            "load 'x'",
            "lock table t",
            "; begin",
            ";",
            "\u{feff}select 1",
            "selecté 1",
            "select$ 1",
            "\"select\" 1",
            "frobnicate",
            "create temp table t ()",
            "create local temporary table t ()",
            "create or replace temp view v as select 1",
            "create/**/temp table t ()",
            "do $$ begin perform set_config('role', 'other', false); end $$",
            "alter role component password 'x'",
            "ALTER /**/ user component set search_path = other",
            "alter database d set statement_timeout = 0",
            "create function pg_temp.f() returns int language sql as 'select 1'",
            "create or replace procedure pg_temp.p() language sql as ''",
            "select set_config('search_path', 'other', false)",
            "select pg_catalog.SET_CONFIG('a.b', 'c', false)",
            "select u&\"set\\005fconfig\"('a.b', 'c', false)",
            "select pg_advisory_lock(1)",
            "select query_to_xml('select 1', true, false, '')",
        ] {
            denied(sql, Place::Autocommit);
        }
    }

    #[test]
    fn inside_a_transaction_only_local_settings_pass() {
        let allowed = |sql| check(sql, Place::Transaction).is_ok();
        assert!(allowed("set local work_mem = '1MB'"));
        assert!(allowed("set constraints all deferred"));
        assert!(allowed("lock table t in share mode"));
        let lasting = check("select set_config('a.b', 'c', true)", Place::Transaction);
        assert_eq!(lasting.unwrap(), Kind::Tainting);
        assert!(check("select pg_advisory_xact_lock(1)", Place::Autocommit).is_ok());
        assert_eq!(check("create temp table t ()", Place::Transaction).unwrap(), Kind::Tainting);
        for sql in [
            "set work_mem = '1MB'",
            "set session work_mem = '1MB'",
            "set local/**/role other",
            "set session role other",
            "set role other",
            "set session authorization other",
            "set local session authorization other",
            "set transaction read write",
            "set local transaction read write",
            "set session characteristics as transaction read write",
            "commit",
        ] {
            denied(sql, Place::Transaction);
        }
    }

    #[test]
    fn malformed_statements_are_invalid() {
        for sql in ["", "   ", "-- nothing", "/* /* */", "((", "select '\0'"] {
            assert!(matches!(check(sql, Place::Autocommit), Err(Error::Invalid { .. })), "{sql:?}");
        }
    }
}
