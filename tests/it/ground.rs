//! The repository's own components on a private database with sample data: where the
//! query functions are tested, called through the sandbox as every caller calls them.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use avenire_tests::{TestDatabase, TestHost, TestProject};
use serde_json::{Value, json};

use crate::harness;
use crate::stage::short_error;

/// A host with all components of the repository.
pub(crate) struct Ground {
    project: TestProject,
    host: TestHost,
}

impl Ground {
    /// A ground of a test's own, with two users of its own beside the sample data: `ada`
    /// and `bob`, who have nothing but their settings. Shared, for calls that run at once.
    pub(crate) async fn new() -> Result<Arc<Self>> {
        let project = harness().await?.project().await?;
        let host = project.host().await?;
        let ground = Self { project, host };
        for id in ["ada", "bob"] {
            ground.ok("auth.create-user", json!({"user": new_user(id)})).await?;
        }
        Ok(Arc::new(ground))
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        self.project.database()
    }

    /// What a call gives that is expected to succeed.
    pub(crate) async fn ok(&self, function: &str, arguments: Value) -> Result<Value> {
        self.host.ok(function, arguments).await
    }

    /// Why a call fails that is expected to, as [`short_failure`] says it.
    pub(crate) async fn refusal(&self, function: &str, arguments: Value) -> Result<String> {
        let failure = self.host.failure(function, arguments.clone()).await;
        let failure = failure.with_context(|| format!("with {arguments}"))?;
        Ok(short_failure(&failure))
    }

    /// What a call leads to: its result, or why it fails.
    pub(crate) async fn outcome(
        &self,
        function: &str,
        arguments: Value,
    ) -> Result<Result<Value, String>> {
        let outcome = self.host.outcome(function, arguments).await??;
        Ok(outcome.result.map_err(|failure| short_failure(&failure)))
    }

    /// Everything in these tables as text, to see that a call left it as it was.
    pub(crate) async fn contents(&self, tables: &[&str]) -> Result<String> {
        let mut contents = String::new();
        for table in tables {
            let sql = format!(
                "select coalesce(string_agg(row::text, E'\\n' order by row::text), '') from {table} row"
            );
            let rows = self.database().rows(&sql, &[]).await?;
            contents += rows.first().context("a row")?.get::<_, &str>(0);
            contents.push('\n');
        }
        Ok(contents)
    }

    /// Rows of that table which the condition holds for.
    pub(crate) async fn count(&self, table: &str, condition: &str) -> Result<i64> {
        self.database().count(&format!("select count(*) from {table} where {condition}")).await
    }
}

/// What a new user of that id says of themselves.
pub(crate) fn new_user(id: &str) -> Value {
    json!({"id": id, "name": id, "email": format!("{id}@example.org"), "emailVerified": false})
}

/// A failure of `avenire:types/failures` in short: `not-found chat`, `forbidden chat`,
/// `conflict users_email_key`, `invalid limit`, `database 40001`.
pub(crate) fn short_failure(failure: &Value) -> String {
    let value = &failure["val"];
    let tag = failure["tag"].as_str().unwrap_or("no tag");
    let what = match tag {
        "conflict" => value["constraint"].as_str(),
        "invalid" => value["argument"].as_str(),
        "database" => return format!("database {}", short_error(value)),
        _ => value.as_str(),
    };
    format!("{tag} {}", what.unwrap_or("without more"))
}

/// That member of each element of a list.
pub(crate) fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    let texts = list.as_array().into_iter().flatten().map(|element| element[member].as_str());
    texts.map(|text| text.unwrap_or("no text")).collect()
}

/// The ids of a list's elements.
pub(crate) fn ids(list: &Value) -> Vec<&str> {
    each(list, "id")
}

/// That member as text.
pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or("no text")
}

/// That member as a point in time that compares as text: RFC 3339 with all six digits.
pub(crate) fn moment(value: &Value, member: &str) -> String {
    let text = text(value, member).trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{seconds}.{fraction:0<6}")
}
