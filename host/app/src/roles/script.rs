//! The SQL that makes a role what the manifest says. Never: sends it.

use avenire_postgres::scram_verifier;

use super::Role;
use crate::manifest::TableGrant;

/// In which form the server gets a password.
#[derive(Clone, Copy)]
pub(super) enum Password {
    /// As a SCRAM-SHA-256 verifier: it appears in no log and can not be used to
    /// log in (PostgreSQL documentation, "Password Authentication").
    Verifier,
    Text,
}

impl Role<'_> {
    /// The whole change in one transaction, under a lock, so that hosts that start
    /// together do not collide. The simple protocol runs a script as one
    /// transaction by itself; BEGIN makes that visible.
    pub(super) fn script(&self, stamp: &str, password: Password) -> String {
        let role = quote(&self.name);
        let millis = self.limits.time.as_millis().max(1);
        let mut sql = LOCKED.to_owned();
        // Under the lock, since another host may just have made it. What follows
        // the creation is only what Postgres lets any role manager change.
        sql.push_str(&format!(
            "do $avenire$ begin
  if not exists (select from pg_roles where rolname = {name}) then
    create role {role} nosuperuser nocreatedb nocreaterole noreplication;
  end if;
end $avenire$;
alter role {role} login noinherit;\n",
            name = literal(&self.name),
        ));
        if let Some(text) = &self.password {
            let secret = match password {
                Password::Verifier => scram_verifier(text),
                Password::Text => text.clone(),
            };
            sql.push_str(&format!("alter role {role} password {};\n", literal(&secret)));
        }
        // Fences behind the host's own deadlines, which hold through any pooler.
        sql.push_str(&format!("alter role {role} set statement_timeout = {millis};\n"));
        sql.push_str(&format!(
            "alter role {role} set idle_in_transaction_session_timeout = {millis};\n"
        ));
        sql.push_str(&format!(
            "do $avenire$ begin
  alter role {role} set temp_file_limit = '{TEMPORARY_FILES}';
exception when insufficient_privilege then null;
end $avenire$;\n"
        ));
        sql.push_str(&self.revoke_everything());
        self.grants.0.iter().for_each(|grant| sql.push_str(&grants(grant, &role)));
        sql.push_str(&format!("comment on role {role} is {};\ncommit;\n", literal(stamp)));
        sql
    }

    /// What is granted beside what the role has, for others may have made it what it is.
    pub(super) fn script_of_addition(&self) -> String {
        let role = quote(&self.name);
        let mut sql = LOCKED.to_owned();
        self.grants.0.iter().for_each(|grant| sql.push_str(&grants(grant, &role)));
        sql.push_str("commit;\n");
        sql
    }

    /// Takes back what earlier manifests granted: everything this role has on
    /// tables and sequences of this database.
    fn revoke_everything(&self) -> String {
        let role = quote(&self.name);
        format!(
            "do $avenire$ declare item record; begin
  for item in
    select distinct n.nspname as schema, c.relname as name, c.relkind = 'S' as is_sequence
    from (
      select c.oid, acl.grantee from pg_class c, aclexplode(c.relacl) as acl
      union all
      select a.attrelid, acl.grantee from pg_attribute a, aclexplode(a.attacl) as acl
    ) as held
    join pg_class c on c.oid = held.oid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_roles r on r.oid = held.grantee
    where r.rolname = {name}
  loop
    if item.is_sequence then
      execute format('revoke all on sequence %I.%I from {escaped}', item.schema, item.name);
    else
      execute format('revoke all on table %I.%I from {escaped}', item.schema, item.name);
    end if;
  end loop;
end $avenire$;\n",
            name = literal(&self.name),
            escaped = role.replace('%', "%%"),
        )
    }
}

/// What a statement's sorts and materialized results may take of the server's disk. Only
/// a superuser may set it; without it the deadline is the only bound.
const TEMPORARY_FILES: &str = "1GB";

/// How every change begins: one at a time in the whole cluster.
const LOCKED: &str = "begin;\nselect pg_advisory_xact_lock(hashtext('avenire roles'));\n";

/// The statements for one table.
fn grants(grant: &TableGrant, role: &str) -> String {
    let (schema, table) = (quote(&grant.schema), quote(&grant.table));
    let mut sql = format!("grant usage on schema {schema} to {role};\n");
    for privilege in &grant.privileges {
        let columns: Vec<String> = privilege.columns.iter().map(|c| quote(c)).collect();
        let columns =
            if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
        let verb = privilege.verb;
        sql.push_str(&format!("grant {verb}{columns} on {schema}.{table} to {role};\n"));
    }
    if grant.may_insert() {
        sql.push_str(&grant_sequences(&format!("{schema}.{table}"), role));
    }
    sql
}

/// Who may insert into a table may also draw from the sequences of its columns.
fn grant_sequences(table: &str, role: &str) -> String {
    format!(
        "do $avenire$ declare item record; begin
  for item in
    select d.objid::regclass as name from pg_depend d
    where d.refobjid = {table}::regclass and d.classid = 'pg_class'::regclass
      and d.deptype in ('a', 'i')
      and exists (select from pg_class c where c.oid = d.objid and c.relkind = 'S')
  loop
    execute format('grant usage on sequence %s to {role}', item.name);
  end loop;
end $avenire$;\n",
        table = literal(table),
        role = role.replace('%', "%%"),
    )
}

/// A name as SQL (PostgreSQL documentation, "Identifiers and Key Words").
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL, whatever `standard_conforming_strings` is.
fn literal(text: &str) -> String {
    if text.contains('\\') {
        return format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    }
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_can_not_leave_their_quotes() {
        assert_eq!(quote("a\"; drop"), "\"a\"\"; drop\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'"), "E'a\\\\'''");
    }
}
