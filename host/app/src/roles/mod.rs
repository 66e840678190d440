//! One Postgres role for each component, with the grants of the manifest.
//!
//! What the sandbox is for memory, the role is for data: a component's
//! connections log in as its role, so no statement it sends can do more. Owns
//! the roles' names, passwords, settings and grants. Never touches a role that
//! it did not make.

mod held;
mod names;
mod script;

use std::time::Duration;

use avenire_engine::Limits;
use avenire_postgres::{Endpoint, Error, Session, ToSql};
use futures_util::future::join_all;
use sha2::{Digest as _, Sha256};

use crate::direct::Direct;
use crate::error::{AppError, within};
use crate::manifest::{ComponentEntry, Grants, TableGrant};
use crate::targets::Targets;
use names::{derive_password, hex};
use script::Password;

pub(crate) use held::{User, check as check_held};
pub use names::role_name;

/// How long preparing the roles may take.
const TIME: Duration = Duration::from_secs(30);

/// Changed with the script, so that roles of earlier versions are written again.
const SCRIPT: &str = "2";

/// First word of a role's comment: whose it is.
const OWNER: &str = "avenire-db";

/// How far roles are made what the manifest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Not at all.
    Nothing,
    /// Roles that are missing are made, and grants that others lack are added. Nothing is taken
    /// back: hosts with another manifest may serve by it.
    Addition,
    /// Exactly. What earlier manifests granted is taken back.
    Exact,
}

/// A role as it should be.
struct Role<'a> {
    component: &'a str,
    name: String,
    password: Option<String>,
    grants: &'a Grants,
    limits: Limits,
}

/// How a role is.
enum State {
    Missing,
    AsItShouldBe,
    Other,
}

/// The roles of some components, looked at.
pub(crate) struct Roles<'a> {
    targets: &'a Targets,
    direct: &'a Direct<'a>,
    looked: Vec<(Role<'a>, State, String)>,
}

impl<'a> Roles<'a> {
    /// Looks at the roles of these components without changing anything. All that is wrong.
    pub(crate) async fn look(
        targets: &'a Targets,
        direct: &'a Direct<'a>,
        components: &[(&'a str, &'a ComponentEntry)],
    ) -> Result<Self, Vec<AppError>> {
        if components.is_empty() {
            return Ok(Self { targets, direct, looked: Vec::new() });
        }
        let look = look_all(targets, direct, components);
        let looked = within(TIME, "looking at the components' roles", look).await;
        let looked = looked.unwrap_or_else(|error| Err(vec![error]))?;
        Ok(Self { targets, direct, looked })
    }

    /// Makes the roles what the manifest says. For each component, in order, what to log in with:
    /// none for one whose role does not exist and was not to be made.
    pub(crate) async fn make(self, extent: Extent) -> Result<Vec<Option<Endpoint>>, AppError> {
        let make = async {
            let mut endpoints = Vec::with_capacity(self.looked.len());
            for (role, state, stamp) in &self.looked {
                let exists = match (state, extent) {
                    (State::AsItShouldBe, _) | (State::Other, Extent::Nothing) => true,
                    (State::Missing, Extent::Nothing) => false,
                    (State::Other, Extent::Addition) => {
                        role.add(self.direct.session().await?).await?;
                        true
                    }
                    (State::Missing, _) | (State::Other, Extent::Exact) => {
                        role.write(self.direct.session().await?, stamp).await?;
                        true
                    }
                };
                let password = role.password.as_deref();
                endpoints.push(
                    exists.then(|| self.targets.pooled.with_credentials(&role.name, password)),
                );
            }
            Ok(endpoints)
        };
        within(TIME, "preparing the components' roles", make).await?
    }
}

async fn look_all<'a>(
    targets: &'a Targets,
    direct: &'a Direct<'a>,
    components: &[(&'a str, &'a ComponentEntry)],
) -> Result<Vec<(Role<'a>, State, String)>, Vec<AppError>> {
    let session = direct.session().await.map_err(|error| vec![error])?;
    let secret = targets.role_secret.as_deref().or(targets.direct.password());
    let roles = components.iter().map(|(component, entry)| Role {
        component,
        name: role_name(targets.direct.database(), component),
        password: secret
            .map(|secret| derive_password(secret, targets.direct.database(), component)),
        grants: &entry.grants,
        limits: entry.limits(),
    });
    // All questions travel together.
    let looks = roles.map(|role| async {
        let (state, stamp) = role.state(session).await?;
        Ok::<_, Vec<AppError>>((role, state, stamp))
    });
    let (mut roles, mut errors) = (Vec::new(), Vec::new());
    for looked in join_all(looks).await {
        match looked {
            Ok(role) => roles.push(role),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(roles) } else { Err(errors) }
}

impl Role<'_> {
    /// How it is, and the comment that it should have.
    async fn state(&self, session: &Session) -> Result<(State, String), Vec<AppError>> {
        let name: [&(dyn ToSql + Sync); 1] = [&self.name];
        let (stamp, rows) = tokio::join!(self.stamp(session), session.rows(COMMENT_SQL, &name));
        let stamp = stamp?;
        let rows = rows.map_err(|error| vec![self.error(&error)])?;
        let comment = rows.first().map(|row| row.get::<_, Option<String>>(0).unwrap_or_default());
        let state = match comment {
            None => State::Missing,
            Some(comment) if comment == stamp => State::AsItShouldBe,
            Some(comment) if !comment.starts_with(OWNER) => return Err(vec![self.foreign()]),
            Some(_) => State::Other,
        };
        Ok((state, stamp))
    }

    /// What the role's state depends on, as a digest: the manifest's part, the
    /// password, and the identity of the granted tables, their columns and sequences,
    /// which changes when a migration makes one anew and its grants are gone.
    async fn stamp(&self, session: &Session) -> Result<String, Vec<AppError>> {
        let (mut digest, mut missing) = (Sha256::new(), Vec::new());
        let tables = self.grants.0.iter().map(|grant| async {
            let name: [&(dyn ToSql + Sync); 2] = [&grant.schema, &grant.table];
            session.rows(TABLE_SQL, &name).await
        });
        for (grant, rows) in self.grants.0.iter().zip(join_all(tables).await) {
            digest.update(format!("{grant:?}\0"));
            let rows = rows.map_err(|error| vec![self.error(&error)])?;
            match rows.first() {
                Some(row) => digest.update(row.get::<_, String>(0)),
                None => missing.push(self.missing_table(grant)),
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        digest.update(format!("{:?}\0{:?}\0{SCRIPT}", self.limits.time, self.password));
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

    async fn add(&self, session: &Session) -> Result<(), AppError> {
        let added = session.batch(&self.script_of_addition()).await;
        if added.is_err() {
            session.batch("rollback").await.map_err(|error| self.error(&error))?;
        }
        added.map_err(|error| self.error(&error))
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

const COMMENT_SQL: &str =
    "select shobj_description(oid, 'pg_authid') from pg_roles where rolname = $1";

const TABLE_SQL: &str = "select concat_ws(' ', c.oid, \
     (select string_agg(a.attnum || '=' || a.attname, ',' order by a.attnum) from pg_attribute a \
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), \
     (select string_agg(d.objid::text, ',' order by d.objid) from pg_depend d \
      where d.refobjid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i'))) \
     from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname = $1::text and c.relname = $2::text and c.relkind in ('r', 'p', 'v', 'm', 'f')";
