//! Reads enumerated types and domains. Composite types are read with the tables, range types with
//! the objects that are carried as they are.

use serde::Deserialize;

use super::IntrospectError;
use super::reader::{Reader, class, comment, own};
use crate::catalog::{Domain, DomainCheck, Enum, Id, QName};

const ENUMS: &str = concat!(
    "
select t.oid::int8, format('%I.%I', n.nspname, t.typname) as name,
    comment.description as comment,
    array(
        select e.enumlabel::text from pg_enum e where e.enumtypid = t.oid order by e.enumsortorder
    ) as values
from pg_type t
join pg_namespace n on n.oid = t.typnamespace ",
    comment!("pg_type", "t.oid"),
    "
where t.typtype = 'e' and t.typnamespace = any ({schemas}) and ",
    own!("pg_type", "t.oid")
);

const DOMAINS: &str = concat!(
    "
select t.oid::int8, format('%I.%I', n.nspname, t.typname) as name,
    format_type(t.typbasetype, t.typtypmod) as data_type,
    case when t.typcollation <> b.typcollation
        then (
            select format('%I.%I', cn.nspname, c.collname)
            from pg_collation c join pg_namespace cn on cn.oid = c.collnamespace
            where c.oid = t.typcollation
        )
    end as collation,
    t.typnotnull as not_null,
    pg_get_expr(t.typdefaultbin, 'pg_type'::regclass) as \"default\",
    array(
        select json_build_object(
            'oid', c.oid::int8, 'name', c.conname, 'definition', pg_get_constraintdef(c.oid),
            'validated', c.convalidated
        )
        from pg_constraint c where c.contypid = t.oid and c.contype = 'c'
    ) as checks,
    comment.description as comment
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
join pg_type b on b.oid = t.typbasetype ",
    comment!("pg_type", "t.oid"),
    "
where t.typtype = 'd' and t.typnamespace = any ({schemas}) and ",
    own!("pg_type", "t.oid")
);

#[derive(Deserialize)]
struct EnumRow {
    oid: i64,
    name: QName,
    comment: Option<String>,
    values: Vec<String>,
}

#[derive(Deserialize)]
struct DomainRow {
    oid: i64,
    name: QName,
    data_type: String,
    collation: Option<QName>,
    not_null: bool,
    default: Option<String>,
    checks: Vec<CheckRow>,
    comment: Option<String>,
}

#[derive(Deserialize)]
struct CheckRow {
    oid: i64,
    name: String,
    definition: String,
    validated: bool,
}

pub(super) async fn read(reader: &mut Reader<'_>) -> Result<(), IntrospectError> {
    for EnumRow { oid, name, comment, values } in reader.rows("enums", ENUMS).await? {
        reader.know(class::TYPE, oid, Id::Type(name.clone()));
        reader.catalog.enums.insert(name, Enum { values, comment });
    }
    for row in reader.rows::<DomainRow>("domains", DOMAINS).await? {
        let DomainRow { oid, name, data_type, collation, not_null, default, checks, comment } = row;
        reader.know(class::TYPE, oid, Id::Type(name.clone()));
        for check in &checks {
            reader.know(class::CONSTRAINT, check.oid, Id::Type(name.clone()));
        }
        let checks = checks.into_iter().map(CheckRow::split).collect();
        let domain = Domain { data_type, collation, not_null, default, checks, comment };
        reader.catalog.domains.insert(name, domain);
    }
    Ok(())
}

impl CheckRow {
    fn split(self) -> (String, DomainCheck) {
        let definition = self.definition.strip_suffix(" NOT VALID").unwrap_or(&self.definition);
        (self.name, DomainCheck { definition: definition.to_owned(), validated: self.validated })
    }
}
