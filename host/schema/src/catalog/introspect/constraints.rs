//! Reads the constraints of tables.

use serde::Deserialize;

use super::IntrospectError;
use super::reader::{Reader, class, comment, own};
use super::relations::Relations;
use crate::catalog::text::unwrapped;
use crate::catalog::{Constraint, ConstraintKind, Id, QName};

/// Without the rows that Postgres adds to the table of a foreign key for each partition of the
/// table it refers to: their parent is a constraint of the same table.
const CONSTRAINTS: &str = concat!(
    "
select c.oid::int8, c.conrelid::int8 as \"table\", c.conname as name, c.contype::text as kind,
    pg_get_constraintdef(c.oid) as definition,
    c.convalidated or not {enforced} as validated,
    c.conparentid <> 0 or (c.coninhcount > 0 and not c.conislocal) as inherited,
    array(
        select a.attname from unnest(c.conkey) with ordinality k (number, position)
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
        order by k.position
    ) as columns,
    case when c.contype = 'f' then format('%I.%I', fn.nspname, f.relname) end as \"references\",
    array(
        select a.attname from unnest(c.confkey) with ordinality k (number, position)
        join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number
        order by k.position
    ) as referenced_columns,
    pg_get_expr(c.conbin, c.conrelid) as expression,
    coalesce({nulls_not_distinct}, false) as nulls_not_distinct,
    comment.description as comment
from pg_constraint c
join pg_class t on t.oid = c.conrelid
left join pg_constraint parent on parent.oid = c.conparentid
left join pg_class f on f.oid = c.confrelid
left join pg_namespace fn on fn.oid = f.relnamespace
left join pg_index i on i.indexrelid = c.conindid and c.contype = 'u' ",
    comment!("pg_constraint", "c.oid"),
    "
where c.contype in ('p', 'u', 'f', 'c', 'x') and t.relkind in ('r', 'p')
    and t.relnamespace = any ({schemas}) and parent.conrelid is distinct from c.conrelid and ",
    own!("pg_class", "t.oid")
);

#[derive(Deserialize)]
struct Row {
    oid: i64,
    table: i64,
    name: String,
    kind: String,
    definition: String,
    validated: bool,
    inherited: bool,
    columns: Vec<String>,
    references: Option<QName>,
    referenced_columns: Vec<String>,
    expression: Option<String>,
    nulls_not_distinct: bool,
    comment: Option<String>,
}

pub(super) async fn read(
    reader: &mut Reader<'_>,
    relations: &mut Relations,
) -> Result<(), IntrospectError> {
    let sql = CONSTRAINTS
        .replace("{enforced}", reader.since(180_000, "c.conenforced", "true"))
        .replace("{nulls_not_distinct}", reader.since(150_000, "i.indnullsnotdistinct", "false"));
    for row in reader.rows::<Row>("constraints", &sql).await? {
        let Some((table, body)) = relations.table(row.table) else { continue };
        let id = Id::Constraint(table.clone(), row.name.clone());
        reader.know(class::CONSTRAINT, row.oid, id);
        body.constraints.insert(row.name.clone(), row.constraint());
    }
    Ok(())
}

impl Row {
    fn constraint(self) -> Constraint {
        let columns = self.columns;
        let nulls_not_distinct = self.nulls_not_distinct;
        let kind = match (self.kind.as_str(), self.references, self.expression) {
            ("p", ..) => ConstraintKind::PrimaryKey { columns },
            ("u", ..) => ConstraintKind::Unique { columns, nulls_not_distinct },
            ("f", Some(references), _) => {
                let referenced_columns = self.referenced_columns;
                ConstraintKind::ForeignKey { columns, references, referenced_columns }
            }
            ("c", _, Some(expression)) => {
                ConstraintKind::Check { expression: unwrapped(&expression), columns }
            }
            _ => ConstraintKind::Exclusion,
        };
        let definition = self.definition.strip_suffix(" NOT VALID").unwrap_or(&self.definition);
        Constraint {
            kind,
            definition: definition.to_owned(),
            validated: self.validated,
            inherited: self.inherited,
            comment: self.comment,
        }
    }
}
