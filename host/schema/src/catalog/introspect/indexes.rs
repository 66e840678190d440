//! Reads the indexes of tables and materialized views that belong to no constraint.

use serde::Deserialize;

use super::IntrospectError;
use super::reader::{Reader, class, comment, options, own};
use super::relations::{Body, Relations};
use crate::catalog::text::{bracketed, items, unwrapped};
use crate::catalog::{Id, Index, QName};

/// `pg_get_indexdef` without what it begins with, up to the table's name.
const INDEXES: &str = concat!(
    "
select c.oid::int8, i.indrelid::int8 as relation, format('%I.%I', n.nspname, c.relname) as name,
    i.indisunique as \"unique\",
    substr(pg_get_indexdef(c.oid), 1 + length(format(
        'CREATE %sINDEX %I ON %s%I.%I ', case when i.indisunique then 'UNIQUE ' end, c.relname,
        case when c.relkind = 'I' then 'ONLY ' end, n.nspname, t.relname
    ))) as definition,
    m.amname as method,
    pg_get_expr(i.indpred, i.indrelid) as predicate,
    {nulls_not_distinct} as nulls_not_distinct,
    coalesce(c.reloptions, '{}') as options,
    i.indisvalid as valid,
    exists (select from pg_inherits p where p.inhrelid = c.oid) as inherited,
    comment.description as comment
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_class t on t.oid = i.indrelid
join pg_namespace n on n.oid = t.relnamespace
join pg_am m on m.oid = c.relam ",
    comment!("pg_class", "c.oid"),
    "
where t.relkind in ('r', 'p', 'm') and t.relnamespace = any ({schemas}) and i.indislive
    and not exists (
        select from pg_constraint k
        where k.conindid = c.oid and k.conrelid = t.oid and k.contype in ('p', 'u', 'x')
    ) and ",
    own!("pg_class", "t.oid"),
    " and ",
    own!("pg_class", "c.oid")
);

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "as the catalog has them")]
struct Row {
    oid: i64,
    relation: i64,
    name: QName,
    unique: bool,
    definition: String,
    method: String,
    predicate: Option<String>,
    nulls_not_distinct: bool,
    options: Vec<String>,
    valid: bool,
    inherited: bool,
    comment: Option<String>,
}

pub(super) async fn read(
    reader: &mut Reader<'_>,
    relations: &mut Relations,
) -> Result<(), IntrospectError> {
    let nulls = reader.since(150_000, "i.indnullsnotdistinct", "false");
    let sql = INDEXES.replace("{nulls_not_distinct}", nulls);
    for row in reader.rows::<Row>("indexes", &sql).await? {
        let indexes = match relations.0.get_mut(&row.relation) {
            Some((_, Body::Table(table))) => &mut table.indexes,
            Some((_, Body::View(view))) => &mut view.indexes,
            _ => continue,
        };
        reader.know(class::RELATION, row.oid, Id::Index(row.name.clone()));
        indexes.insert(row.name.name.clone(), row.index());
    }
    Ok(())
}

impl Row {
    fn index(self) -> Index {
        let (keys, include) = keys(&self.definition);
        Index {
            unique: self.unique,
            definition: self.definition,
            method: self.method,
            keys,
            include,
            predicate: self.predicate.as_deref().map(unwrapped),
            nulls_not_distinct: self.nulls_not_distinct,
            options: options(&self.options),
            valid: self.valid,
            inherited: self.inherited,
            comment: self.comment,
        }
    }
}

/// The keys and included columns of `USING method (…) INCLUDE (…) …`.
fn keys(definition: &str) -> (Vec<String>, Vec<String>) {
    let list = definition.find('(').and_then(|at| bracketed(definition.get(at..)?));
    let Some((keys, rest)) = list else { return (Vec::new(), Vec::new()) };
    let include = rest.strip_prefix(" INCLUDE ").and_then(bracketed);
    (items(keys), include.map(|(columns, _)| items(columns)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_included_columns_are_told_apart() {
        let (first, second) =
            keys("USING btree (a DESC, lower(b) COLLATE \"C\") INCLUDE (c, \"D\") WHERE (e > 0)");
        assert_eq!(first, ["a DESC", "lower(b) COLLATE \"C\""]);
        assert_eq!(second, ["c", "\"D\""]);
        assert_eq!(keys("USING hash (a)"), (vec!["a".to_owned()], Vec::new()));
    }
}
