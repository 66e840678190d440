//! How Postgres runs the statements that components really send: each finds its rows
//! through the index that is meant for it, however many rows there are.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::ground::Ground;
use crate::run;

/// Rows enough that no planner reads a whole table for a few of them.
const ROWS: &str = "
    insert into users (id, name, email, username)
    select 'u' || n, 'n', 'u' || n || '@example.org', 'name' || n from generate_series(1, 2000) n;
    insert into user_settings (user_id) select 'u' || n from generate_series(1, 2000) n;
    insert into accounts (user_id, provider_id, account_id)
    select 'u' || n, 'github', n::text from generate_series(1, 2000) n;
    insert into passkeys (user_id, public_key, credential_id, device_type, backed_up)
    select 'u' || n, 'k', 'c' || n, 'single-device', false from generate_series(1, 2000) n;
    insert into email_verifications (identifier, value, expires_at)
    select 'v' || n, 'v', 'infinity' from generate_series(1, 2000) n;
    insert into chat (id, user_id, title, created_at)
    select 'c' || n, 'u' || n % 2000 + 1, 'About ' || n, timestamptz '2026-01-01Z' + n * interval '1 s'
    from generate_series(1, 20000) n;
    insert into message (id, chat_id, role, parts, created_at)
    select 'm' || n, 'c' || n % 2000 + 1, 'user', '1', timestamptz '2026-01-01Z' + n * interval '1 s'
    from generate_series(1, 100000) n;
    analyze";

/// Calls, and the index that each call's statement is to use.
fn calls() -> Vec<(&'static str, Value, &'static str)> {
    let place = json!({"createdAt": "2026-01-01T01:00:00Z", "id": "x"});
    let after = json!({"tag": "after", "val": place});
    let before = json!({"tag": "before", "val": place});
    let in_chat =
        |start: &Value| json!({"chatId": "c7", "reader": "u8", "limit": 5, "start": start});
    let of_user = |start: &Value| json!({"userId": "u8", "limit": 5, "start": start});
    let chats = "chat_user_id_created_at_idx";
    let messages = "message_chat_id_created_at_idx";
    vec![
        ("chat.get-messages-by-chat-id", json!({"chatId": "c7", "reader": "u8"}), messages),
        ("chat.list-messages", in_chat(&json!("first")), messages),
        ("chat.list-messages", in_chat(&after), messages),
        ("chat.list-messages", in_chat(&before), messages),
        ("chat.get-message-by-id", json!({"messageId": "m6", "reader": "u8"}), "message_pkey"),
        (
            "chat.delete-messages-by-chat-id-after-timestamp",
            json!({"chatId": "c7", "userId": "u8", "timestamp": "2026-01-02T00:00:00Z"}),
            messages,
        ),
        ("chat.get-chat-by-id", json!({"chatId": "c7", "reader": "u8"}), "chat_pkey"),
        ("chat.get-chats-by-user-id", json!({"userId": "u8", "limit": 5}), chats),
        ("chat.list-chats", of_user(&json!("first")), chats),
        ("chat.list-chats", of_user(&after), chats),
        ("chat.list-chats", of_user(&before), chats),
        ("chat.search-chats-by-title", json!({"userId": "u8", "term": "a", "limit": 5}), chats),
        ("chat.get-message-count-by-user-id", json!({"userId": "u8", "hours": 1}), chats),
        ("chat.get-user-stats", json!({"userId": "u8"}), messages),
        ("auth.get-user-by-id", json!({"userId": "u8"}), "users_pkey"),
        ("auth.get-user-by-email", json!({"email": "U8@example.org"}), "users_email_key"),
        ("auth.get-user-by-username", json!({"username": "Name8"}), "users_username_key"),
        (
            "auth.get-account-by-provider",
            json!({"providerId": "github", "accountId": "8"}),
            "accounts_provider_key",
        ),
        ("auth.list-accounts", json!({"userId": "u8"}), "accounts_user_id_idx"),
        (
            "auth.get-verification",
            json!({"identifier": "v8"}),
            "email_verifications_identifier_idx",
        ),
        (
            "auth.consume-verification",
            json!({"identifier": "v8", "value": "v"}),
            "email_verifications_identifier_idx",
        ),
        ("auth.list-passkeys", json!({"userId": "u8"}), "passkeys_user_id_idx"),
        (
            "auth.get-passkey-by-credential-id",
            json!({"credentialId": "c8"}),
            "passkeys_credential_id_key",
        ),
        (
            "auth.advance-passkey-counter",
            json!({"credentialId": "c8", "counter": 9}),
            "passkeys_credential_id_key",
        ),
        ("settings.get-settings", json!({"userId": "ada"}), "user_settings_pkey"),
    ]
}

/// Lists that are read in the index's own order: nothing is sorted, so that a page costs
/// the same wherever it begins.
const UNSORTED: [&str; 3] = ["chat.list-messages", "chat.list-chats", "chat.get-chats-by-user-id"];

#[test]
fn statements_find_their_rows_through_the_index_that_is_meant_for_them() -> Result<()> {
    run(async {
        let ground = Ground::new().await?;
        ground.database().run(ROWS).await?;
        for (function, arguments, index) in calls() {
            ground.ok(function, arguments).await?;
            let statement = last_statement(&ground).await?;
            let plan = plan(&ground, &statement).await?;
            assert!(plan.contains(index), "{function} does not use {index}: {statement}\n{plan}");
            assert!(!plan.contains("Seq Scan"), "{function} reads a whole table: {plan}");
            let is_sorted = plan.contains("Sort");
            assert!(!is_sorted || !UNSORTED.contains(&function), "{function} sorts: {plan}");
        }
        Ok(())
    })
}

/// The statement that a component's connection sent last, as Postgres shows it
/// (PostgreSQL documentation, "pg_stat_activity").
async fn last_statement(ground: &Ground) -> Result<String> {
    let sql = "select query, (select setting::int - 1 from pg_settings where name = 'track_activity_query_size')
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
            and usename <> current_user and backend_type = 'client backend'
        order by query_start desc limit 1";
    let rows = ground.database().rows(sql, &[]).await?;
    let row = rows.first().context("a connection of a component")?;
    let (statement, most): (String, i32) = (row.get(0), row.get(1));
    ensure!(statement.len() < usize::try_from(most)?, "the statement is cut off: {statement}");
    Ok(statement)
}

/// The plan that Postgres makes for a statement without knowing its parameters' values,
/// so that it is the plan of all values.
async fn plan(ground: &Ground, statement: &str) -> Result<String> {
    let session = ground.database().session().await?;
    session.batch("set plan_cache_mode = force_generic_plan").await?;
    // A component says the types of its parameters; here they have to follow from the text.
    let statement = statement.replace("$2 is null", "$2::text is null");
    session.batch(&format!("prepare tried as {statement}")).await?;
    let sql =
        "select cardinality(parameter_types) from pg_prepared_statements where name = 'tried'";
    let rows = session.rows(sql, &[]).await?;
    let parameters: i32 = rows.first().context("a prepared statement")?.get(0);
    let nulls = vec!["null"; usize::try_from(parameters)?].join(", ");
    let lines = session.rows(&format!("explain (costs off) execute tried({nulls})"), &[]).await?;
    Ok(lines.iter().map(|line| line.get::<_, &str>(0)).collect::<Vec<_>>().join("\n"))
}
