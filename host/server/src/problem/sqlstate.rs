//! What an error of Postgres means to a caller over HTTP, by its SQLSTATE.
//!
//! | SQLSTATE | meaning | status | blame |
//! | --- | --- | --- | --- |
//! | `08…` | connection | 503 | database |
//! | `22…` | a value that does not fit (too long, out of range, not a date) | 400 | caller |
//! | `23503`, `23505`, `23P01` | foreign key, unique, exclusion | 409 | caller |
//! | `23…` | not null, check and other constraints | 400 | caller |
//! | `25006` | a write in a read-only transaction | 405 | component |
//! | `25P03`, `25P04` | a transaction that idled or lasted too long | 504 | component |
//! | `28…` | the host's own login was refused | 503 | host |
//! | `40001`, `40P01` | serialization failure, deadlock: try again | 503 | database |
//! | `42501` | privilege or row-level security | 403 | caller |
//! | `42…`, `26…`, `34…` | the statement itself is wrong | 500 | component |
//! | `53…` | out of connections, memory or disk | 503 | database |
//! | `55P03` | a lock was not to be had | 503 | database |
//! | `57014` | cancelled, such as by `statement_timeout` | 504 | database |
//! | `57P01`…`57P05` | the server stops, starts or cuts idle sessions | 503 | database |
//! | `P0001`, `P0002`, `P0003` | raised by a function or trigger of the schema | 400 | caller |
//! | all others | | 500 | database |
//!
//! It follows PostgREST's table where that has a row, with three differences: the statements here are
//! the component's and not the caller's, so that a wrong one is no fault of the request; what may be
//! tried again is 503 so that clients do; and 42501 is always 403, as a caller who reaches the
//! database has authenticated wherever that is asked for.

use super::kind::Blame;

/// Status, blame, and whether to try again, of a SQLSTATE (five characters; anything else counts as
/// unknown). See the table above.
pub fn database_status(sqlstate: &str) -> (u16, Blame, bool) {
    match sqlstate {
        "23503" | "23505" | "23P01" => (409, Blame::Caller, false),
        "25006" => (405, Blame::Component, false),
        "25P03" | "25P04" => (504, Blame::Component, false),
        "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "57P05" => {
            (503, Blame::Database, true)
        }
        "42501" => (403, Blame::Caller, false),
        "57014" => (504, Blame::Database, false),
        "P0001" | "P0002" | "P0003" => (400, Blame::Caller, false),
        _ => match sqlstate.get(..2).filter(|_| sqlstate.len() == 5) {
            Some("08" | "53") => (503, Blame::Database, true),
            Some("22" | "23") => (400, Blame::Caller, false),
            Some("28") => (503, Blame::Host, false),
            Some("26" | "34" | "42") => (500, Blame::Component, false),
            _ => (500, Blame::Database, false),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_has_its_status() {
        for (sqlstate, status, blame, retryable) in [
            ("08006", 503, Blame::Database, true),
            ("22P02", 400, Blame::Caller, false),
            ("23502", 400, Blame::Caller, false),
            ("23514", 400, Blame::Caller, false),
            ("23503", 409, Blame::Caller, false),
            ("23505", 409, Blame::Caller, false),
            ("23P01", 409, Blame::Caller, false),
            ("25006", 405, Blame::Component, false),
            ("25P03", 504, Blame::Component, false),
            ("25P02", 500, Blame::Database, false),
            ("28P01", 503, Blame::Host, false),
            ("40001", 503, Blame::Database, true),
            ("40P01", 503, Blame::Database, true),
            ("42501", 403, Blame::Caller, false),
            ("42P01", 500, Blame::Component, false),
            ("26000", 500, Blame::Component, false),
            ("34000", 500, Blame::Component, false),
            ("53300", 503, Blame::Database, true),
            ("55P03", 503, Blame::Database, true),
            ("57014", 504, Blame::Database, false),
            ("57P01", 503, Blame::Database, true),
            ("P0001", 400, Blame::Caller, false),
            ("XX000", 500, Blame::Database, false),
        ] {
            assert_eq!(database_status(sqlstate), (status, blame, retryable), "{sqlstate}");
        }
    }

    #[test]
    fn what_is_no_sqlstate_is_an_unknown_one() {
        for text in ["", "2", "23", "23505x", "ünï"] {
            assert_eq!(database_status(text), (500, Blame::Database, false), "{text:?}");
        }
    }
}
