//! Reads schemas and extensions.

use serde::Deserialize;

use super::reader::{Reader, class, comment, own};
use super::{IntrospectError, Scope};
use crate::catalog::{Extension, Id, Schema};

/// Those of the system begin with `pg_`, which nobody else's may (PostgreSQL documentation,
/// CREATE SCHEMA).
const SCHEMAS: &str = concat!(
    "
select n.oid::int8, n.nspname as name, comment.description as comment
from pg_namespace n ",
    comment!("pg_namespace", "n.oid"),
    "
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and ",
    own!("pg_namespace", "n.oid")
);

const EXTENSIONS: &str = "
select e.oid::int8, e.extname as name, n.nspname as schema, e.extversion as version
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where e.extname <> 'plpgsql'";

/// Where migrations are recorded: ours, and Drizzle's.
const LEDGERS: [&str; 2] = ["_avenire", "drizzle"];

/// The comment that the schema `public` is born with.
const BIRTH: &str = "standard public schema";

#[derive(Deserialize)]
struct SchemaRow {
    oid: i64,
    name: String,
    comment: Option<String>,
}

#[derive(Deserialize)]
struct ExtensionRow {
    oid: i64,
    name: String,
    schema: String,
    version: String,
}

pub(super) async fn read(reader: &mut Reader<'_>, scope: &Scope) -> Result<(), IntrospectError> {
    let mut oids = Vec::new();
    for row in reader.rows::<SchemaRow>("schemas", SCHEMAS).await? {
        let is_in_scope = match scope {
            Scope::All => !LEDGERS.contains(&row.name.as_str()),
            Scope::Schemas(names) => names.contains(&row.name),
        };
        if !is_in_scope {
            continue;
        }
        oids.push(row.oid);
        reader.know(class::SCHEMA, row.oid, Id::Schema(row.name.clone()));
        let is_birth = |comment: &String| row.name == "public" && comment == BIRTH;
        let comment = row.comment.filter(|comment| !is_birth(comment));
        reader.catalog.schemas.insert(row.name, Schema { comment });
    }
    reader.set_schemas(&oids);
    for row in reader.rows::<ExtensionRow>("extensions", EXTENSIONS).await? {
        let ExtensionRow { oid, name, schema, version } = row;
        if !reader.all && !reader.catalog.schemas.contains_key(&schema) {
            continue;
        }
        reader.know(class::EXTENSION, oid, Id::Extension(name.clone()));
        reader.catalog.extensions.insert(name, Extension { schema, version });
    }
    Ok(())
}
