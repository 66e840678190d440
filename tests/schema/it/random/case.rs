//! One case: a schema with rows, edited a few times, migrated there, back, and there again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use avenire_definitions::{Definitions, parse_file, print};
use avenire_schema::catalog::{Introspected, Scope, introspect};
use avenire_schema::diff::compare;
use avenire_schema::generate::{GenerateError, Generated, Numbering, Request, generate};
use avenire_schema::plan::{Hazard, HazardKind};
use avenire_schema::renames::{Answers, Question};
use avenire_schema::revision::{RevisionError, Terms, desired};
use avenire_schema::snapshot::Snapshot;
use avenire_schema::{Extent, Migrations};
use avenire_schema_tests::{Database, Server, repository};

use super::dice::Dice;
use super::rows::{self, Rows};
use super::sketch::Sketch;
use super::{answers, edit, make, render};

/// How often a schema is edited.
const EDITS: usize = 3;

/// What was done in all cases together.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) steps: u64,
    pub(super) rows: i64,
    /// Changes that no acceptance allows.
    refused: u64,
    /// Migrations that rows did not allow.
    failed: u64,
}

struct Case<'a> {
    server: &'a Server,
    database: Database,
    folder: PathBuf,
    sums: &'a mut Sums,
    /// What the database is.
    now: Sketch,
}

pub(super) async fn run(server: &Server, seed: u64, sums: &mut Sums) -> Result<()> {
    let version = server.version().await?;
    let kept = repository().join(format!("target/tmp/random/{version}-{seed}"));
    drop(fs::remove_dir_all(&kept));
    fs::create_dir_all(&kept)?;
    let ran = rounds(server, seed, &kept, sums).await;
    match &ran {
        Ok(()) => fs::remove_dir_all(&kept)?,
        Err(error) => fs::write(kept.join("schemas/error.txt"), format!("{error:#}"))?,
    }
    ran
}

async fn rounds(server: &Server, seed: u64, kept: &Path, sums: &mut Sums) -> Result<()> {
    let mut dice = Dice::new(seed);
    let database = server.database().await?;
    let mut case = Case { server, database, folder: kept.to_owned(), sums, now: Sketch::default() };
    let mut wanted = make::sketch(&mut dice);
    for round in 0..=EDITS {
        let step = case.step(&wanted, round).await;
        let reached =
            step.with_context(|| format!("round {round}, files in {}", kept.display()))?;
        if reached {
            case.now = wanted.clone();
            let session = case.database.session().await?;
            rows::fill(&session, &case.now).await?;
        } else {
            wanted = case.now.clone();
        }
        edit::edit(&mut wanted, &mut dice);
    }
    Ok(())
}

/// The tree, which printing and parsing must not change.
fn tree(sketch: &Sketch, folder: &Path, round: usize) -> Result<Definitions> {
    let definitions = render::render(sketch);
    for module in &definitions.modules {
        let text = print(module);
        fs::create_dir_all(folder.join("schemas"))?;
        fs::write(folder.join(format!("schemas/{round}.rs")), &text)?;
        let read = parse_file(&text, &module.file);
        let read = read.map_err(|errors| anyhow::anyhow!("printed, it is not read: {errors:?}"))?;
        ensure!(print(&read) == text, "printed, read and printed again, it is another");
    }
    Ok(definitions)
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_mins(2)
}

fn has(hazards: &[Hazard], kind: HazardKind) -> bool {
    hazards.iter().any(|hazard| hazard.kind == kind)
}

impl Case<'_> {
    /// False when the change was refused, or rows did not allow it.
    async fn step(&mut self, wanted: &Sketch, round: usize) -> Result<bool> {
        let definitions = tree(wanted, &self.folder, round)?;
        let Some(generated) = self.generate(wanted, &definitions).await? else {
            self.sums.refused += 1;
            return Ok(false);
        };
        let before = self.read().await?;
        let Some((_, snapshot)) = &generated.snapshot else {
            let endpoint = self.server.endpoint()?;
            let goal = desired(&definitions, &endpoint, &Scope::All).await?;
            let difference = compare(&before.catalog, &goal.catalog);
            ensure!(difference.is_empty(), "nothing generated, but {difference}");
            return Ok(true);
        };
        let goal = Snapshot::parse(&self.folder, snapshot)?.catalog;
        generated.write()?;
        self.sums.steps += generated.steps.len() as u64;
        let hazards: Vec<Hazard> =
            generated.steps.iter().flat_map(|step| step.hazards.clone()).collect();
        let data = self.rows(&self.now).await?;
        self.sums.rows += data.count();
        let migrations = Migrations::load(&self.folder)?;
        let mut emptied = false;
        if let Err(failure) = self.apply(&migrations).await {
            ensure!(has(&hazards, HazardKind::MayFail), "without a warning: {failure:?}");
            self.sums.failed += 1;
            emptied = true;
            self.resume(&migrations, wanted).await.context("after a failure")?;
        }
        let after = self.read().await?;
        let difference = compare(&after.catalog, &goal);
        ensure!(difference.is_empty(), "applied, but {difference}");
        if !emptied && !has(&hazards, HazardKind::DeletesData) {
            let lost = data.lost(&self.rows(wanted).await?);
            ensure!(lost.is_empty(), "lost without a warning: {lost:#?}");
        }
        // Of the rounds before the last one the next one would show it.
        if round == EDITS {
            let again = self.generate(wanted, &definitions).await?.context("refused again")?;
            ensure!(again.is_empty(), "generated again: {:#?}", again.files);
        }
        self.back(&generated, &migrations, wanted, &before, (!emptied).then_some(&data)).await?;
        Ok(true)
    }

    /// All the way back, and there again.
    async fn back(
        &self,
        generated: &Generated,
        migrations: &Migrations,
        wanted: &Sketch,
        before: &Introspected,
        data: Option<&Rows>,
    ) -> Result<()> {
        let files = generated.files.iter().filter(|(path, _)| !is_down(path)).count();
        let downs = generated.files.len() - files;
        if downs < files {
            let irreversible = generated.steps.iter().any(|step| step.down.is_none());
            ensure!(irreversible, "no way back, and no step that says so");
            return Ok(());
        }
        let accept = BTreeSet::from(["deletes-data".to_owned()]);
        let roll = || {
            migrations.rollback(
                Extent::Steps(files),
                &accept,
                self.database.endpoint(),
                deadline(),
                &|_| {},
            )
        };
        let hazards: Vec<Hazard> = generated
            .steps
            .iter()
            .flat_map(|step| step.hazards.iter().chain(&step.down_hazards).cloned())
            .collect();
        let mut emptied = false;
        if let Err(failure) = roll().await {
            ensure!(has(&hazards, HazardKind::MayFail), "back without a warning: {failure:?}");
            emptied = true;
            let session = self.database.session().await?;
            // Some files may be undone already; then it is neither the one schema nor the other.
            if rows::empty(&session, wanted).await.is_err() {
                rows::empty(&session, &self.now).await?;
            }
            let left = self.applied(migrations).await?;
            let first = migrations.available().len() - files;
            let rest = Extent::Steps(left - first);
            let ran = migrations
                .rollback(rest, &accept, self.database.endpoint(), deadline(), &|_| {})
                .await;
            ran.context("back with empty tables")?;
        }
        let difference = compare(&self.read().await?.catalog, &before.catalog);
        ensure!(difference.is_empty(), "back, but {difference}");
        if let Some(data) = data.filter(|_| !emptied && !has(&hazards, HazardKind::DeletesData)) {
            let lost = data.lost(&self.rows(&self.now).await?);
            ensure!(lost.is_empty(), "lost on the way back without a warning: {lost:#?}");
        }
        if self.apply(migrations).await.is_err() {
            self.resume(migrations, wanted).await.context("there again")?;
        }
        Ok(())
    }

    async fn applied(&self, migrations: &Migrations) -> Result<usize> {
        let status = migrations.status(self.database.endpoint(), deadline()).await?;
        Ok(status.applied.len())
    }

    /// Without rows nothing may stand in the way.
    async fn resume(&self, migrations: &Migrations, wanted: &Sketch) -> Result<()> {
        let session = self.database.session().await?;
        if rows::empty(&session, &self.now).await.is_err() {
            rows::empty(&session, wanted).await.context("neither the one nor the other")?;
        }
        self.apply(migrations).await
    }

    async fn apply(&self, migrations: &Migrations) -> Result<()> {
        migrations.apply(self.database.endpoint(), deadline(), &|_| {}).await?;
        Ok(())
    }

    async fn read(&self) -> Result<Introspected> {
        Ok(introspect(&self.database.session().await?, &Scope::All).await?)
    }

    async fn rows(&self, sketch: &Sketch) -> Result<Rows> {
        rows::read(&self.database.session().await?, sketch).await
    }

    /// None when it is refused whatever is accepted.
    async fn generate(
        &self,
        wanted: &Sketch,
        definitions: &Definitions,
    ) -> Result<Option<Generated>> {
        let scratch = self.server.endpoint()?;
        let ask = |questions: &[Question]| Some(answers::answer(&self.now, wanted, questions));
        let mut accept = Vec::new();
        for _ in 0..3 {
            let request = Request {
                definitions,
                folder: &self.folder,
                name: None,
                numbering: Numbering::Sequence,
                terms: Terms {
                    scratch: &scratch,
                    scope: &Scope::All,
                    answers: &Answers::default(),
                    accept: &accept,
                    ask: &ask,
                },
            };
            match generate(&request).await {
                Ok(generated) => return Ok(Some(generated)),
                Err(GenerateError::Revision(RevisionError::Refused(refused))) => {
                    for one in refused {
                        let Some(hazard) = one.unless else { return Ok(None) };
                        accept.push(hazard);
                    }
                }
                Err(GenerateError::Revision(RevisionError::Planned { source, sql })) => {
                    bail!("{source:?}\n{sql}");
                }
                Err(GenerateError::Revision(RevisionError::Unproven { way, difference })) => {
                    bail!("{way}: {difference}");
                }
                Err(GenerateError::Revision(RevisionError::Definitions(faults))) => {
                    bail!("{faults:#?}");
                }
                Err(error) => return Err(error.into()),
            }
        }
        bail!("refused again and again");
    }
}

fn is_down(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".down.sql")
}
