//! Plans, run: from one schema to another and back.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use avenire_schema::catalog::name::quoted;
use avenire_schema::catalog::{Introspected, QName, Scope, introspect};
use avenire_schema::diff::compare;
use avenire_schema::plan::{HazardKind, PlanOptions, PlannedFile, baseline, plan};
use avenire_schema_tests::{Database, Server};

use crate::{with, with_18, with_both};

/// Pairs of schemas: `== name`, what both have, `-- before`, `-- after`, and `-- rows` for the one
/// before.
const PAIRS: &str = include_str!("../fixtures/pairs.sql");

/// What a file with a no-transaction header begins with.
const HEADER: &str = "-- avenire: no-transaction\n";

struct Pair {
    name: String,
    before: String,
    after: String,
    rows: String,
}

fn pairs() -> Vec<Pair> {
    let parts = PAIRS.split("== ").filter(|part| !part.trim().is_empty());
    parts
        .map(|part| {
            let (name, body) = part.split_once('\n').unwrap();
            let mut texts: BTreeMap<&str, String> = BTreeMap::new();
            let mut section = "both";
            for line in body.lines() {
                match line {
                    "-- before" | "-- after" | "-- rows" => section = &line[3..],
                    line => *texts.entry(section).or_default() += &format!("{line}\n"),
                }
            }
            let mut text = |section| texts.remove(section).unwrap_or_default();
            let both = text("both");
            let before = format!("{both}{}", text("before"));
            let after = format!("{both}{}", text("after"));
            Pair { name: name.to_owned(), before, after, rows: text("rows") }
        })
        .collect()
}

async fn read(database: &Database) -> Introspected {
    introspect(&database.session().await.unwrap(), &Scope::All).await.unwrap()
}

/// Everything is accepted, so that nothing is refused.
fn options(online: bool) -> PlanOptions {
    PlanOptions { online, accept: BTreeSet::from(HazardKind::ALL) }
}

/// Runs a text as the runner does: in a transaction, or each statement by itself.
async fn run(database: &Database, text: &str) -> Result<()> {
    let session = database.session().await?;
    let Some(body) = text.strip_prefix(HEADER) else {
        let ran = session.batch(&format!("begin;\n{text}\ncommit;")).await;
        return ran.with_context(|| text.to_owned());
    };
    for statement in body.split(";\n").filter(|statement| !statement.trim().is_empty()) {
        session.batch(statement).await.with_context(|| statement.to_owned())?;
    }
    Ok(())
}

async fn up(database: &Database, files: &[PlannedFile]) -> Result<()> {
    for file in files {
        ensure!(file.transaction != file.up.starts_with(HEADER));
        run(database, &file.up).await.context("up")?;
    }
    Ok(())
}

async fn down(database: &Database, files: &[PlannedFile]) -> Result<()> {
    for file in files.iter().rev() {
        let text = file.down.as_ref().with_context(|| format!("no way back\n{}", file.up))?;
        run(database, text).await.context("down")?;
    }
    Ok(())
}

/// The rows of the tables and columns that two catalogs share, as text.
async fn rows(database: &Database, one: &Introspected, other: &Introspected) -> Vec<String> {
    let mut all = Vec::new();
    for (name, table) in &one.catalog.tables {
        let Some(twin) = other.catalog.tables.get(name) else { continue };
        // Its rows are those of its partitions, which come and go.
        if table.partition_by.is_some() {
            continue;
        }
        let shared = table.columns.iter().filter(|column| {
            let same = twin.columns.iter().find(|one| one.name == column.name);
            same.is_some_and(|same| {
                same.generated.is_none() && column.generated.is_none() && !is_time(&same.data_type)
            })
        });
        let columns: BTreeSet<String> = shared.map(|column| quoted(&column.name)).collect();
        all.extend(rows_of(database, name, &columns).await);
    }
    all
}

/// A time printed without its zone, or with it, is not the same text.
fn is_time(data_type: &str) -> bool {
    data_type.starts_with("timestamp")
}

async fn rows_of(database: &Database, name: &QName, columns: &BTreeSet<String>) -> Vec<String> {
    if columns.is_empty() {
        return Vec::new();
    }
    let texts: Vec<String> = columns.iter().map(|column| format!("{column}::text")).collect();
    let sql = format!("select concat_ws('|', {}) from {} order by 1", texts.join(", "), name.sql());
    let rows = database.rows(&sql, &[]).await.unwrap();
    rows.iter().map(|row| format!("{name}: {}", row.get::<_, String>(0))).collect()
}

fn differences(one: &Introspected, other: &Introspected) -> String {
    compare(&one.catalog, &other.catalog).to_string()
}

/// There and back by one plan; what was in it stays where the plan says so.
async fn there_and_back(
    database: &Database,
    from: &Introspected,
    to: &Introspected,
    online: bool,
) -> Result<()> {
    let way = plan(from, to, &options(online));
    ensure!(way.refused.is_empty(), "{:?}", way.refused);
    let files = way.files();
    let text = text(&files);
    let before = rows(database, from, to).await;
    up(database, &files).await?;
    let there = read(database).await;
    let missed = differences(&there, to);
    ensure!(missed.is_empty(), "after the ups: {missed}\n{text}");
    ensure!(plan(&there, to, &options(online)).is_empty(), "a second plan has something to do");
    let deletes = way.hazards().any(|one| one.kind == HazardKind::DeletesData);
    let after = rows(database, from, to).await;
    ensure!(deletes || after == before, "rows: {before:?} became {after:?}\n{text}");
    down(database, &files).await.with_context(|| text.clone())?;
    let missed = differences(&read(database).await, from);
    ensure!(missed.is_empty(), "after the downs: {missed}\n{text}");
    Ok(())
}

fn text(files: &[PlannedFile]) -> String {
    let texts = files.iter().map(|file| {
        format!("==== up\n{}==== down\n{}", file.up, file.down.as_deref().unwrap_or("none"))
    });
    texts.collect()
}

async fn check(server: &Server, pair: &Pair) -> Result<()> {
    let (first, second) = (server.database().await?, server.database().await?);
    first.run(&pair.before).await.context("before")?;
    second.run(&pair.after).await.context("after")?;
    let (from, to) = (read(&first).await, read(&second).await);
    let same = compare(&from.catalog, &to.catalog).is_empty();
    ensure!(plan(&from, &to, &options(true)).is_empty() == same, "a plan for no difference");
    for online in [false, true] {
        let about = if online { "online" } else { "at once" };
        let back = there_and_back(&second, &to, &from, online).await;
        back.with_context(|| format!("turned around, {about}"))?;
    }
    first.run(&pair.rows).await.context("rows")?;
    for online in [false, true] {
        let about = if online { "online" } else { "at once" };
        there_and_back(&first, &from, &to, online).await.context(about)?;
    }
    Ok(())
}

async fn check_all(server: &Server) {
    let mut failures = Vec::new();
    for pair in pairs() {
        if let Err(error) = check(server, &pair).await {
            failures.push(format!("{}: {error:#}", pair.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_change_leads_there_and_back() {
    with(check_all);
}

#[test]
fn every_change_leads_there_and_back_on_18() {
    with_18(check_all);
}

#[test]
fn there_are_enough_pairs() {
    assert!(pairs().len() >= 60, "{}", pairs().len());
}

#[test]
fn a_baseline_makes_everything_from_nothing() {
    with_both(async |server| {
        let (rich, empty) = (server.database().await.unwrap(), server.database().await.unwrap());
        rich.run(include_str!("../fixtures/rich.sql")).await.unwrap();
        let (nothing, wanted) = (read(&empty).await, read(&rich).await);
        let files = baseline(&wanted).files();
        assert_eq!(files.len(), 1);
        up(&empty, &files).await.unwrap();
        let made = read(&empty).await;
        assert_eq!(differences(&made, &wanted), "", "{}", text(&files));
        down(&empty, &files).await.unwrap();
        assert_eq!(differences(&read(&empty).await, &nothing), "", "{}", text(&files));
    });
}

#[test]
fn a_change_that_rewrites_is_refused_unless_it_is_accepted() {
    with(async |server| {
        let (first, second) = (server.database().await.unwrap(), server.database().await.unwrap());
        first.run("create table t (a integer)").await.unwrap();
        second.run("create table t (a bigint)").await.unwrap();
        let (from, to) = (read(&first).await, read(&second).await);
        let refused = plan(&from, &to, &PlanOptions::default()).refused;
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].unless, Some(HazardKind::RewritesTable));
        assert!(plan(&from, &to, &options(true)).refused.is_empty());
    });
}
