//! Names in a statement's text that tell of an effect beyond it: on the session, on
//! other sessions, or hidden in a text that Postgres would run. Owns the names. Never
//! tells literals from code: a statement that merely mentions a call can pass the text
//! as a parameter.

use super::Kind;
use super::words::Words;

/// What a statement leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remains {
    /// Nothing that is known.
    None,
    /// Something that ends with the session.
    Session(&'static str),
    /// Something that closing the session does not undo, or that nobody may do at all;
    /// with what to do instead.
    Beyond(&'static str, &'static str),
}

const HIDDEN: &str = "it runs or names what the host can not see; write the statement itself";
const BACKENDS: &str = "the host ends its own connections; a call has a deadline";
const LARGE_OBJECTS: &str =
    "large objects belong to no table, so nothing grants or counts them; use a `bytea` column";
const SEQUENCES: &str = "connections are shared, so it may tell of another call; use `returning`";

/// Functions whose effect outlives the statement: settings, seeds and advisory locks of
/// the session (PostgreSQL documentation, "System Administration Functions",
/// "Mathematical Functions and Operators").
const LASTING: [&str; 6] = [
    "set_config",
    "setseed",
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
];

/// Functions that run a text as SQL and could hide any call ("Producing XML Content",
/// "Text Search Functions"), that end what other calls do ("Server Signaling
/// Functions"), that make objects without a table ("Large Objects"), or that tell what an
/// earlier call did in the session ("Sequence Manipulation Functions").
const BEYOND: [(&str, &str); 12] = [
    ("query_to_xml", HIDDEN),
    ("query_to_xmlschema", HIDDEN),
    ("query_to_xml_and_xmlschema", HIDDEN),
    ("ts_stat", HIDDEN),
    ("ts_rewrite", HIDDEN),
    ("pg_terminate_backend", BACKENDS),
    ("pg_cancel_backend", BACKENDS),
    ("lo_creat", LARGE_OBJECTS),
    ("lo_create", LARGE_OBJECTS),
    ("lo_from_bytea", LARGE_OBJECTS),
    ("currval", SEQUENCES),
    ("lastval", SEQUENCES),
];

/// Looks for the names in the whole text.
pub(super) fn find(sql: &str, kind: Kind) -> Remains {
    let mut found = Remains::None;
    let mut rest = sql.as_bytes();
    while let Some(start) = rest.iter().position(|byte| is_of_word(*byte)) {
        let from = rest.get(start..).unwrap_or_default();
        let end = from.iter().position(|byte| !is_of_word(*byte)).unwrap_or(from.len());
        let Some((word, after)) = from.split_at_checked(end) else { break };
        // Older scanners let a name follow a number at once.
        let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match told_by(word.get(digits..).unwrap_or_default(), after, kind) {
            Remains::None => {}
            session @ Remains::Session(_) => found = session,
            beyond @ Remains::Beyond(..) => return beyond,
        }
        rest = after;
    }
    found
}

/// Whether the value of a search path could name the schema of temporary objects, also
/// with escapes.
pub(super) fn may_name_temporary(value: &[u8]) -> bool {
    let name = b"pg_temp";
    value.iter().any(|byte| matches!(byte, b'\\' | b'&'))
        || value.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name))
}

/// `$` ends a word here, though not in a name: the end of a dollar-quoted text may stand
/// right before one.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn told_by(word: &[u8], after: &[u8], kind: Kind) -> Remains {
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    if let Some(name) = LASTING.into_iter().find(|name| is(name))
        && is_followed_by(after, b'(')
    {
        return Remains::Session(name);
    }
    if let Some((name, instead)) = BEYOND.into_iter().find(|(name, _)| is(name))
        && is_followed_by(after, b'(')
    {
        return Remains::Beyond(name, instead);
    }
    // A name written with escapes could be any of these.
    if is("u") && after.starts_with(b"&\"") {
        return Remains::Beyond("U&\"", HIDDEN);
    }
    if is_temporary_schema(word) && is_followed_by(after, b'.') {
        return Remains::Session("pg_temp");
    }
    // `insert into temp` writes to a table of that name.
    if kind != Kind::Write && (is("into") || is("create")) && makes_temporary(after) {
        return Remains::Session(if is("into") { "into temporary" } else { "create temporary" });
    }
    Remains::None
}

/// `pg_temp`, or the name it stands for in some session, such as `pg_temp_3`.
fn is_temporary_schema(word: &[u8]) -> bool {
    word.split_at_checked(7).is_some_and(|(name, number)| {
        name.eq_ignore_ascii_case(b"pg_temp")
            && number.strip_prefix(b"_").unwrap_or(number).iter().all(u8::is_ascii_digit)
    })
}

/// Whether that comes next, after the quote of a quoted name, space and comments.
fn is_followed_by(after: &[u8], byte: u8) -> bool {
    let mut words = Words { rest: after.strip_prefix(b"\"").unwrap_or(after) };
    words.skip_space().is_ok() && words.rest.first() == Some(&byte)
}

/// `into [local | global] {temp | temporary}`, `create [or replace] [local | global]
/// {temp | temporary}`.
fn makes_temporary(after: &[u8]) -> bool {
    let mut words = Words { rest: after };
    for _ in 0..4 {
        match words.following().as_deref() {
            Some("temp" | "temporary") => return true,
            Some("local" | "global" | "or" | "replace") => {}
            _ => return false,
        }
    }
    false
}
