//! Whose fault an error is, and what to do about it.

use avenire_delivery::registry;
use avenire_engine::{Blame, LoadError, SwapError};
use avenire_schema::MigrationError;

use super::AppError;
use crate::schema_tools::blame as schema_blame;

impl AppError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Migrating(failure) => migration_blame(&failure.error),
            Self::Migration(error) => migration_blame(error),
            Self::RollingBack(failure) => migration_blame(&failure.error),
            Self::Generate(error) => schema_blame::of_generate(error),
            Self::Push(error) => schema_blame::of_push(error),
            Self::Drift(error) => schema_blame::of_drift(error),
            Self::Pull(error) => schema_blame::of_pull(error),
            Self::NoModules
            | Self::NoMigrations { .. }
            | Self::Modules(_)
            | Self::Renumber(_)
            | Self::Snapshot(_)
            | Self::NoManifest(_)
            | Self::Manifest { .. }
            | Self::Variable { .. }
            | Self::VariableName { .. }
            | Self::MissingTable { .. }
            | Self::MissingGrants { .. }
            | Self::UnknownComponent { .. }
            | Self::MigrationFiles(_)
            | Self::Url { .. }
            | Self::Wit { .. }
            | Self::Keys(_)
            | Self::Watch(_)
            | Self::NoRegistry
            | Self::Server(_)
            | Self::Registered { .. }
            | Self::Swap(SwapError::NothingBefore { .. } | SwapError::NoCanary { .. })
            | Self::Component { source: LoadError::Unreadable(_), .. } => Blame::Caller,
            Self::Registry(error) => match error.blame() {
                registry::Blame::Caller => Blame::Caller,
                registry::Blame::Database => Blame::Database,
                registry::Blame::Host => Blame::Host,
            },
            Self::Several(errors) => errors.first().map_or(Blame::Host, Self::blame),
            Self::SelfTestFailed { source, .. } => source.blame(),
            Self::Misfit { .. }
            | Self::SelfTest { .. }
            | Self::Undescribed { .. }
            | Self::Description { .. }
            | Self::Section { .. }
            | Self::Component { .. }
            | Self::Contract { .. }
            | Self::Untrusted { .. }
            | Self::Build { .. } => Blame::Guest,
            Self::Database { .. } | Self::Slow { .. } | Self::Role { .. } => Blame::Database,
            Self::Read { .. } | Self::Write { .. } | Self::Embedded(_) | Self::Sandbox(_) => {
                Blame::Host
            }
        }
    }

    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoManifest(_) => {
                Some("run the command inside a project, or name one with --project".to_owned())
            }
            Self::Variable { variable, .. } => {
                Some(format!("set {variable}, or remove the key to use the embedded Postgres"))
            }
            Self::VariableName { .. } => {
                Some("write `env:NAME` with letters, digits and underscores".to_owned())
            }
            Self::MissingTable { .. } => Some(
                "correct `grants` in avenire.toml, or see `avenire-db migrate` for what is pending"
                    .to_owned(),
            ),
            Self::Manifest { hint, .. } => hint.clone(),
            Self::UnknownComponent { .. } => {
                Some("`avenire-db components list` shows them".to_owned())
            }
            Self::Url { source, .. } => source.hint().map(Into::into),
            Self::Embedded(source) => source.hint(),
            Self::Database { source, .. } => source.hint().map(Into::into),
            Self::Slow { .. } => Some(
                "look for a lock that somebody holds: pg_stat_activity shows who waits for whom"
                    .to_owned(),
            ),
            Self::MigrationFiles(source) => Some(source.hint()),
            Self::Migration(source) => source.hint(),
            Self::Migrating(failure) => failure.error.hint(),
            Self::RollingBack(failure) => failure.error.hint(),
            Self::NoModules => {
                Some("name their folder in `schema.modules` of avenire.toml".to_owned())
            }
            Self::NoMigrations { .. } => {
                Some("`avenire-db status` shows whose there are".to_owned())
            }
            Self::Modules(source) => Some(source.hint()),
            Self::Generate(source) => source.hint(),
            Self::Drift(source) => source.hint(),
            Self::Push(source) => source.hint(),
            Self::Pull(source) => source.hint(),
            Self::Snapshot(source) => Some(source.hint()),
            Self::Renumber(source) => source.hint(),
            _ => self.hint_of_component(),
        }
    }

    /// The same for what is about components.
    fn hint_of_component(&self) -> Option<String> {
        match self {
            Self::MissingGrants { .. } => {
                Some("grant it as the owner of the tables, or correct `grants` in avenire.toml".to_owned())
            }
            Self::SelfTest { .. } => Some(
                "`avenire-db status` shows migrations that are pending; otherwise the component is \
                 to be mended"
                    .to_owned(),
            ),
            Self::SelfTestFailed { source, .. } => source.hint().map(str::to_owned),
            Self::Misfit { .. } => Some(
                "apply what is pending (`avenire-db status`), or build the component against \
                 this schema"
                    .to_owned(),
            ),
            Self::Description { source, .. } => Some(source.hint().to_owned()),
            Self::Section { .. } => Some("build it anew: `avenire-db components build`".to_owned()),
            Self::Role { hint, .. } | Self::Build { hint, .. } => Some(hint.clone()),
            Self::Component { source: LoadError::Unreadable(_), .. } => {
                Some("build it: `avenire-db components build`".to_owned())
            }
            Self::Component { source, .. } => source.hint(),
            Self::Contract { .. } => Some(
                "build it with these functions as they were; what changes gets a new name, or a \
                 new track of the contract"
                    .to_owned(),
            ),
            Self::Wit { .. } => {
                Some("correct them, or `contracts.path` in avenire.toml".to_owned())
            }
            Self::Untrusted { source, .. } | Self::Keys(source) => Some(source.hint().to_owned()),
            Self::Registry(source) => Some(source.hint()),
            Self::Watch(source) => Some(source.hint().to_owned()),
            Self::Registered { .. } => Some("ship it: `avenire-db components deploy`".to_owned()),
            Self::Server(source) => Some(source.hint()),
            Self::Undescribed { source, .. } => Some(source.hint().to_owned()),
            Self::NoRegistry => Some("serve without --no-registry".to_owned()),

            Self::Several(errors) => errors.iter().find_map(Self::hint),
            Self::Swap(_) => {
                Some("`avenire-db components history` shows what there was".to_owned())
            }
            _ => None,
        }
    }
}

/// What contradicts what was applied, or asks for what can not be, is the caller's to mend.
pub(crate) fn migration_blame(error: &MigrationError) -> Blame {
    match error {
        MigrationError::Plan(_)
        | MigrationError::NeedsDirect { .. }
        | MigrationError::NoDown { .. }
        | MigrationError::TooMany { .. }
        | MigrationError::Hazards { .. }
        | MigrationError::NotEmpty { .. }
        | MigrationError::TwinComponents { .. }
        | MigrationError::DrizzlePending { .. } => Blame::Caller,
        _ => Blame::Database,
    }
}
