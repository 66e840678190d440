//! Transactions, their savepoints and what runs inside of them, as a guest sees them.

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::run;
use crate::stage::{Stage, step};

fn query(sql: &str) -> Value {
    step("transaction-query", sql)
}

fn execute(sql: &str) -> Value {
    step("transaction-execute", sql)
}

fn insert(text: &str) -> Value {
    execute(&format!("insert into note (text) values ('{text}')"))
}

#[test]
fn a_transaction_is_seen_by_others_when_it_is_committed() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let others = step("query", "select count(*) from note where text = 'committed'");
        let steps = json!([
            "begin",
            insert("committed"),
            others,
            query("select count(*) from note where text = 'committed'"),
            "commit",
            others,
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes, ["", "1", "0", "1", "", "1"]);
        Ok(())
    })
}

#[test]
fn a_transaction_that_ended_is_invalid() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        for end in ["commit", "rollback"] {
            let steps = json!([
                "begin",
                end,
                query("select 1"),
                insert("after the end"),
                step("transaction-batch", json!(["select 1"])),
                step("transaction-open-cursor", "select 1"),
                "savepoint",
                "release-savepoint",
                "rollback-to-savepoint",
                "commit",
                "rollback",
            ]);
            let outcomes = stage.script("steady", steps).await?;
            assert_eq!(outcomes[..2], ["", ""]);
            assert_eq!(outcomes[2..], ["!invalid"; 9], "{end}");
        }
        assert_eq!(stage.notes("after the end").await?, 0);
        Ok(())
    })
}

#[test]
fn a_failed_transaction_refuses_until_it_is_rolled_back() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let steps = json!([
            "begin",
            insert("failed"),
            query("select 1 / 0"),
            query("select 1"),
            insert("failed again"),
            "savepoint",
            step("transaction-batch", json!(["select 1"])),
            step("transaction-open-cursor", "select 1"),
            "commit",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes[..3], ["", "1", "!22012"]);
        assert_eq!(outcomes[3..], ["!25P02"; 6]);
        assert_eq!(stage.notes("failed").await?, 0);
        let steps = json!([
            "begin",
            query("select 1 / 0"),
            "rollback",
            "begin",
            query("select 1"),
            "commit"
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes, ["", "!22012", "", "", "1", ""]);
        Ok(())
    })
}

#[test]
fn savepoints_nest() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let seen =
            query("select string_agg(text, ' ' order by id) from note where text like 'level %'");
        let steps = json!([
            "begin",
            insert("level 0"),
            "savepoint",
            insert("level 1"),
            "savepoint",
            insert("level 2"),
            query("select 1 / 0"),
            seen,
            "rollback-to-savepoint",
            seen,
            "savepoint",
            insert("level 2b"),
            "release-savepoint",
            seen,
            "rollback-to-savepoint",
            seen,
            "release-savepoint",
            "rollback-to-savepoint",
            seen,
            "commit",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(
            outcomes,
            [
                "",
                "1",
                "",
                "1",
                "",
                "1",
                "!22012",
                "!25P02",
                "",
                "level 0 level 1",
                "",
                "1",
                "",
                "level 0 level 1 level 2b",
                "",
                "level 0",
                "!invalid",
                "!invalid",
                "level 0",
                "",
            ]
        );
        assert_eq!(stage.notes("level 0").await?, 1);
        assert_eq!(stage.notes("level 1").await?, 0);
        Ok(())
    })
}

#[test]
fn savepoints_are_bounded() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let mut steps = vec![json!("begin")];
        steps.extend(std::iter::repeat_n(json!("savepoint"), 65));
        steps.extend([insert("deep"), json!("commit")]);
        let outcomes = stage.script("small", Value::Array(steps)).await?;
        assert!(outcomes[..65].iter().all(String::is_empty), "{outcomes:?}");
        assert_eq!(outcomes[65..], ["!invalid", "1", ""]);
        assert_eq!(stage.notes("deep").await?, 1);
        Ok(())
    })
}

#[test]
fn a_transaction_is_what_its_options_say() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let shown = query(
            "select current_setting('transaction_isolation') || ' ' || \
             current_setting('transaction_read_only') || ' ' || current_setting('transaction_deferrable')",
        );
        let begin = |isolation: Value, access: &str, deferrable: bool| {
            step(
                "begin-with",
                json!({"isolation": isolation, "access": access, "deferrable": deferrable}),
            )
        };
        let steps = json!([
            begin(Value::Null, "read-write", false),
            shown,
            "rollback",
            begin(json!("repeatable-read"), "read-write", false),
            shown,
            "rollback",
            begin(json!("serializable"), "read-only", true),
            shown,
            insert("read only"),
            "rollback",
            begin(json!("read-committed"), "read-only", false),
            shown,
            insert("read only"),
            "rollback",
            "begin",
            shown,
            "rollback",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(
            outcomes,
            [
                "",
                "read committed off off",
                "",
                "",
                "repeatable read off off",
                "",
                "",
                "serializable on on",
                "!25006",
                "",
                "",
                "read committed on off",
                "!25006",
                "",
                "",
                "read committed off off",
                "",
            ]
        );
        Ok(())
    })
}

#[test]
fn sessions_and_transactions_are_not_changed_by_text() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let texts = [
            "commit",
            "rollback",
            "savepoint a",
            "set work_mem = '1MB'",
            "set transaction read only",
        ];
        let mut steps = vec![json!("begin"), insert("by text")];
        steps.extend(texts.map(execute));
        // Denied before it was sent, so the transaction has not failed.
        steps.extend([query("select 1"), json!("rollback")]);
        let outcomes = stage.script("steady", Value::Array(steps)).await?;
        assert_eq!(
            outcomes,
            ["", "1", "!denied", "!denied", "!denied", "!denied", "!denied", "1", ""]
        );
        Ok(())
    })
}

#[test]
fn a_batch_in_a_transaction_fails_with_it() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let texts = |list: &[&str]| step("transaction-batch", json!(list));
        let steps = json!([
            "begin",
            texts(&["insert into note (text) values ('inside')", "select generate_series(1, 4)"]),
            "savepoint",
            texts(&["insert into note (text) values ('lost')", "select 1 / 0", "select 1"]),
            query("select 1"),
            "rollback-to-savepoint",
            texts(&[]),
            "commit",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        assert_eq!(outcomes, ["", "1,4", "", "!22012", "!25P02", "", "", ""]);
        assert_eq!((stage.notes("inside").await?, stage.notes("lost").await?), (1, 0));
        Ok(())
    })
}

#[test]
fn a_cursor_goes_on_while_its_transaction_does_other_things() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let open = step(
            "transaction-open-cursor",
            "select repeat('x', 400) || n from generate_series(1, 5) n",
        );
        let next = step("next", 1024);
        let steps = json!([
            "begin",
            open,
            next,
            insert("between two reads"),
            next,
            query("select count(*) from note where text = 'between two reads'"),
            next,
            next,
            "drop-cursor",
            "commit",
        ]);
        let outcomes = stage.script("steady", steps).await?;
        let reads: Vec<String> =
            [2, 4, 6, 7].map(|at: usize| outcomes[at].replace('x', "")).into_iter().collect();
        assert_eq!(reads.join(";").trim_end_matches(';'), "1;2;3;4;5");
        assert_eq!([&outcomes[3], &outcomes[5], &outcomes[9]], ["1", "1", ""]);
        assert_eq!(stage.notes("between two reads").await?, 1);
        Ok(())
    })
}

#[test]
fn a_cursor_ends_with_its_transaction() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let sql = "select repeat('x', 2000) as x from generate_series(1, 9)";
        let open = step("transaction-open-cursor", sql);
        let next = step("next", 1024);
        for end in ["commit", "rollback", "drop-transaction"] {
            let steps = json!(["begin", open, next, end, next, "columns", "drop-cursor"]);
            let outcomes = stage.script("steady", steps).await?;
            assert_eq!(outcomes[4], "!invalid", "{end}: {outcomes:?}");
            assert_eq!(outcomes[5], "x:25:-1");
        }
        Ok(())
    })
}

#[test]
fn transactions_run_beside_each_other_and_beside_statements() -> Result<()> {
    run(async {
        let stage = Stage::shared().await?;
        let write = |number: u32| {
            json!([
                "begin",
                insert(&format!("beside {number}")),
                step("query", "select 1"),
                query("select pg_sleep(0.05)::text"),
                "commit",
            ])
        };
        // More than there are connections, so that some wait for others.
        let mut calls = JoinSet::new();
        for number in 1..=8 {
            calls.spawn(stage.script("steady", write(number)));
        }
        while let Some(outcomes) = calls.join_next().await {
            assert_eq!(outcomes??, ["", "1", "1", "", ""]);
        }
        let all = "select count(*) from note where text like 'beside %'";
        assert_eq!(stage.database().count(all).await?, 8);
        Ok(())
    })
}
