//! Where components come from: files, and the registry; signed by keys that the manifest trusts,
//! when it names some.

use std::path::PathBuf;
use std::time::Instant;

use avenire_delivery::Keys;
use avenire_delivery::registry::{GenerationRecord, Registry};

use super::PATIENCE;
use crate::error::AppError;
use crate::host::Artifact;
use crate::project::Project;

/// The keys that the manifest trusts.
pub(crate) fn keys(project: &Project) -> Result<Keys, AppError> {
    Ok(Keys::parse(&project.manifest().trust.keys)?)
}

/// Refuses a component that none of the keys has signed, when there are any.
pub(crate) fn signed(
    keys: &Keys,
    component: &str,
    bytes: &[u8],
    signature: Option<&str>,
) -> Result<(), AppError> {
    if keys.is_empty() {
        return Ok(());
    }
    let checked = keys.check(bytes, signature);
    checked
        .map(drop)
        .map_err(|source| AppError::Untrusted { component: component.to_owned(), source })
}

/// A generation of the registry, its digest and its signature checked.
pub(crate) async fn stored(
    registry: &Registry,
    keys: &Keys,
    generation: &GenerationRecord,
) -> Result<Artifact, AppError> {
    let bytes = registry.artifact(&generation.sha256, Instant::now() + PATIENCE).await?;
    signed(keys, &generation.component, &bytes, generation.signature.as_deref())?;
    let from = format!("generation {} of the registry", generation.number);
    Ok(Artifact { from: PathBuf::from(from), bytes: bytes.into() })
}
