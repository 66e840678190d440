//! Whether a user has what the manifest grants: for users that are not the host's to manage, and for
//! grants that Postgres silently did not make (PostgreSQL documentation, "GRANT").
//! Never: changes a privilege.

use std::time::Instant;

use avenire_postgres::{Endpoint, Session, ToSql};

use super::TIME;
use crate::direct::Direct;
use crate::error::{AppError, within};
use crate::manifest::ComponentEntry;

/// One row for each privilege that the user of the connection, or a named one, lacks.
const LACKED: &str = "
select d.relation, d.verb, coalesce(d.attribute, ''), c.oid is null
from unnest($1::text[], $2::text[], $3::text[], $4::text[])
    with ordinality d(schema, relation, attribute, verb, number)
cross join (select coalesce($5::text::name, current_user) as name) u
left join pg_namespace n on n.nspname = d.schema
left join pg_class c on c.relnamespace = n.oid and c.relname = d.relation
left join pg_attribute a
    on a.attrelid = c.oid and a.attname = d.attribute and a.attnum > 0 and not a.attisdropped
where c.oid is null
    or not has_schema_privilege(u.name, n.oid, 'usage')
    or case when d.attribute is null then not has_table_privilege(u.name, c.oid, d.verb)
            else a.attnum is null or not has_column_privilege(u.name, c.oid, a.attnum, d.verb) end
order by d.number";

/// Whose privileges are looked at.
pub(crate) enum User<'a> {
    /// A role of the database, looked at by the direct target's user.
    Role(&'a Direct<'a>, &'a str),
    /// Whoever this endpoint logs in as.
    Own(&'a Endpoint),
}

/// The error for a component whose user lacks what its grants say, with all that is missing.
pub(crate) async fn check(
    component: &str,
    entry: &ComponentEntry,
    user: User<'_>,
) -> Result<(), AppError> {
    let mut columns: [Vec<Option<String>>; 4] = Default::default();
    for grant in &entry.grants.0 {
        for privilege in &grant.privileges {
            let all = privilege.columns.is_empty().then_some(None).into_iter();
            for column in all.chain(privilege.columns.iter().map(|one| Some(one.clone()))) {
                let verb = Some(privilege.verb.to_owned());
                let parts = [Some(grant.schema.clone()), Some(grant.table.clone()), column, verb];
                columns.iter_mut().zip(parts).for_each(|(list, part)| list.push(part));
            }
        }
    }
    if columns.iter().all(Vec::is_empty) {
        return Ok(());
    }
    let own;
    let (session, endpoint, name) = match user {
        User::Role(direct, name) => (direct.session().await?, direct.endpoint(), Some(name)),
        User::Own(endpoint) => {
            let connecting = Session::connect(endpoint, Instant::now() + TIME).await;
            own = connecting.map_err(|source| {
                let doing = format!("the component {component} could not log in");
                AppError::Database { doing, source }
            })?;
            (&own, endpoint, None)
        }
    };
    let [schemas, relations, attributes, verbs] = &columns;
    let parameters: [&(dyn ToSql + Sync); 5] = [schemas, relations, attributes, verbs, &name];
    let rows = within(TIME, "reading the components' privileges", async {
        session.rows(LACKED, &parameters).await
    });
    let rows = rows.await?.map_err(|source| {
        let doing = format!("the privileges of the component {component} could not be read");
        AppError::Database { doing, source }
    })?;
    let lacked: Vec<String> = rows
        .iter()
        .map(|row| {
            let (relation, verb, column): (String, String, String) =
                (row.get(0), row.get(1), row.get(2));
            let column = if column.is_empty() { column } else { format!("({column})") };
            let missing = if row.get(3) { ", which does not exist" } else { "" };
            format!("{verb}{column} on {relation}{missing}")
        })
        .collect();
    if lacked.is_empty() {
        return Ok(());
    }
    let user = name.unwrap_or(endpoint.user()).to_owned();
    Err(AppError::MissingGrants { component: component.to_owned(), user, lacked })
}
