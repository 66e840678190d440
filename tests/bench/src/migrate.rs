//! What the schema toolkit costs: a `migrate` with nothing to do, `generate` on the project's
//! own schema, `pull` of a large database.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use avenire_app::postgres::{Endpoint, Session};
use avenire_app::schema::Migrations;
use avenire_tests::{Harness, TestProject, repository};

use crate::table::Table;

/// Tables of the database that is pulled, ten columns each.
const TABLES: usize = 1000;

const MINUTE: Duration = Duration::from_mins(1);

pub(crate) async fn measure(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    noop(harness, rounds, table).await?;
    generate(harness, rounds, table).await?;
    pull(harness, rounds.min(3), table).await
}

/// `Migrations::apply` with nothing pending, less what connecting alone costs, alternately.
async fn noop(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    let database = harness.database().await?;
    let migrations = Migrations::load(&repository().join("migrations"))?;
    let (mut beyond, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let began = Instant::now();
        connect(database.endpoint()).await?;
        let connecting = began.elapsed();
        let began = Instant::now();
        migrations.apply(database.endpoint(), Instant::now() + MINUTE, &|_| {}).await?;
        beyond.push(millis(began.elapsed()) - millis(connecting));
    }
    table.add("noop-ms", "ms", "migrate with nothing pending, beyond connecting", beyond);
    let project = harness.project().await?;
    for round in 0..=rounds {
        let took = run(&project, &["migrate"])?;
        if round > 0 {
            whole.push(millis(took));
        }
    }
    table.add("noop-process-ms", "ms", "the same as a process, from start to end", whole);
    Ok(())
}

/// `generate --check` on the project's own schema, as a process, the embedded cluster warm.
async fn generate(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    let manifest = std::fs::read_to_string(repository().join("avenire.toml"))?;
    let scratch = format!("[database]\nscratch-url = \"{}\"\n", harness.cluster().url());
    let manifest = manifest.replace("[database]\n", &scratch);
    let project = harness.project_with(&manifest, harness.database().await?)?;
    let modules = project.folder().join("guest-queries");
    std::os::unix::fs::symlink(repository().join("guest-queries"), modules)?;
    let mut values = Vec::new();
    for round in 0..=rounds {
        let took = run(&project, &["generate", "--check"])?;
        if round > 0 {
            values.push(took.as_secs_f64());
        }
    }
    table.add(
        "generate-s",
        "s",
        "generate --check on the project's own schema, whole process",
        values,
    );
    Ok(())
}

/// `pull` of a thousand tables with foreign keys, indexes, checks and comments.
async fn pull(harness: &Harness, rounds: usize, table: &mut Table) -> Result<()> {
    let database = harness.empty_database().await?;
    database.run(&large()).await?;
    let manifest = format!(
        "[database]\nscratch-url = \"{}\"\n[schema]\nmodules = \"src\"\n[migrations]\npath = \"pulled\"\n",
        harness.cluster().url()
    );
    let project = harness.project_with(&manifest, database)?;
    let (mut reading, mut proven) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let alone = ["pull", "--no-baseline", "--overwrite", "--unproven"];
        reading.push(run(&project, &alone)?.as_secs_f64());
        proven.push(run(&project, &["pull", "--no-baseline", "--overwrite"])?.as_secs_f64());
    }
    table.add(
        "pull-1000-tables-s",
        "s",
        "pull --unproven of 1,000 tables with 10,000 columns, whole process",
        reading,
    );
    table.add(
        "pull-proven-s",
        "s",
        "the same with its proof: Postgres makes all of it in a scratch database",
        proven,
    );
    Ok(())
}

fn large() -> String {
    let mut sql = String::new();
    for number in 0..TABLES {
        let parent = number / 2;
        sql.push_str(&format!(
            "create table area_{group}_t{number} (
                id bigint generated always as identity primary key,
                parent_id bigint, name text not null default 'x', kind varchar(20) not null,
                amount numeric(12, 2) check (amount >= 0), at timestamptz not null default now(),
                tags text[] not null default '{{}}', about jsonb, active boolean not null default true,
                code uuid not null default gen_random_uuid(), unique (code));
             create index on area_{group}_t{number} (parent_id, at desc);
             comment on column area_{group}_t{number}.kind is 'what it is';",
            group = number / 20
        ));
        if number > 0 {
            sql.push_str(&format!(
                "alter table area_{}_t{number} add foreign key (parent_id) references area_{}_t{parent} (id) on delete cascade;",
                number / 20,
                parent / 20
            ));
        }
    }
    sql
}

async fn connect(endpoint: &Endpoint) -> Result<Session> {
    Ok(Session::connect(endpoint, Instant::now() + MINUTE).await?)
}

/// Runs the program in the project's folder, on its database, and times the process.
fn run(project: &TestProject, arguments: &[&str]) -> Result<Duration> {
    let program = crate::ground::repository_binary()?;
    let began = Instant::now();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(project.folder())
        .env("DATABASE_URL", project.database().url())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .context("the program could not be run")?;
    let took = began.elapsed();
    anyhow::ensure!(
        output.status.success(),
        "{arguments:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(took)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
