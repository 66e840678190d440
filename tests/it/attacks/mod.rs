//! Components that attack the database, the sessions that calls share, the server's
//! memory and the host's: how each is refused, and that nothing of it is left. Owns the
//! list of attacks and what a later call would see of them.
//!
//! | attack | tested in |
//! | --- | --- |
//! | loops, also in host calls; memory; recursion; panics; floods of log lines | `containment` |
//! | results, text and memories that are malformed; start functions | `crafted` |
//! | malformed packed parameters | `database` |
//! | handles that are leaked, forged, used after their end | `leftovers` |
//! | statements, rows, bytes, handles beyond the budget | `limits` |
//! | memory, settings, locks, temporary tables for the next call | `pristine` |
//! | another role; tables, files and programs of the server | `roles` |
//! | transaction control as text | `transactions`, `postgres/denied` |
//! | what is left in a session: settings, objects, locks, seeds, names of statements | `sessions` |
//! | what is left in the database: grants, large objects, functions | `sessions` |
//! | catalogs with secrets, other components' statements, extensions | `secrets` |
//! | 10 MB of SQL, endless and gigantic results, errors, notices, JSON | `sizes` |
//! | statements for the cache, results of odd types | `sizes` |
//! | a full pool, ten thousand cursors, locks that are kept, notifications | `floods` |

mod floods;
mod secrets;
mod sessions;
mod sizes;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::stage::{Stage, step};

/// All of a session that a statement could have changed, in one text. The statement's
/// own time limit is a setting of the session, so it shows too.
const SESSION: &str = "select concat_ws(' | ', session_user, current_user,
    (select string_agg(name || '=' || setting, ',' order by name) from pg_settings
        where source = 'session'),
    pg_my_temp_schema()::text,
    (select count(*) from pg_class where relnamespace = pg_my_temp_schema()),
    (select count(*) from pg_listening_channels()),
    (select count(*) from pg_prepared_statements where from_sql),
    (select count(*) from pg_cursors where is_holdable),
    (select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'),
    (select string_agg(text, ',') from note))";

/// What calls of that slot find, in both kinds of connections.
async fn sessions(stage: &Stage, slot: &str) -> Result<Vec<String>> {
    let alone = async || stage.cell(slot, SESSION).await;
    // At once, so that all shared connections are used.
    let (a, b, c, d) = tokio::join!(alone(), alone(), alone(), alone());
    let mut found: Vec<String> =
        [a?, b?, c?, d?].iter().map(|cell| cell.as_str().unwrap_or("none").to_owned()).collect();
    let steps = json!(["begin", step("transaction-query", SESSION), "rollback"]);
    found.extend(stage.script(slot, steps).await?.into_iter().nth(1));
    Ok(found)
}

/// A stage with a row that must be seen, and what its sessions are like.
async fn untouched(slots: &[&str]) -> Result<(Stage, Vec<String>)> {
    let stage = Stage::with(slots).await?;
    stage.database().run("insert into note (text) values ('real')").await?;
    let found = sessions(&stage, "steady").await?;
    ensure!(found.iter().all(|one| one.ends_with("| real")), "{found:?}");
    Ok((stage, found))
}
