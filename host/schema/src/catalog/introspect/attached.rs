//! Reads triggers and policies.

use serde::Deserialize;

use super::IntrospectError;
use super::reader::{Reader, class, comment, own};
use super::relations::{Body, Relations};
use crate::catalog::text::unwrapped;
use crate::catalog::{Id, Policy, Trigger};

/// Without those of constraints, and those that partitions have from their parent.
const TRIGGERS: &str = concat!(
    "
select g.oid::int8, g.tgrelid::int8 as relation, g.tgname as name,
    pg_get_triggerdef(g.oid) as definition, g.tgenabled::text as enabled,
    comment.description as comment
from pg_trigger g
join pg_class t on t.oid = g.tgrelid ",
    comment!("pg_trigger", "g.oid"),
    "
where not g.tgisinternal and g.tgparentid = 0 and t.relkind in ('r', 'p', 'v')
    and t.relnamespace = any ({schemas}) and ",
    own!("pg_class", "t.oid"),
    " and ",
    own!("pg_trigger", "g.oid")
);

const POLICIES: &str = concat!(
    "
select p.oid::int8, p.polrelid::int8 as relation, p.polname as name,
    p.polpermissive as permissive, p.polcmd::text as command,
    array(
        select coalesce(r.rolname, 'public') from unnest(p.polroles) role
        left join pg_roles r on r.oid = role order by 1
    ) as roles,
    pg_get_expr(p.polqual, p.polrelid) as \"using\",
    pg_get_expr(p.polwithcheck, p.polrelid) as \"check\",
    comment.description as comment
from pg_policy p
join pg_class t on t.oid = p.polrelid ",
    comment!("pg_policy", "p.oid"),
    "
where t.relnamespace = any ({schemas}) and ",
    own!("pg_class", "t.oid")
);

#[derive(Deserialize)]
struct TriggerRow {
    oid: i64,
    relation: i64,
    name: String,
    definition: String,
    enabled: char,
    comment: Option<String>,
}

#[derive(Deserialize)]
struct PolicyRow {
    oid: i64,
    relation: i64,
    name: String,
    permissive: bool,
    command: String,
    roles: Vec<String>,
    using: Option<String>,
    check: Option<String>,
    comment: Option<String>,
}

pub(super) async fn read(
    reader: &mut Reader<'_>,
    relations: &mut Relations,
) -> Result<(), IntrospectError> {
    for row in reader.rows::<TriggerRow>("triggers", TRIGGERS).await? {
        let TriggerRow { oid, relation, name, definition, enabled, comment } = row;
        let (owner, triggers) = match relations.0.get_mut(&relation) {
            Some((owner, Body::Table(table))) => (owner, &mut table.triggers),
            Some((owner, Body::View(view))) => (owner, &mut view.triggers),
            _ => continue,
        };
        reader.know(class::TRIGGER, oid, Id::Trigger(owner.clone(), name.clone()));
        triggers.insert(name, Trigger { definition, enabled, comment });
    }
    for row in reader.rows::<PolicyRow>("policies", POLICIES).await? {
        let Some((table, body)) = relations.table(row.relation) else { continue };
        let id = Id::Policy(table.clone(), row.name.clone());
        reader.know(class::POLICY, row.oid, id);
        body.policies.insert(row.name.clone(), row.policy());
    }
    Ok(())
}

impl PolicyRow {
    fn policy(self) -> Policy {
        let command = match self.command.as_str() {
            "r" => "select",
            "a" => "insert",
            "w" => "update",
            "d" => "delete",
            _ => "all",
        };
        let mut roles = self.roles;
        // By bytes, whatever the database's collation.
        roles.sort();
        Policy {
            permissive: self.permissive,
            command: command.into(),
            roles,
            using: self.using.as_deref().map(unwrapped),
            check: self.check.as_deref().map(unwrapped),
            comment: self.comment,
        }
    }
}
