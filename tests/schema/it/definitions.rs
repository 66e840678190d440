//! The DDL of definitions, as Postgres takes it.

use std::path::Path;

use avenire_definitions::{Definitions, ddl, parse_file, print};
use avenire_schema_tests::{Database, Server, repository};

use crate::with;

/// Everything about the tables of `public` that a statement can have said, a line each.
const SHAPE: &str = "
    select line from (
        select format('%s.%s %s %s %s', attrelid::regclass, attname,
            format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)) as line
        from pg_attribute
        join pg_class on pg_class.oid = attrelid and relkind = 'r'
        left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where relnamespace = 'public'::regnamespace and attnum > 0
        union all
        select format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        from pg_constraint where connamespace = 'public'::regnamespace
        union all
        select pg_get_indexdef(indexrelid)
        from pg_index join pg_class on pg_class.oid = indexrelid
        where relnamespace = 'public'::regnamespace
    ) as lines order by line";

fn module(path: &Path) -> avenire_definitions::Module {
    parse_file(&std::fs::read_to_string(path).unwrap(), path).unwrap()
}

/// Runs the statements, each of which must succeed where it stands.
async fn run(database: &Database, definitions: &Definitions) {
    assert_eq!(definitions.check(), []);
    let session = database.session().await.unwrap();
    session.batch("set check_function_bodies = off").await.unwrap();
    for statement in ddl(definitions) {
        if let Err(error) = session.batch(&statement.sql).await {
            panic!("{}: {}: {error}\n{}", statement.place(), statement.what, statement.sql);
        }
    }
}

async fn shape(database: &Database) -> Vec<String> {
    database.rows(SHAPE, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

fn schema_modules() -> Definitions {
    let folder = repository().join("guest-queries/schema/src");
    let files = ["auth.rs", "chat.rs", "user_settings.rs"];
    Definitions { modules: files.iter().map(|file| module(&folder.join(file))).collect() }
}

#[test]
fn the_schema_modules_are_what_the_migrations_make() {
    with(async |server: &Server| {
        let (code, history) = (server.database().await.unwrap(), server.database().await.unwrap());
        run(&code, &schema_modules()).await;
        for file in ["0001_auth.sql", "0002_chat.sql", "0003_user_settings.sql"] {
            let sql = std::fs::read_to_string(repository().join("migrations").join(file)).unwrap();
            history.run(&sql).await.unwrap();
        }
        let (code, history) = (shape(&code).await, shape(&history).await);
        assert!(code.len() > 80, "{code:?}");
        assert_eq!(code, history);
    });
}

#[test]
fn every_clause_is_sql_that_postgres_takes() {
    with(async |server: &Server| {
        let path = Path::new("everything.rs");
        let source = include_str!("../definitions/everything.rs.txt");
        let definitions = Definitions { modules: vec![parse_file(source, path).unwrap()] };
        let database = server.database().await.unwrap();
        run(&database, &definitions).await;
        let printed = Definitions {
            modules: vec![parse_file(&print(&definitions.modules[0]), path).unwrap()],
        };
        let again = server.database().await.unwrap();
        run(&again, &printed).await;
        let shape_once = shape(&database).await;
        assert!(!shape_once.is_empty());
        assert_eq!(shape_once, shape(&again).await);
    });
}
