//! Decides by a statement's first keywords whether it may run on a connection
//! that others use afterwards, and by a few names whether it leaves something behind.
//! Never parses further: what a role may do to data is decided by Postgres' own
//! privileges.

mod remains;
mod words;

use self::remains::Remains;
use self::words::Words;
use crate::error::Error;

/// Where a statement is about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// By itself, on a connection that others use at the same time.
    Autocommit,
    /// Inside a transaction on a connection of its own.
    Transaction,
    /// The same, with settings that the host made for a caller and that stay as they are.
    Fixed,
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
const GRANT: &str = "what a component's role may do is what the manifest grants it";
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
const FIXED: &str = "the host has made settings for the caller, which stay as they are";
const UNKNOWN: &str = "it is none of the statements the host knows to leave the session as it was";

/// Checks one statement.
///
/// # Errors
/// [`Error::Denied`] for statements that change the session or the transaction,
/// [`Error::Invalid`] for empty statements and NUL bytes.
pub(crate) fn check(sql: &str, place: Place) -> Result<Kind, Error> {
    match place {
        Place::Fixed => check_fixed(sql),
        _ => check_in(sql, place),
    }
}

/// Whether a statement is of a form that reads: `select`, `with`, `values`, `table`, without a part
/// that writes. What functions do that it calls is not known here.
pub fn only_reads(sql: &str) -> bool {
    const WRITES: [&str; 5] = ["insert", "update", "delete", "merge", "into"];
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let is_read = check(sql, Place::Transaction).is_ok_and(|kind| kind == Kind::Read);
    is_read
        && !sql
            .as_bytes()
            .split(|byte| !is_word(byte))
            .any(|word| WRITES.iter().any(|write| word.eq_ignore_ascii_case(write.as_bytes())))
}

/// A statement among settings that must stay.
fn check_fixed(sql: &str) -> Result<Kind, Error> {
    let fixed = |statement: &str| Error::Denied { statement: statement.to_owned(), instead: FIXED };
    let mut words = Words { rest: sql.as_bytes() };
    words.skip_space_and_parentheses()?;
    if words.next_word().as_deref() == Some("set") {
        return Err(fixed("SET"));
    }
    let kind = check_in(sql, Place::Transaction)?;
    match remains::find(sql, kind) {
        Remains::Session(name) => Err(fixed(&name.to_ascii_uppercase())),
        _ => Ok(kind),
    }
}

fn check_in(sql: &str, place: Place) -> Result<Kind, Error> {
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
    match (remains::find(sql, kind), place) {
        (Remains::None, _) => Ok(kind),
        // The connection is closed afterwards, and what was left with it.
        (Remains::Session(_), Place::Transaction | Place::Fixed) => Ok(Kind::Tainting),
        (Remains::Session(name), Place::Autocommit) => {
            Err(Error::Denied { statement: name.to_ascii_uppercase(), instead: LASTING })
        }
        (Remains::Beyond(name, instead), _) => {
            Err(Error::Denied { statement: name.to_ascii_uppercase(), instead })
        }
    }
}

fn decide(first: &str, words: Words<'_>, place: Place) -> Result<Kind, Error> {
    let instead = match first {
        "select" | "with" | "values" | "table" => return Ok(Kind::Read),
        "insert" | "update" | "delete" | "merge" => return Ok(Kind::Write),
        "explain" | "show" | "call" | "refresh" | "truncate" | "comment" | "analyze"
        | "analyse" | "vacuum" | "reindex" | "cluster" | "import" | "notify" | "checkpoint" => {
            return Ok(Kind::Utility);
        }
        "drop" => return drop_statement(words),
        "grant" | "revoke" | "reassign" | "security" => GRANT,
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

/// `drop owned` takes the role's own grants away, for every later call.
fn drop_statement(mut words: Words<'_>) -> Result<Kind, Error> {
    match words.following().as_deref() {
        Some("owned") => Err(Error::Denied { statement: "DROP OWNED".to_owned(), instead: GRANT }),
        _ => Ok(Kind::Utility),
    }
}

/// A role may change its own password and settings, which would outlive the call and
/// lock out every host. Everything else is for Postgres' privileges to decide.
fn alter(mut words: Words<'_>) -> Result<Kind, Error> {
    match words.following().as_deref() {
        Some("role" | "user" | "group" | "database" | "system") => {
            Err(Error::Denied { statement: "ALTER ROLE".to_owned(), instead: ROLE })
        }
        Some("default") => {
            let statement = "ALTER DEFAULT PRIVILEGES".to_owned();
            Err(Error::Denied { statement, instead: GRANT })
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
        // Tables made afterwards could be temporary ones, whatever they are called.
        (Some("local"), Some("search_path" | "schema"))
            if place == Place::Transaction && remains::may_name_temporary(words.rest) =>
        {
            Ok(Kind::Tainting)
        }
        (Some("constraints"), _) | (Some("local"), Some(_)) if place == Place::Transaction => {
            Ok(Kind::Utility)
        }
        _ => denied("SET", SETTING),
    }
}

#[cfg(test)]
mod tests;
