//! Looks at the whole chain from the manifest to each component's login, and
//! says what is wrong and how to mend it.
//!
//! Every check is tried even when an earlier one failed, unless it can not mean
//! anything then. Changes nothing but what starting the host would.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use avenire_postgres::{Endpoint, Session};

use crate::build;
use crate::error::{AppError, within};
use crate::host::{self, Checked, Host, Selection};
use crate::manifest::Roles;
use crate::project::Project;
use crate::roles::Extent;
use crate::schema_tools;
use crate::targets::Targets;

/// The oldest Postgres that this host is tested against.
const OLDEST_MAJOR: i32 = 15;

/// How long one connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(20);

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Works, but deserves a look.
    Warning,
    /// Does not work.
    Broken,
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub finding: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Check {
    fn fine(name: &str, finding: impl Into<String>) -> Self {
        Self { name: name.to_owned(), verdict: Verdict::Fine, finding: finding.into(), hint: None }
    }

    fn warning(name: &str, finding: impl Into<String>, hint: &str) -> Self {
        let hint = Some(hint.to_owned());
        Self { name: name.to_owned(), verdict: Verdict::Warning, finding: finding.into(), hint }
    }

    fn broken(name: &str, error: &AppError) -> Self {
        let mut finding = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            finding.push_str(": ");
            finding.push_str(&cause.to_string());
            source = cause.source();
        }
        Self { name: name.to_owned(), verdict: Verdict::Broken, finding, hint: error.hint() }
    }
}

/// Runs every check. `targets` is what opening the database led to.
pub async fn doctor(project: &Project, targets: Result<Targets, AppError>) -> Vec<Check> {
    let components = &project.manifest().components;
    let mut checks = vec![Check::fine("manifest", format!("{} components", components.len()))];
    checks.push(toolchain(project).await);
    checks.extend(components_load(project).await);
    let targets = match targets {
        Ok(targets) => targets,
        Err(error) => {
            checks.push(Check::broken("database", &error));
            return checks;
        }
    };
    checks.push(database(&targets));
    let reachable = direct_target(&targets, &mut checks).await;
    if !reachable {
        return checks;
    }
    checks.push(migrations(project, &targets).await);
    let all_load = checks.iter().all(|check| check.verdict != Verdict::Broken);
    if project.manifest().database.roles == Roles::Shared {
        checks.push(Check::warning(
            "roles",
            "all components log in as the database's user; grants are not enforced",
            "remove `roles = \"shared\"` to give each component a role of its own",
        ));
    }
    if all_load {
        checks.extend(logins(project, targets).await);
    }
    checks
}

async fn toolchain(project: &Project) -> Check {
    let builds = project.manifest().components.values().any(|entry| entry.package.is_some());
    if !builds {
        return Check::fine("toolchain", "not needed: no component is built here");
    }
    if build::target_is_installed(project).await {
        return Check::fine("toolchain", "Rust with the target wasm32-unknown-unknown");
    }
    Check::warning(
        "toolchain",
        "the Rust target wasm32-unknown-unknown is missing",
        "`rustup target add wasm32-unknown-unknown`, or let `avenire-db components build` do it",
    )
}

async fn components_load(project: &Project) -> Vec<Check> {
    let mut checks = Vec::new();
    for name in project.manifest().components.keys() {
        let title = format!("component {name}");
        checks.push(match host::check(project, None, name, None).await {
            Ok(Checked { component, .. }) => Check::fine(
                &title,
                format!(
                    "{} with {} functions, {} bytes",
                    component.interfaces().join(", "),
                    component.functions().count(),
                    component.size()
                ),
            ),
            Err(error) => Check::broken(&title, &error),
        });
    }
    checks
}

fn database(targets: &Targets) -> Check {
    if let Some(cluster) = &targets.embedded {
        return Check::fine("database", format!("embedded Postgres {}", cluster.version()));
    }
    let explained = |endpoint: &Endpoint| {
        let facts = endpoint.explain();
        facts.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ")
    };
    Check::fine("database", explained(&targets.pooled))
}

/// Connects to both targets; returns whether the direct one can be used.
async fn direct_target(targets: &Targets, checks: &mut Vec<Check>) -> bool {
    if targets.direct.is_pooled() {
        checks.push(Check::warning(
            "direct target",
            "migrations and roles would go through a pooler",
            "set DIRECT_DATABASE_URL, or `direct-url` under [database], to the endpoint without pooler",
        ));
    }
    let session = match Session::connect(&targets.direct, Instant::now() + CONNECT_TIME).await {
        Ok(session) => session,
        Err(source) => {
            let doing = "the direct target can not be used".to_owned();
            checks.push(Check::broken("direct target", &AppError::Database { doing, source }));
            return false;
        }
    };
    let found = match within(CONNECT_TIME, "asking for the server's version", facts(&session)).await
    {
        Ok(found) => found,
        Err(error) => {
            checks.push(Check::broken("direct target", &error));
            return false;
        }
    };
    match found {
        Ok((version, major, manages_roles)) => {
            if major < OLDEST_MAJOR {
                let found = format!("Postgres {version}");
                checks.push(Check::warning("direct target", found, "use Postgres 15 or later"));
            } else {
                checks.push(Check::fine("direct target", format!("Postgres {version}")));
            }
            if !manages_roles {
                checks.push(Check::warning(
                    "roles",
                    "the database's user may not make roles",
                    "give each component a `url` of its own, or state `roles = \"shared\"`",
                ));
            }
            true
        }
        Err(source) => {
            let doing = "the direct target does not answer".to_owned();
            checks.push(Check::broken("direct target", &AppError::Database { doing, source }));
            false
        }
    }
}

async fn facts(session: &Session) -> Result<(String, i32, bool), avenire_postgres::Error> {
    let sql = "select current_setting('server_version'), \
               current_setting('server_version_num')::int / 10000, \
               (select rolsuper or rolcreaterole from pg_roles where rolname = current_user)";
    let rows = session.rows(sql, &[]).await?;
    Ok(rows.first().map_or_else(
        || (String::new(), 0, false),
        |row| (row.get(0), row.get(1), row.get::<_, Option<bool>>(2).unwrap_or(false)),
    ))
}

async fn migrations(project: &Project, targets: &Targets) -> Check {
    let all = match schema_tools::migration_status(project, targets).await {
        Ok(all) => all,
        Err(error) => return Check::broken("migrations", &error),
    };
    if let Some(conflict) = all.iter().find_map(|(_, status)| status.conflict.as_ref()) {
        return Check {
            name: "migrations".to_owned(),
            verdict: Verdict::Broken,
            finding: conflict.to_string(),
            hint: Some(conflict.hint()),
        };
    }
    let applied: usize = all.iter().map(|(_, status)| status.applied.len()).sum();
    let pending: usize = all.iter().map(|(_, status)| status.pending.len()).sum();
    if pending == 0 {
        return Check::fine("migrations", format!("{applied} applied, none pending"));
    }
    let finding = format!("{applied} applied, {pending} pending");
    Check::warning("migrations", finding, "apply them: `avenire-db migrate`")
}

/// Starts the host as `serve` would and lets each component's role log in.
async fn logins(project: &Project, targets: Targets) -> Vec<Check> {
    // Whatever other hosts serve by stays.
    let (all, added) = (&Selection::All, Extent::Addition);
    let host = match Host::start_with(project, targets, all, added, &BTreeMap::new()).await {
        Ok(host) => host,
        Err(error) => return vec![Check::broken("roles", &error)],
    };
    let mut checks = Vec::new();
    for slot in host.slots() {
        let title = format!("login of {}", slot.name());
        let endpoint = slot.pool().endpoint();
        let session = Session::connect(endpoint, Instant::now() + CONNECT_TIME).await;
        checks.push(match session {
            Ok(_) => Check::fine(&title, format!("as {}", endpoint.user())),
            Err(source) => {
                let doing = format!("{} can not log in as {}", slot.name(), endpoint.user());
                Check::broken(&title, &AppError::Database { doing, source })
            }
        });
    }
    host.close().await;
    checks
}
