//! Reads the columns of tables and views, and the attributes of composite types.

use serde::Deserialize;

use super::IntrospectError;
use super::reader::{Reader, class, comment, own};
use super::relations::{Body, Relations};
use super::sequences::Identities;
use crate::catalog::text::unwrapped;
use crate::catalog::{Column, Generated, Id, Identity, QName};

const COLUMNS: &str = concat!(
    "
select a.attrelid::int8 as relation, a.attnum as number, a.attname as name,
    format_type(a.atttypid, a.atttypmod) as data_type,
    case when a.attcollation <> t.typcollation
        then (
            select format('%I.%I', cn.nspname, co.collname)
            from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace
            where co.oid = a.attcollation
        )
    end as collation,
    a.attnotnull as not_null,
    d.oid::int8 as default_oid, pg_get_expr(d.adbin, d.adrelid) as expression,
    a.attidentity::text as identity, a.attgenerated::text as generated,
    case when a.attstorage <> t.typstorage
        then case a.attstorage
            when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'm' then 'MAIN' else 'EXTENDED'
        end
    end as storage,
    a.attinhcount > 0 and not a.attislocal as inherited,
    comment.description as comment
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum ",
    comment!("pg_class", "a.attrelid", "a.attnum"),
    "
where c.relkind in ('r', 'p', 'v', 'm', 'c') and c.relnamespace = any ({schemas})
    and a.attnum > 0 and not a.attisdropped and ",
    own!("pg_class", "c.oid"),
    "
order by a.attrelid, a.attnum"
);

#[derive(Deserialize)]
struct Row {
    relation: i64,
    number: i32,
    name: String,
    data_type: String,
    collation: Option<QName>,
    not_null: bool,
    default_oid: Option<i64>,
    expression: Option<String>,
    identity: String,
    generated: String,
    storage: Option<String>,
    inherited: bool,
    comment: Option<String>,
}

pub(super) async fn read(
    reader: &mut Reader<'_>,
    relations: &mut Relations,
    identities: &Identities,
) -> Result<(), IntrospectError> {
    for row in reader.rows::<Row>("columns", COLUMNS).await? {
        match relations.0.get_mut(&row.relation) {
            Some((table, Body::Table(body))) => {
                let id = Id::Column(table.clone(), row.name.clone());
                if let Some(oid) = row.default_oid {
                    reader.know(class::DEFAULT, oid, id.clone());
                }
                reader.ids.insert((class::RELATION, row.relation, row.number), id);
                body.columns.push(row.column(identities));
            }
            Some((_, Body::View(view))) => view.columns.push((row.name, row.data_type)),
            Some((_, Body::Composite(composite))) => {
                composite.attributes.push((row.name, row.data_type, row.collation));
            }
            // Made since the tables were read, if that were possible.
            None => {}
        }
    }
    Ok(())
}

impl Row {
    /// From Postgres 17 on, the columns of partitions share the sequence of their parent's: they
    /// have none, and are no identity of their own.
    fn column(self, identities: &Identities) -> Column {
        let sequence = identities.get(&(self.relation, self.number));
        let identity = (!self.identity.is_empty()).then_some(sequence).flatten();
        let identity = identity.cloned();
        let always = self.identity == "a";
        let (default, generated) = match (self.expression, self.generated.as_str()) {
            (Some(expression), "") => (Some(expression), None),
            (Some(expression), kind) => {
                (None, Some(Generated { expression: unwrapped(&expression), stored: kind == "s" }))
            }
            (None, _) => (None, None),
        };
        Column {
            name: self.name,
            data_type: self.data_type,
            collation: self.collation,
            not_null: self.not_null,
            default,
            identity: identity.map(|sequence| Identity { always, sequence }),
            generated,
            storage: self.storage,
            inherited: self.inherited,
            comment: self.comment,
        }
    }
}
