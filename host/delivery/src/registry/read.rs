//! Reading the registry: slots, generations, artifacts. Never: changes anything.

use std::time::Instant;

use avenire_postgres::Type;

use super::connection::Parameters;
use super::error::RegistryError;
use super::record::{self, GenerationRecord, SLOTS, Slots, cell, generation_columns};
use super::{Digest, Registry, text};

/// The most bytes an artifact may have.
pub const MAXIMUM_ARTIFACT: usize = 64 << 20;

/// How much of one is read at a time, in bytes: a row has its limits too.
const PIECE: i32 = 16 << 20;

/// The length is known without reading the bytes, which are left where they are when there are too
/// many.
const ARTIFACT: &str = "
select octet_length(bytes)::bigint as size,
    case when octet_length(bytes) <= $2 then substring(bytes from $3 for $4) end as piece
from _avenire.artifacts where sha256 = $1";

const GENERATION: &str = concat!(
    "select ",
    generation_columns!(),
    " from _avenire.generations g left join _avenire.artifacts a on a.sha256 = g.sha256 ",
    "where g.component = $1 and g.number = $2"
);

const GENERATIONS: &str = concat!(
    "select ",
    generation_columns!(),
    " from _avenire.generations g left join _avenire.artifacts a on a.sha256 = g.sha256 ",
    "where g.component = $1 order by g.number desc limit $2"
);

impl Registry {
    /// What all components serve. A slot that cannot be read is a problem in the answer and hides
    /// no other.
    pub async fn slots(&self, deadline: Instant) -> Result<Slots, RegistryError> {
        record::slots(&self.rows("read the registry's slots", SLOTS, &[], deadline).await?)
    }

    /// The bytes of an artifact, at most [`MAXIMUM_ARTIFACT`], checked against their digest.
    ///
    /// # Errors
    /// [`RegistryError::NoArtifact`], [`RegistryError::Size`] and [`RegistryError::WrongDigest`]
    /// among others.
    pub async fn artifact(
        &self,
        sha256: &Digest,
        deadline: Instant,
    ) -> Result<Vec<u8>, RegistryError> {
        let maximum = i64::try_from(MAXIMUM_ARTIFACT).unwrap_or(i64::MAX);
        let mut bytes = Vec::new();
        loop {
            let (size, piece) = self.piece(sha256, bytes.len(), maximum, deadline).await?;
            let Some(piece) = piece.filter(|_| size > 0) else {
                return Err(RegistryError::Size { component: sha256.to_string(), size, maximum });
            };
            bytes.extend_from_slice(&piece);
            let is_whole = i64::try_from(bytes.len()).is_ok_and(|length| length >= size);
            // If it changed in between, the digest tells.
            if is_whole || piece.is_empty() {
                break;
            }
        }
        let found = Digest::of_many(&bytes).await;
        if found != *sha256 {
            return Err(RegistryError::WrongDigest { sha256: *sha256, found });
        }
        Ok(bytes)
    }

    /// The size of an artifact, and what of it begins there; none when it is larger than `maximum`.
    async fn piece(
        &self,
        sha256: &Digest,
        begin: usize,
        maximum: i64,
        deadline: Instant,
    ) -> Result<(i64, Option<Vec<u8>>), RegistryError> {
        let key = sha256.as_bytes();
        // From 1.
        let begin = i32::try_from(begin).unwrap_or(i32::MAX).saturating_add(1);
        let parameters: &Parameters<'_> = &[
            (&key, Type::BYTEA),
            (&maximum, Type::INT8),
            (&begin, Type::INT4),
            (&PIECE, Type::INT4),
        ];
        let rows = self.rows("read an artifact", ARTIFACT, parameters, deadline).await?;
        let row = rows.first().ok_or(RegistryError::NoArtifact { sha256: *sha256 })?;
        let what = || format!("artifact {sha256}");
        Ok((cell!(row, "size", what())?, cell!(row, "piece", what())?))
    }

    /// One generation of a component.
    ///
    /// # Errors
    /// [`RegistryError::NoGeneration`] among others.
    pub async fn generation(
        &self,
        component: &str,
        number: i64,
        deadline: Instant,
    ) -> Result<GenerationRecord, RegistryError> {
        text::component(component)?;
        let parameters = [(&component as _, Type::TEXT), (&number as _, Type::INT8)];
        let rows = self.rows("read a generation", GENERATION, &parameters, deadline).await?;
        let row = rows.first().ok_or_else(|| {
            let component = component.to_owned();
            RegistryError::NoGeneration { component, generation: number }
        })?;
        record::generation(row)
    }

    /// The latest generations of a component, the newest first. Those that cannot be read are left
    /// out with a warning in the log.
    pub async fn generations(
        &self,
        component: &str,
        limit: u16,
        deadline: Instant,
    ) -> Result<Vec<GenerationRecord>, RegistryError> {
        text::component(component)?;
        let limit = i64::from(limit);
        let parameters = [(&component as _, Type::TEXT), (&limit as _, Type::INT8)];
        let rows = self.rows("read generations", GENERATIONS, &parameters, deadline).await?;
        Ok(super::readable(rows.iter().map(record::generation)))
    }
}
