//! One Postgres role for each component, with the grants of the manifest.
//!
//! What the sandbox is for memory, the role is for data: a component's
//! connections log in as its role, so no statement it sends can do more. Owns
//! the roles' names, passwords, settings and grants. Never touches a role that
//! it did not make.

use std::time::{Duration, Instant};

use avenire_engine::Limits;
use avenire_postgres::{Endpoint, Error, Session, scram_verifier};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::error::{AppError, within};
use crate::manifest::{ComponentEntry, Grants, TableGrant};
use crate::targets::Targets;

/// How long preparing the roles may take.
const TIME: Duration = Duration::from_secs(30);

/// First word of a role's comment: whose it is.
const OWNER: &str = "avenire-db";

/// A role as it should be.
struct Role<'a> {
    component: &'a str,
    name: String,
    password: Option<String>,
    grants: &'a Grants,
    limits: Limits,
}

/// Makes the roles of these components what the manifest says, and returns for
/// each, in order, the endpoint to log in with. Roles that are as they should be
/// cost one query together.
pub(crate) async fn prepare(
    targets: &Targets,
    components: &[(&str, &ComponentEntry)],
) -> Result<Vec<Endpoint>, AppError> {
    let secret = targets.role_secret.as_deref().or(targets.direct.password());
    let roles: Vec<Role<'_>> = components
        .iter()
        .map(|(component, entry)| Role {
            component,
            name: role_name(targets.direct.database(), component),
            password: secret
                .map(|secret| derive_password(secret, targets.direct.database(), component)),
            grants: &entry.grants,
            limits: entry.limits(),
        })
        .collect();
    if !roles.is_empty() {
        within(TIME, "preparing the components' roles", ensure_all(targets, &roles)).await??;
    }
    Ok(roles
        .iter()
        .map(|role| targets.pooled.with_credentials(&role.name, role.password.as_deref()))
        .collect())
}

async fn ensure_all(targets: &Targets, roles: &[Role<'_>]) -> Result<(), AppError> {
    let connecting = Session::connect(&targets.direct, Instant::now() + TIME).await;
    let session = connecting.map_err(|source| AppError::Database {
        doing: "could not connect to prepare the components' roles".into(),
        source,
    })?;
    for role in roles {
        role.ensure(&session).await?;
    }
    Ok(())
}

/// `avenire_<database>_<component>`. Roles belong to the whole cluster, so the
/// database is part of the name; Postgres cuts names at 63 bytes, so a long one
/// ends in a digest.
pub fn role_name(database: &str, component: &str) -> String {
    let component_part = component.replace('-', "_");
    let name = format!("avenire_{database}_{component_part}");
    // An underscore in the database's name could be one of the component's.
    if name.len() <= 63 && database.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        return name;
    }
    let digest = hex(&Sha256::digest(format!("{database}\0{component}")));
    let component: String = component.replace('-', "_").chars().take(32).collect();
    format!("avenire_{component}_{}", digest.get(..16).unwrap_or(&digest))
}

/// HMAC-SHA-256 (RFC 2104) of the role's purpose under the secret: every host of
/// a fleet derives the same password, and none is stored.
fn derive_password(secret: &str, database: &str, component: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104, section 2)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("avenire-db role\0{database}\0{component}").as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Role<'_> {
    async fn ensure(&self, session: &Session) -> Result<(), AppError> {
        let stamp = self.stamp(session).await?;
        let comment = session
            .rows(COMMENT_SQL, &[&self.name])
            .await
            .map_err(|error| self.error(&error))?
            .first()
            .map(|row| row.get::<_, Option<String>>(0).unwrap_or_default());
        match comment {
            Some(comment) if comment == stamp => Ok(()),
            Some(comment) if !comment.starts_with(OWNER) => Err(self.foreign()),
            _ => self.write(session, &stamp).await,
        }
    }

    /// What the role's state depends on, as a digest: the manifest's part, the
    /// password, and the identity of the granted tables, their columns and sequences,
    /// which changes when a migration makes one anew and its grants are gone.
    async fn stamp(&self, session: &Session) -> Result<String, AppError> {
        let mut digest = Sha256::new();
        for grant in &self.grants.0 {
            digest.update(format!("{grant:?}\0"));
            let rows = session.rows(TABLE_SQL, &[&grant.schema, &grant.table]).await;
            let rows = rows.map_err(|error| self.error(&error))?;
            let row = rows.first().ok_or_else(|| self.missing_table(grant))?;
            digest.update(row.get::<_, String>(0));
        }
        digest.update(format!("{:?}\0{:?}", self.limits.time, self.password));
        Ok(format!("{OWNER} {}", hex(&digest.finalize())))
    }

    async fn write(&self, session: &Session, stamp: &str) -> Result<(), AppError> {
        let mut written = session.batch(&self.script(stamp, Password::Verifier)).await;
        if written.is_err() {
            session.batch("rollback").await.map_err(|error| self.error(&error))?;
        }
        // Neon keeps passwords for its proxy and takes them as text only.
        if written.as_ref().is_err_and(|error| error.to_string().contains("plaintext password")) {
            written = session.batch(&self.script(stamp, Password::Text)).await;
        }
        written.map_err(|error| self.error(&error))
    }

    /// The whole change in one transaction, under a lock, so that hosts that start
    /// together do not collide. The simple protocol runs a script as one
    /// transaction by itself; BEGIN makes that visible.
    fn script(&self, stamp: &str, password: Password) -> String {
        let role = quote(&self.name);
        let millis = self.limits.time.as_millis().max(1);
        let mut sql =
            String::from("begin;\nselect pg_advisory_xact_lock(hashtext('avenire roles'));\n");
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
        sql.push_str(&self.revoke_everything());
        for grant in &self.grants.0 {
            let (schema, table) = (quote(&grant.schema), quote(&grant.table));
            sql.push_str(&format!("grant usage on schema {schema} to {role};\n"));
            for privilege in &grant.privileges {
                let columns: Vec<String> = privilege.columns.iter().map(|c| quote(c)).collect();
                let columns = if columns.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", columns.join(", "))
                };
                let verb = privilege.verb;
                sql.push_str(&format!("grant {verb}{columns} on {schema}.{table} to {role};\n"));
            }
            if grant.may_insert() {
                sql.push_str(&grant_sequences(&format!("{schema}.{table}"), &role));
            }
        }
        sql.push_str(&format!("comment on role {role} is {};\ncommit;\n", literal(stamp)));
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

    fn missing_table(&self, grant: &TableGrant) -> AppError {
        AppError::MissingTable { component: self.component.to_owned(), table: grant.name() }
    }

    fn foreign(&self) -> AppError {
        AppError::Role {
            component: self.component.to_owned(),
            message: format!("a role named {} exists that avenire-db did not make", self.name),
            hint: "rename that role, or give the component a `url` of its own in avenire.toml"
                .into(),
        }
    }

    fn error(&self, error: &Error) -> AppError {
        let hint = match error.sqlstate() {
            Some("42501") => {
                "the database user may not manage roles. Either give each component a `url` with credentials in avenire.toml, or state `roles = \"shared\"` under [database]: then grants are not enforced"
            }
            _ => "see the database's message",
        };
        AppError::Role {
            component: self.component.to_owned(),
            message: error.to_string(),
            hint: error.hint().map_or_else(|| hint.to_owned(), Into::into),
        }
    }
}

/// In which form the server gets a password.
#[derive(Clone, Copy)]
enum Password {
    /// As a SCRAM-SHA-256 verifier: it appears in no log and can not be used to
    /// log in (PostgreSQL documentation, "Password Authentication").
    Verifier,
    Text,
}

const COMMENT_SQL: &str =
    "select shobj_description(oid, 'pg_authid') from pg_roles where rolname = $1";

const TABLE_SQL: &str = "select concat_ws(' ', c.oid, \
     (select string_agg(a.attnum || '=' || a.attname, ',' order by a.attnum) from pg_attribute a \
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), \
     (select string_agg(d.objid::text, ',' order by d.objid) from pg_depend d \
      where d.refobjid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i'))) \
     from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname = $1::text and c.relname = $2::text and c.relkind in ('r', 'p', 'v', 'm', 'f')";

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
    fn role_names_are_valid_and_distinct_however_long() {
        assert_eq!(role_name("app", "user-settings"), "avenire_app_user_settings");
        let long = "d".repeat(63);
        assert_ne!(role_name("app", "user-settings"), role_name("app_user", "settings"));
        assert_ne!(role_name("App", "chat"), role_name("app", "chat"));
        let (a, b) = (role_name(&long, "chat"), role_name(&long, "auth"));
        assert!(a.len() <= 63 && a != b, "{a} {b}");
        assert!(role_name("häuser", "chat").is_ascii());
    }

    #[test]
    fn passwords_differ_by_secret_database_and_component() {
        let one = derive_password("s", "d", "chat");
        assert_eq!(one, derive_password("s", "d", "chat"));
        assert_ne!(one, derive_password("t", "d", "chat"));
        assert_ne!(one, derive_password("s", "e", "chat"));
        assert_ne!(one, derive_password("s", "d", "auth"));
    }

    #[test]
    fn names_and_texts_can_not_leave_their_quotes() {
        assert_eq!(quote("a\"; drop"), "\"a\"\"; drop\"");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'"), "E'a\\\\'''");
    }
}
