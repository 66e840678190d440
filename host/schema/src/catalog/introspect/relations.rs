//! Reads what has columns: tables, views and composite types, without the columns.

use std::collections::HashMap;

use serde::Deserialize;

use super::IntrospectError;
use super::reader::{Reader, class, options, own};
use crate::catalog::{Catalog, Composite, Id, PartitionOf, QName, Table, View};

const RELATIONS: &str = concat!(
    "
select c.oid::int8, c.reltype::int8 as type, format('%I.%I', n.nspname, c.relname) as name,
    c.relkind::text as kind,
    c.relpersistence = 'u' as unlogged, c.relrowsecurity as row_security,
    c.relforcerowsecurity as force_row_security,
    case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partition_by,
    case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end as bound,
    array(
        select format('%I.%I', pn.nspname, p.relname)
        from pg_inherits i
        join pg_class p on p.oid = i.inhparent
        join pg_namespace pn on pn.oid = p.relnamespace
        where i.inhrelid = c.oid order by i.inhseqno
    ) as parents,
    coalesce(c.reloptions, '{}')
        || array(select 'toast.' || o from unnest(toast.reloptions) o) as options,
    case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as definition,
    comment.description as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_class toast on toast.oid = c.reltoastrelid
left join pg_description comment on comment.objsubid = 0
    and comment.classoid = case when c.relkind = 'c' then 'pg_type'::regclass
        else 'pg_class'::regclass end
    and comment.objoid = case when c.relkind = 'c' then c.reltype else c.oid end
where c.relkind in ('r', 'p', 'v', 'm', 'c') and c.relnamespace = any ({schemas}) and ",
    own!("pg_class", "c.oid"),
    " and ",
    own!("pg_type", "c.reltype")
);

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "as the model names them")]
struct Row {
    oid: i64,
    r#type: i64,
    name: QName,
    kind: String,
    unlogged: bool,
    row_security: bool,
    force_row_security: bool,
    partition_by: Option<String>,
    bound: Option<String>,
    parents: Vec<QName>,
    options: Vec<String>,
    definition: Option<String>,
    comment: Option<String>,
}

/// What has columns.
pub(super) enum Body {
    Table(Table),
    View(View),
    Composite(Composite),
}

/// What has columns, by oid.
pub(super) struct Relations(pub(super) HashMap<i64, (QName, Body)>);

pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Relations, IntrospectError> {
    let mut relations = HashMap::new();
    for row in reader.rows::<Row>("tables and views", RELATIONS).await? {
        let (oid, row_type, name) = (row.oid, row.r#type, row.name.clone());
        let (id, body) = match row.kind.as_str() {
            "c" => {
                let composite = Composite { attributes: Vec::new(), comment: row.comment };
                (Id::Type(name.clone()), Body::Composite(composite))
            }
            "v" | "m" => (Id::View(name.clone()), Body::View(row.view())),
            _ => (Id::Table(name.clone()), Body::Table(row.table())),
        };
        reader.know(class::TYPE, row_type, id.clone());
        reader.know(class::RELATION, oid, id);
        relations.insert(oid, (name, body));
    }
    Ok(Relations(relations))
}

impl Row {
    fn view(self) -> View {
        let definition = self.definition.unwrap_or_default();
        let definition = definition.trim().trim_end_matches(';').trim_end().to_owned();
        View {
            materialized: self.kind == "m",
            definition,
            options: options(&self.options),
            comment: self.comment,
            ..View::default()
        }
    }

    fn table(mut self) -> Table {
        let partition_of = self.bound.take().and_then(|bound| {
            let parent = self.parents.pop()?;
            Some(PartitionOf { parent, bound })
        });
        Table {
            unlogged: self.unlogged,
            row_security: self.row_security,
            force_row_security: self.force_row_security,
            partition_by: self.partition_by,
            partition_of,
            inherits: self.parents,
            options: options(&self.options),
            comment: self.comment,
            ..Table::default()
        }
    }
}

impl Relations {
    /// A table and its name.
    pub(super) fn table(&mut self, oid: i64) -> Option<(&QName, &mut Table)> {
        match self.0.get_mut(&oid)? {
            (name, Body::Table(table)) => Some((name, table)),
            _ => None,
        }
    }

    pub(super) fn into_catalog(self, catalog: &mut Catalog) {
        for (name, body) in self.0.into_values() {
            match body {
                Body::Table(table) => drop(catalog.tables.insert(name, table)),
                Body::View(view) => drop(catalog.views.insert(name, view)),
                Body::Composite(composite) => drop(catalog.composites.insert(name, composite)),
            }
        }
    }
}
