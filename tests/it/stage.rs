//! The hostile component in slots with different limits, on a private database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use avenire_app::engine::{CallError, Slot};
use avenire_tests::{TestDatabase, TestHost, TestProject};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::harness;

/// The slots there are and their limits. The times are long where a test does not
/// need the call to end by them.
const SLOTS: [(&str, &str); 5] = [
    ("steady", r#"time = "120s""#),
    ("brief", r#"time = "2s""#),
    (
        "small",
        r#"time = "120s", memory = "4MiB", rows = 2000000, bytes = "1GiB", statements = 1000"#,
    ),
    (
        "narrow",
        r#"time = "120s", transfer = "256KiB", statement-bytes = "64KiB", rows = 1000, bytes = "64KiB", statements = 10, handles = 3"#,
    ),
    ("single", r#"time = "120s", concurrency = 1, queue = 0"#),
];

/// What the components work on. `note_id_seq` shows that a row was written, also
/// when its transaction was rolled back.
const TABLES: &str = "
    create table note (id bigint generated always as identity primary key, text text not null unique);
    create type mood as enum ('calm', 'wild');
";

/// A host whose slots all serve the hostile component.
pub(crate) struct Stage {
    project: TestProject,
    host: TestHost,
}

impl Stage {
    /// A private stage with these slots.
    pub(crate) async fn with(slots: &[&str]) -> Result<Self> {
        let harness = harness().await?;
        harness.test_components().await?;
        let database = harness.empty_database().await?;
        database.run(TABLES).await?;
        let project = harness.project_with(&manifest(slots), database)?;
        let host = project.host().await?;
        Ok(Self { project, host })
    }

    /// The stage with all slots, for tests that leave no trace others could see.
    pub(crate) async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Stage> = OnceCell::const_new();
        SHARED.get_or_try_init(|| async { Self::with(&SLOTS.map(|(name, _)| name)).await }).await
    }

    pub(crate) fn host(&self) -> &TestHost {
        &self.host
    }

    pub(crate) fn slot(&self, name: &str) -> Result<&Slot> {
        let mut slots = self.host.host().slots();
        Ok(slots.find(|slot| slot.name() == name).context("a slot of this stage")?)
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        self.project.database()
    }

    pub(crate) async fn ok(&self, function: &str, arguments: Value) -> Result<Value> {
        self.host.ok(function, arguments).await
    }

    pub(crate) async fn failure(&self, function: &str, arguments: Value) -> Result<Value> {
        self.host.failure(function, arguments).await
    }

    pub(crate) async fn error(&self, function: &str, arguments: Value) -> Result<CallError> {
        self.host.error(function, arguments).await
    }

    /// The first cell of a query's first row, in that slot.
    pub(crate) async fn cell(&self, slot: &str, sql: &str) -> Result<Value> {
        let rows = self.ok(&format!("{slot}.run-sql"), json!({"sql": sql})).await?;
        rows.pointer("/0/0").cloned().context("a row")
    }

    /// What each step of a script led to, as [`short`] says it.
    pub(crate) async fn script(&self, slot: &str, steps: Value) -> Result<Vec<String>> {
        let outcomes = self.ok(&format!("{slot}.run"), json!({"steps": steps})).await?;
        Ok(all_short(&outcomes))
    }

    /// How a script's call failed.
    pub(crate) async fn script_error(&self, slot: &str, steps: Value) -> Result<CallError> {
        self.error(&format!("{slot}.run"), json!({"steps": steps})).await
    }

    /// Runs an attack and, on the same thread, well-behaved calls one after another
    /// until it ends. Returns the attack's error and how many of the calls it took.
    pub(crate) async fn beside(
        &self,
        function: &str,
        arguments: Value,
    ) -> Result<(CallError, u32)> {
        let ended = AtomicBool::new(false);
        let attack = async {
            let error = self.error(function, arguments).await;
            ended.store(true, Ordering::Relaxed);
            error
        };
        let others = async {
            let mut calls = 0;
            while !ended.load(Ordering::Relaxed) {
                let answer = self.cell("steady", "select 6 * 7").await?;
                ensure!(answer == "42", "a well-behaved call answered {answer}");
                calls += 1;
            }
            Ok(calls)
        };
        let (error, calls) = tokio::join!(attack, others);
        Ok((error?, calls?))
    }

    /// Fails unless the slot still serves.
    pub(crate) async fn serves(&self, slot: &str) -> Result<()> {
        let answer = self.cell(slot, "select 'alive'").await?;
        ensure!(answer == "alive", "{slot} answered {answer}");
        Ok(())
    }

    /// Fails unless everything that calls began in Postgres has ended. Cancelling
    /// reaches it a moment after the call's end; a minute is far more than it takes and
    /// far less than what the attacks sleep.
    pub(crate) async fn no_statement_goes_on(&self) -> Result<()> {
        let busy = format!(
            "select count(*) from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid() \
             and (state like 'idle in transaction%' or query like '%pg_sleep%' and state = 'active')",
            self.database().name()
        );
        for _ in 0..600 {
            if self.database().count(&busy).await? == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("a statement or a transaction outlived its call")
    }

    /// Rows in `note` with that text.
    pub(crate) async fn notes(&self, text: &str) -> Result<i64> {
        let sql = "select count(*) from note where text = $1";
        let rows = self.database().rows(sql, &[&text]).await?;
        Ok(rows.first().context("a row")?.get(0))
    }

    /// How many rows were ever written to `note`, rolled back or not.
    pub(crate) async fn writes(&self) -> Result<i64> {
        self.database()
            .count("select case when is_called then last_value else 0 end from note_id_seq")
            .await
    }
}

/// A step of a script with a value.
pub(crate) fn step(tag: &str, value: impl Into<Value>) -> Value {
    json!({"tag": tag, "val": value.into()})
}

/// What each element of a list of results is, in short.
pub(crate) fn all_short(outcomes: &Value) -> Vec<String> {
    outcomes.as_array().into_iter().flatten().map(short).collect()
}

/// A result as WIT's JSON has it, in short: the value's text, or the error behind an
/// exclamation mark: `!23505`, `!limit rows 1000`, `!invalid`.
pub(crate) fn short(outcome: &Value) -> String {
    let value = &outcome["val"];
    match outcome["tag"].as_str() {
        Some("ok") => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        Some("err") => format!("!{}", short_error(value)),
        _ => format!("not a result: {outcome}"),
    }
}

/// An error of `avenire:database/types` in short.
pub(crate) fn short_error(error: &Value) -> String {
    let value = &error["val"];
    match error["tag"].as_str() {
        Some("database") => value["code"].as_str().unwrap_or("no code").to_owned(),
        Some("limit") => {
            format!("limit {} {}", value["kind"].as_str().unwrap_or("no kind"), value["maximum"])
        }
        Some(tag) => tag.to_owned(),
        None => format!("not an error: {error}"),
    }
}

fn manifest(slots: &[&str]) -> String {
    let entry = |name: &&str| {
        let (_, limits) = SLOTS.iter().find(|(slot, _)| slot == name).expect("a slot of the list");
        format!(
            "[components.{name}]\npath = \"target/components/hostile.wasm\"\n\
             grants = {{ note = \"all\" }}\nlimits = {{ {limits} }}\n"
        )
    };
    slots.iter().map(entry).collect()
}
