//! The ledger's commands for a project: `migrate`, `status`, `rollback`, `mark`, `baseline`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use avenire_schema::diff::Difference;
use avenire_schema::{
    ApplyOptions, Baselined, Done, Drizzle, Extent, Mark, Marked, Migrations, Preview, Progress,
    Report, Status, Target, drift,
};

use super::{SHORT_TIME, Workbench, all_migrations, migrations_of, own_migrations};
use crate::error::AppError;
use crate::project::Project;
use crate::targets::Targets;

/// How long applying or undoing migrations may take. Each statement may take as long.
const MIGRATION_TIME: Duration = Duration::from_hours(1);

/// Told of each step as it begins.
type Told<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Applies what is pending, of the project and then of its components. With a target version only
/// of the project. One report for each, with the component's name.
pub async fn migrate(
    project: &Project,
    targets: &Targets,
    options: ApplyOptions,
    told: Told<'_>,
) -> Result<Vec<(String, Report)>, AppError> {
    let mut all = all_migrations(project)?;
    let deadline = Instant::now() + MIGRATION_TIME;
    let progress = |step: Progress| tell(&step, told);
    if options.to != Target::Latest {
        all.truncate(1);
        let own = all.first().ok_or_else(nothing)?;
        let report = own.apply_with(options, &targets.direct, deadline, &progress).await;
        let report = report.map_err(|failure| AppError::Migrating(Box::new(failure)))?;
        return Ok(vec![(own.component().to_owned(), report)]);
    }
    let references: Vec<&Migrations> = all.iter().collect();
    let reports =
        Migrations::apply_all(&references, options.order, &targets.direct, deadline, &progress);
    let reports = reports.await.map_err(|failure| AppError::Migrating(Box::new(failure)))?;
    Ok(all.iter().map(|one| one.component().to_owned()).zip(reports).collect())
}

fn nothing() -> AppError {
    AppError::NoMigrations { component: "main".to_owned() }
}

fn tell(step: &Progress, told: Told<'_>) {
    match step {
        Progress::Applying { file } => told(&format!("applying {file}")),
        Progress::Undoing { file } => told(&format!("running {file}")),
        Progress::WaitingForOther => told("waiting for another host that migrates"),
        Progress::WaitingForLocks { file } => {
            told(&format!("{file} waits for a lock on a table and is tried again"));
        }
        Progress::Statement { file, number, of, .. } if *of > 1 => {
            told(&format!("{file}: statement {number} of {of}"));
        }
        Progress::Resuming { file, statements } => {
            told(&format!("{file} goes on after its first {statements} statement(s)"));
        }
        _ => {}
    }
}

/// What `migrate` would do, for each component.
pub async fn migration_plan(
    project: &Project,
    targets: &Targets,
    options: ApplyOptions,
) -> Result<Vec<(String, Preview)>, AppError> {
    let mut all = all_migrations(project)?;
    if options.to != Target::Latest {
        all.truncate(1);
    }
    let mut plans = Vec::new();
    for one in &all {
        let preview = one.preview(options, &targets.direct, Instant::now() + SHORT_TIME).await;
        plans.push((one.component().to_owned(), preview.map_err(AppError::Migration)?));
    }
    Ok(plans)
}

/// Which migrations are applied and which are pending, for each component.
pub async fn migration_status(
    project: &Project,
    targets: &Targets,
) -> Result<Vec<(String, Status)>, AppError> {
    let mut all = Vec::new();
    for one in all_migrations(project)? {
        let status = one.status(&targets.direct, Instant::now() + SHORT_TIME).await;
        all.push((one.component().to_owned(), status.map_err(AppError::Migration)?));
    }
    Ok(all)
}

/// What to undo.
#[derive(Clone, Copy, Debug)]
pub struct Rollback<'a> {
    /// Whose migrations; `main` is the project itself.
    pub component: &'a str,
    /// How many.
    pub extent: Extent,
}

impl Rollback<'_> {
    /// What would be done.
    pub async fn plan(&self, project: &Project, targets: &Targets) -> Result<Preview, AppError> {
        let migrations = migrations_of(project, self.component)?;
        let deadline = Instant::now() + SHORT_TIME;
        let preview = migrations.preview_rollback(self.extent, &targets.direct, deadline).await;
        preview.map_err(AppError::Migration)
    }
}

/// Undoes migrations by their down files. Hazards of losing data must be in `accept`.
pub async fn rollback(
    project: &Project,
    targets: &Targets,
    what: Rollback<'_>,
    accept: &BTreeSet<String>,
    told: Told<'_>,
) -> Result<Vec<Done>, AppError> {
    let migrations = migrations_of(project, what.component)?;
    let deadline = Instant::now() + MIGRATION_TIME;
    let progress = |step: Progress| tell(&step, told);
    let undone = migrations.rollback(what.extent, accept, &targets.direct, deadline, &progress);
    undone.await.map_err(|failure| AppError::RollingBack(Box::new(failure)))
}

/// Records a migration as applied, or as not applied.
pub async fn mark(
    project: &Project,
    targets: &Targets,
    component: &str,
    version: i64,
    mark: Mark,
) -> Result<Marked, AppError> {
    let migrations = migrations_of(project, component)?;
    let marked = migrations.mark(version, mark, &targets.direct, Instant::now() + SHORT_TIME).await;
    marked.map_err(AppError::Migration)
}

/// How a database is adopted.
#[derive(Clone, Copy, Debug, Default)]
pub struct BaselineOptions<'a> {
    /// The last migration it has; all without.
    pub to: Option<i64>,
    /// Drizzle Kit's folder.
    pub drizzle: Option<&'a Path>,
}

/// What the adoption of a database came to.
#[derive(Debug)]
pub enum Adopted {
    /// The migrations are recorded.
    Recorded(Baselined),
    /// The database is not what the migrations produce; nothing was recorded.
    Differs(Difference),
}

/// Records migrations as applied in a database that has their schema already. With a workbench
/// that is made sure of first.
pub async fn baseline(
    project: &Project,
    targets: &Targets,
    workbench: Option<&Workbench>,
    options: BaselineOptions<'_>,
) -> Result<Adopted, AppError> {
    let migrations = own_migrations(project)?;
    let newest = migrations.available().last().ok_or_else(nothing)?.version;
    let to = options.to.unwrap_or(newest);
    let drizzle = options
        .drizzle
        .map(|folder| Drizzle::load(&project.path(folder)))
        .transpose()
        .map_err(AppError::MigrationFiles)?;
    if let Some(workbench) = workbench {
        let (server, scope) = (&workbench.server, &workbench.scope);
        let difference = drift::distance(&targets.direct, &migrations, to, server, scope).await;
        let difference = difference.map_err(|error| AppError::Drift(Box::new(error)))?;
        if !difference.is_empty() {
            return Ok(Adopted::Differs(difference));
        }
    }
    let deadline = Instant::now() + SHORT_TIME;
    let baselined = migrations.baseline(to, drizzle.as_ref(), &targets.direct, deadline).await;
    baselined.map(Adopted::Recorded).map_err(AppError::Migration)
}
