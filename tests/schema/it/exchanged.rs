//! Renames that `generate` is told of, with rows that must follow their column.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use avenire_definitions::{Definitions, parse_file};
use avenire_schema::catalog::{Scope, introspect};
use avenire_schema::diff::compare;
use avenire_schema::generate::{self, Generated, Numbering, Request};
use avenire_schema::plan::HazardKind;
use avenire_schema::renames::{Answer, Answers};
use avenire_schema::revision::Terms;
use avenire_schema::snapshot::{self, Snapshot};
use avenire_schema::{Extent, Migrations};
use avenire_schema_tests::{Database, Server};

use crate::with_both;

/// A project: a folder of migrations, and the database that they are applied to.
struct Project<'a> {
    server: &'a Server,
    folder: tempfile::TempDir,
    database: Database,
}

impl<'a> Project<'a> {
    /// With a schema in use.
    async fn new(server: &'a Server, schema: &str, rows: &str) -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), server.database().await.unwrap());
        let project = Self { server, folder, database };
        project.change(schema, &[]).await;
        project.database.run(rows).await.unwrap();
        project
    }

    /// The schema becomes this one, here and in the database.
    async fn change(&self, schema: &str, renames: &[&str]) -> Generated {
        let text = format!("avenire_macros::schema! {{ {schema} }}");
        let module = parse_file(&text, Path::new("chat.rs")).unwrap();
        let definitions = Definitions { modules: vec![module] };
        let mut answers = Answers::default();
        for text in renames {
            answers.add(Answer::rename(text).unwrap());
        }
        let scratch = self.server.endpoint().unwrap();
        let terms = Terms {
            scratch: &scratch,
            scope: &Scope::All,
            answers: &answers,
            accept: &[],
            ask: &|_| None,
        };
        let (definitions, folder) = (&definitions, self.folder.path());
        let numbering = Numbering::Sequence;
        let request = Request { definitions, folder, name: None, numbering, terms };
        let generated = generate::generate(&request).await.unwrap();
        generated.write().unwrap();
        let until = Instant::now() + Duration::from_mins(2);
        let migrations = Migrations::load(folder).unwrap();
        migrations.apply(self.database.endpoint(), until, &|_| {}).await.unwrap();
        generated
    }

    /// Undoes everything but the first migration, which must lead back to what that one made.
    async fn undo(&self) {
        let until = Instant::now() + Duration::from_mins(2);
        let accept = BTreeSet::from(["deletes-data".to_owned()]);
        let migrations = Migrations::load(self.folder.path()).unwrap();
        let endpoint = self.database.endpoint();
        migrations.rollback(Extent::To(1), &accept, endpoint, until, &|_| {}).await.unwrap();
        let snapshots = self.folder.path().join(snapshot::FOLDER);
        let first = std::fs::read_dir(snapshots).unwrap().map(|entry| entry.unwrap().path()).min();
        let (first, _) = Snapshot::read(&first.unwrap()).unwrap();
        let session = self.database.session().await.unwrap();
        let back = introspect(&session, &Scope::All).await.unwrap();
        let difference = compare(&back.catalog, &first.catalog);
        assert!(difference.is_empty(), "{difference}");
    }

    async fn text(&self, sql: &str) -> String {
        self.database.rows(sql, &[]).await.unwrap().first().unwrap().get(0)
    }
}

#[test]
fn columns_that_exchange_their_names_take_their_rows_along() {
    with_both(async |server| {
        let before = "table chat { a: text, b: integer, check chat_check \"b > 0\" }";
        let project = Project::new(server, before, "insert into chat values ('x', 1)").await;
        let after = "table chat { a: integer, b: text, check chat_check \"a > 0\" }";
        let renames = ["column:chat.a=b", "column:chat.b=a"];
        let generated = project.change(after, &renames).await;
        assert_eq!(generated.renames.len(), 3, "{:?}", generated.renames);
        assert!(generated.steps.is_empty(), "{:?}", generated.steps);
        assert_eq!(project.text("select a || b from chat").await, "1x");
        assert!(project.change(after, &[]).await.is_empty());
    });
}

#[test]
fn renames_come_before_what_else_a_migration_does_and_are_undone_after_it() {
    with_both(async |server| {
        for (value, files) in [("", 1), (", happy", 3)] {
            let before = "enum mood { sad } table chat { title: text, mood: mood }";
            let rows = "insert into chat values ('x', 'sad')";
            let project = Project::new(server, before, rows).await;
            let after = format!(
                "enum mood {{ sad{value} }} table talk {{ name: text, mood: mood, more: text? }}"
            );
            let renames = ["table:chat=talk", "column:talk.title=name"];
            let generated = project.change(&after, &renames).await;
            let is_up = |path: &Path| !path.to_string_lossy().ends_with(".down.sql");
            let ups = generated.files.iter().filter(|(path, _)| is_up(path));
            assert_eq!(ups.count(), files, "{:?}", generated.files);
            let sql = "select name || mood || coalesce(more, '') from talk";
            assert_eq!(project.text(sql).await, "xsad");
            project.undo().await;
            assert_eq!(project.text("select title || mood from chat").await, "xsad");
        }
    });
}

#[test]
fn an_attribute_takes_its_values_along() {
    with_both(async |server| {
        let schema = |name: &str| {
            format!("type place {{ floor: integer, {name}: text }} table t {{ at: place }}")
        };
        let rows = "insert into t values (row(3, 'roof'))";
        let project = Project::new(server, &schema("label"), rows).await;
        let generated = project.change(&schema("name"), &["attribute:place.label=name"]).await;
        assert!(generated.steps.is_empty(), "{:?}", generated.steps);
        assert_eq!(project.text("select (at).name from t").await, "roof");
    });
}

#[test]
fn a_column_of_a_view_is_another_without_a_question() {
    with_both(async |server| {
        let schema = |name: &str| {
            format!(
                "table t {{ id: bigint }} view v {{ {name}: bigint?, query \"select id as {name} from t\" }}"
            )
        };
        let project = Project::new(server, &schema("one"), "insert into t values (5)").await;
        let generated = project.change(&schema("two"), &[]).await;
        let hazards = generated.steps.iter().flat_map(|step| &step.hazards);
        let kinds: Vec<_> = hazards.map(|hazard| hazard.kind).collect();
        assert!(kinds.contains(&HazardKind::BreaksCallers), "{:?}", generated.steps);
        assert!(!kinds.contains(&HazardKind::DeletesData), "{:?}", generated.steps);
        let mut hazards = generated.steps.iter().flat_map(|step| &step.hazards);
        let told = hazards.any(|hazard| hazard.about.contains("who reads one finds it gone"));
        assert!(told, "{:?}", generated.steps);
        assert_eq!(project.text("select two::text from v").await, "5");
    });
}
