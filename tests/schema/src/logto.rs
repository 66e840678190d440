//! The schema of Logto, from its npm package: many tables that row-level security keeps apart.
//! Never: keeps a copy of it, makes the roles that it has for its tenants.

use std::cmp::Ordering;
use std::fs;

use anyhow::{Context as _, Result};

use crate::npm::{self, Package};
use crate::published::{Published, Script};
use crate::repository;

const PACKAGE: Package = Package {
    name: "@logto/schemas",
    version: "1.43.0",
    sha512: "96ujK0Sso2RRNi1s2vnIXO5vg+/yAAQAm0L4JUsvE1UOap4FbgmK7PJrku6Y7cgswkadXxNQ1/2ybOyhrw9K9w==",
};

/// In the package's own code, not in a script. As much of it as the scripts need.
const TENANTS: &str = "create table tenants (
    id varchar(21) not null primary key,
    db_user varchar(128),
    constraint tenants__db_user unique (db_user)
)";

/// Reads the scripts in the order that they ask for, each with what follows after each.
pub(crate) fn logto() -> Result<Published> {
    let place = repository().join("target/tmp");
    let folder = place.join(format!("logto-{}", PACKAGE.version));
    npm::fetched((&place, &folder), &PACKAGE, |_| Ok(()))?;
    let tables = folder.join("tables");
    let each = fs::read_to_string(tables.join("_after_each.sql"))?;
    let mut found = Vec::new();
    for entry in fs::read_dir(&tables)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let Some(table) = name.strip_suffix(".sql") else { continue };
        if table.starts_with('_') && table != "_functions" {
            continue;
        }
        let mut sql = fs::read_to_string(tables.join(&name))?;
        let order = order(&sql).with_context(|| format!("{name} has an odd order"))?;
        if !sql.contains("no_after_each") {
            // Not every script ends its last statement.
            sql.push_str(";\n");
            sql.push_str(&each.replace("${name}", table));
        }
        found.push((order, Script { name, sql }));
    }
    let by_order = |a: &(f64, Script), b: &(f64, Script)| -> Ordering {
        a.0.total_cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name))
    };
    found.sort_by(by_order);
    let tenants = Script { name: "tenants".into(), sql: TENANTS.into() };
    let scripts = [tenants].into_iter().chain(found.into_iter().map(|(_, script)| script));
    Ok(Published {
        name: "logto".into(),
        version: PACKAGE.version.into(),
        before: None,
        scripts: scripts.collect(),
    })
}

/// The number in `/* init_order = 1 */`; what has none comes last.
fn order(sql: &str) -> Result<f64> {
    let Some((_, rest)) = sql.split_once("init_order = ") else { return Ok(f64::INFINITY) };
    let number = rest.split_whitespace().next().unwrap_or_default();
    Ok(number.parse()?)
}
