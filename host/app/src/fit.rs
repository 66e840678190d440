//! Whether a component fits the database: the tables it was compiled against, as its description
//! says, beside the tables that are there. Only tables that its grants name are looked at, since
//! it can use no other.
//!
//! Never: judges what a component says in raw SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use avenire_postgres::{Session, ToSql};
use avenire_schema::definitions::description::{Description, SECTION};

use crate::direct::Direct;
use crate::error::{AppError, within};
use crate::host::Candidate;
use crate::manifest::Grants;
use crate::sections;

/// How long comparing may take.
const TIME: Duration = Duration::from_secs(30);

/// What is other than the component expects; one row for each column that is. A type is compared
/// as such, without its length: a component decodes `varchar(20)` and `varchar(30)` alike.
const COLUMNS: &str = "
select d.relation, d.name, d.type,
    case when a.attnum is null then 'missing'
         when to_regtype(d.type) is null then 'unknown type'
         when to_regtype(d.type) <> a.atttypid then 'type'
         else 'nullable' end,
    coalesce(format_type(a.atttypid, a.atttypmod), '')
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bool[])
    with ordinality d(schema, relation, name, type, nullable, number)
join pg_namespace n on n.nspname = d.schema
join pg_class c on c.relnamespace = n.oid and c.relname = d.relation
left join pg_attribute a
    on a.attrelid = c.oid and a.attname = d.name and a.attnum > 0 and not a.attisdropped
where a.attnum is null
    or to_regtype(d.type) is distinct from a.atttypid
    or (not d.nullable and not a.attnotnull and c.relkind in ('r', 'p'))
order by d.number";

/// Fails when a text is no name of a type, missing or not.
const ARE_TYPES: &str = "select count(to_regtype(t)) from unnest($1::text[]) t";

/// The values that an enum lacks.
const VALUES: &str = "
select d.name, d.value
from unnest($1::text[], $2::text[], $3::text[]) with ordinality d(schema, name, value, number)
where not exists (
    select from pg_enum e
    join pg_type t on t.oid = e.enumtypid
    join pg_namespace n on n.oid = t.typnamespace
    where n.nspname = d.schema and t.typname = d.name and e.enumlabel = d.value)
order by d.number";

/// Compares components with the database they are to work on. No connection is needed when
/// no component describes a table that it was granted. Bytes that are no component are left to
/// whoever loads them. One error for each component that does not fit.
pub(crate) async fn check(
    direct: &Direct<'_>,
    candidates: &[Candidate<'_>],
) -> Result<(), Vec<AppError>> {
    let (mut described, mut errors) = (Vec::new(), Vec::new());
    for Candidate { name, entry, bytes, .. } in candidates {
        let (component, bytes) = ((*name).to_owned(), Arc::clone(bytes));
        // Off the serving threads: a component may have 64 MiB.
        let read = tokio::task::spawn_blocking(move || {
            let sections = sections::sections(&bytes, SECTION).ok()?;
            Some(descriptions(&component, &sections))
        });
        match read.await.ok().flatten() {
            Some(Ok(all)) => described.push((*name, Wanted::of(&all, &entry.grants))),
            Some(Err(error)) => errors.push(error),
            None => {}
        }
    }
    described.retain(|(_, wanted)| wanted.columns.iter().any(|list| !list.is_empty()));
    if !described.is_empty() {
        match compare(direct, described).await {
            Ok(misfits) => errors.extend(misfits),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

async fn compare(
    direct: &Direct<'_>,
    described: Vec<(&str, Wanted)>,
) -> Result<Vec<AppError>, AppError> {
    within(TIME, "comparing the components with the database", async {
        let mut errors = Vec::new();
        let session = direct.session().await?;
        for (component, mut wanted) in described {
            let misfits = wanted.misfits(session).await.map_err(failed)?;
            if !misfits.is_empty() {
                let component = component.to_owned();
                errors.push(AppError::Misfit { component, misfits });
            }
        }
        Ok(errors)
    })
    .await?
}

fn failed(source: avenire_postgres::Error) -> AppError {
    let doing = "the components could not be compared with the database".to_owned();
    AppError::Database { doing, source }
}

fn descriptions(component: &str, sections: &[&[u8]]) -> Result<Vec<Description>, AppError> {
    let mut all = Vec::new();
    for section in sections {
        let read = Description::read_section(section);
        all.extend(
            read.map_err(|source| AppError::Description {
                component: component.to_owned(),
                source,
            })?,
        );
    }
    Ok(all)
}

/// What a component expects of the tables it was granted, in columns of equal length.
#[derive(Default)]
struct Wanted {
    /// Schema, table, column, type.
    columns: [Vec<String>; 4],
    nullable: Vec<bool>,
    /// Schema, enum, value.
    values: [Vec<String>; 3],
}

impl Wanted {
    fn of(descriptions: &[Description], grants: &Grants) -> Self {
        let mut wanted = Self::default();
        for description in descriptions {
            for relation in &description.relations {
                let granted = grants
                    .0
                    .iter()
                    .find(|grant| grant.schema == relation.schema && grant.table == relation.name);
                let Some(grant) = granted else { continue };
                for column in relation.columns.iter().filter(|one| grant.covers(&one.name)) {
                    let parts = [&relation.schema, &relation.name, &column.name, &column.data_type];
                    for (list, part) in wanted.columns.iter_mut().zip(parts) {
                        list.push(part.clone());
                    }
                    wanted.nullable.push(column.nullable);
                }
            }
            for one in &description.enums {
                let name = one.type_name();
                let is_used = |kind: &String| kind.trim_end_matches("[]") == name;
                let [_, _, _, types] = &wanted.columns;
                if !types.iter().any(is_used) {
                    continue;
                }
                for value in &one.values {
                    for (list, part) in
                        wanted.values.iter_mut().zip([&one.schema, &one.name, value])
                    {
                        list.push(part.clone());
                    }
                }
            }
        }
        wanted
    }

    /// All that does not fit, in words.
    async fn misfits(&mut self, session: &Session) -> Result<Vec<String>, avenire_postgres::Error> {
        let mut misfits = self.without_types(session).await?;
        let [schemas, relations, names, types] = &self.columns;
        let of_columns: [&(dyn ToSql + Sync); 5] =
            [schemas, relations, names, types, &self.nullable];
        let [of_schemas, of_names, values] = &self.values;
        let of_values: [&(dyn ToSql + Sync); 3] = [of_schemas, of_names, values];
        let (rows, lacking) =
            tokio::join!(session.rows(COLUMNS, &of_columns), session.rows(VALUES, &of_values));
        let (rows, lacking) = (rows?, lacking?);
        misfits.extend(rows.iter().map(|row| {
            let [relation, name, expected, what, found]: [String; 5] =
                [row.get(0), row.get(1), row.get(2), row.get(3), row.get(4)];
            match what.as_str() {
                "missing" => format!("{relation}.{name} is missing"),
                "unknown type" => {
                    format!("{relation}.{name} should be {expected}, a type that is missing")
                }
                "type" => format!("{relation}.{name} is {found}, not {expected}"),
                _ => format!("{relation}.{name} may be null, which the component does not expect"),
            }
        }));
        for row in lacking {
            let (name, value): (String, String) = (row.get(0), row.get(1));
            misfits.push(format!("the enum {name} has no value {value}"));
        }
        Ok(misfits)
    }

    /// Takes out the columns whose type is no name of a type at all, which Postgres would refuse to
    /// compare, and tells them.
    async fn without_types(
        &mut self,
        session: &Session,
    ) -> Result<Vec<String>, avenire_postgres::Error> {
        let [_, _, _, types] = &self.columns;
        if are_types(session, types).await? {
            return Ok(Vec::new());
        }
        let mut known = BTreeMap::new();
        for one in types.iter().collect::<BTreeSet<_>>() {
            known.insert(one.clone(), are_types(session, std::slice::from_ref(one)).await?);
        }
        let is_type = |one: &String| known.get(one).copied().unwrap_or(false);
        let mut misfits = Vec::new();
        let mut kept = Self { values: std::mem::take(&mut self.values), ..Self::default() };
        let [schemas, relations, names, types] = std::mem::take(&mut self.columns);
        let columns = schemas.into_iter().zip(relations).zip(names.into_iter().zip(types));
        for (((schema, relation), (name, kind)), nullable) in columns.zip(&self.nullable) {
            if is_type(&kind) {
                for (list, part) in kept.columns.iter_mut().zip([schema, relation, name, kind]) {
                    list.push(part);
                }
                kept.nullable.push(*nullable);
            } else {
                let kind: String = kind.chars().filter(|c| !c.is_control()).take(64).collect();
                misfits.push(format!("{relation}.{name} should be {kind}, which is no type"));
            }
        }
        *self = kept;
        Ok(misfits)
    }
}

/// Whether all of the texts are names of types. Before Postgres 16 `to_regtype` fails for a text that
/// is none: a fault of syntax, of a name or of a value.
async fn are_types(session: &Session, texts: &[String]) -> Result<bool, avenire_postgres::Error> {
    match session.rows(ARE_TYPES, &[&texts]).await {
        Ok(_) => Ok(true),
        Err(error) => match error.sqlstate() {
            Some(code) if ["42", "22", "0A"].iter().any(|class| code.starts_with(class)) => {
                Ok(false)
            }
            _ => Err(error),
        },
    }
}
