//! A component that wants to serve: its bytes, and what can be said of it without a database.
//! Never: runs it, talks to a database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use avenire_engine::{Cache, Component, LoadError, Sandbox};

use crate::contract::Contract;
use crate::error::AppError;
use crate::manifest::ComponentEntry;
use crate::project::Project;

/// How long compiling may take. The largest component in Rust that is known takes two seconds; one
/// that carries an interpreter ten.
const COMPILING: Duration = Duration::from_mins(2);

/// A component that wants to serve in a slot.
pub(crate) struct Candidate<'a> {
    /// The slot.
    pub(crate) name: &'a str,
    pub(crate) entry: &'a ComponentEntry,
    /// Where its bytes come from, for messages.
    pub(crate) file: PathBuf,
    pub(crate) bytes: Arc<[u8]>,
    /// What its slot promises.
    pub(crate) promised: Promised,
}

/// What a slot promises its callers.
#[derive(Clone, Debug)]
pub(crate) enum Promised {
    /// What the WIT files of the manifest say, when it names a folder.
    Files,
    /// What the generation that serves promises.
    Serving(Contract),
    /// Whatever the component does: it was accepted before.
    Itself,
}

/// What a candidate is, as far as its own bytes tell.
pub(crate) struct Code {
    pub(crate) component: Arc<Component>,
    /// What it promises its callers from now on; none when the manifest names no contract.
    pub(crate) contract: Option<Contract>,
    /// What it exports, for documents; none when that can not be told.
    pub(crate) described: Option<Arc<avenire_contract::Contract>>,
}

impl<'a> Candidate<'a> {
    /// The component of the manifest's file.
    pub(crate) fn of_manifest(
        project: &Project,
        name: &'a str,
        entry: &'a ComponentEntry,
    ) -> Result<Self, AppError> {
        Self::of_file(name, entry, project.path(&entry.path))
    }

    /// A file, for the manifest's component of that name.
    pub(crate) fn of_file(
        name: &'a str,
        entry: &'a ComponentEntry,
        file: PathBuf,
    ) -> Result<Self, AppError> {
        let bytes = avenire_engine::read(&file).map_err(|source| {
            let (component, file) = (name.to_owned(), file.clone());
            AppError::Component { component, file, source }
        })?;
        Ok(Self { name, entry, file, bytes: bytes.into(), promised: Promised::Files })
    }

    /// Begins to compile and check it off the serving threads, and answers with all that is wrong.
    pub(crate) fn examine(&self, project: &Project, sandbox: &Sandbox) -> Examination {
        let (sandbox, compiled) = (sandbox.clone(), project.compiled());
        let bytes = Arc::clone(&self.bytes);
        let about = About {
            component: self.name.to_owned(),
            file: self.file.clone(),
            contract: self.entry.contract.clone(),
            promised: self.promised.clone(),
            wit: project.manifest().contracts.path.as_ref().map(|path| project.path(path)),
        };
        let limit = about.error(LoadError::CompilesTooLong { limit: COMPILING });
        let work = tokio::task::spawn_blocking(move || {
            about.examine(&sandbox, &Cache::new(compiled), &bytes)
        });
        Examination { work, limit }
    }
}

/// An examination that is under way.
pub(crate) struct Examination {
    work: tokio::task::JoinHandle<Result<Code, Vec<AppError>>>,
    /// The error when it does not end.
    limit: AppError,
}

impl Examination {
    /// Waits for its end. A compilation that takes too long goes on, but nobody waits for it.
    pub(crate) async fn finish(self) -> Result<Code, Vec<AppError>> {
        match tokio::time::timeout(COMPILING, self.work).await {
            Err(_) => Err(vec![self.limit]),
            Ok(Ok(examined)) => examined,
            Ok(Err(error)) => {
                Err(vec![AppError::Sandbox(LoadError::Host { reason: error.to_string() })])
            }
        }
    }
}

/// What an examination needs to know, on a thread of its own.
struct About {
    component: String,
    file: PathBuf,
    contract: Option<String>,
    promised: Promised,
    wit: Option<PathBuf>,
}

impl About {
    fn error(&self, source: LoadError) -> AppError {
        AppError::Component { component: self.component.clone(), file: self.file.clone(), source }
    }

    fn examine(
        &self,
        sandbox: &Sandbox,
        cache: &Cache,
        bytes: &[u8],
    ) -> Result<Code, Vec<AppError>> {
        let loaded = cache.load_bytes(sandbox, bytes).map_err(|error| self.error(error));
        let found = match &self.contract {
            Some(interface) => self.keeps(interface, bytes, loaded.as_ref().ok()).map(Some),
            None => Ok(None),
        };
        match (loaded, found) {
            (Ok(component), Ok(contract)) => {
                let described = avenire_contract::Contract::of_component(bytes);
                let described = described.inspect_err(|error| {
                    let component = &self.component;
                    tracing::warn!(component, %error, "it will be missing in documents");
                });
                let component = Arc::new(component);
                Ok(Code { component, contract, described: described.ok().map(Arc::new) })
            }
            (loaded, found) => {
                let found = found.err().into_iter().flatten();
                Err(loaded.err().into_iter().chain(found).collect())
            }
        }
    }

    /// The contract as the component exports it, when it keeps what was promised. Of bytes that are
    /// no component nothing is said: that is told already.
    fn keeps(
        &self,
        interface: &str,
        bytes: &[u8],
        component: Option<&Component>,
    ) -> Result<Contract, Option<AppError>> {
        if let Some(component) = component {
            component.satisfies(interface).map_err(|error| Some(self.error(error)))?;
        }
        let found = match (Contract::of_component(bytes, interface), component) {
            (Ok(Some(found)), _) => found,
            (_, None) => return Err(None),
            (Ok(None), Some(component)) => {
                let (contract, exports) = (interface.to_owned(), component.interfaces().to_vec());
                return Err(Some(self.error(LoadError::MissingContract { contract, exports })));
            }
            (Err(reason), Some(_)) => {
                return Err(Some(self.error(LoadError::Malformed { reason })));
            }
        };
        let promised = match (&self.promised, &self.wit) {
            (Promised::Serving(promised), _) => Some(promised.clone()),
            (Promised::Files, Some(folder)) => of_wit(folder, interface)?,
            (Promised::Files, None) | (Promised::Itself, _) => None,
        };
        let broken = promised.map_or_else(Vec::new, |promised| promised.broken_by(&found));
        if broken.is_empty() {
            return Ok(found);
        }
        let (component, contract) = (self.component.clone(), interface.to_owned());
        Err(Some(AppError::Contract { component, contract, broken }))
    }
}

fn of_wit(folder: &Path, interface: &str) -> Result<Option<Contract>, Option<AppError>> {
    Contract::of_folder(folder, interface)
        .map_err(|reason| Some(AppError::Wit { folder: folder.to_owned(), reason }))
}
