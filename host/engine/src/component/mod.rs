//! A loaded component: checked, compiled, linked, and its functions by name.
//!
//! Owns what is refused at loading. Never calls a function.

mod cache;
mod functions;
mod imports;

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::component::{Component as Code, InstancePre};

pub use cache::Cache;
pub use cache::read;
pub use functions::{Function, is_compatible};

use functions::Exported;

use crate::error::{CallError, LoadError};
use crate::sandbox::Sandbox;
use crate::state::CallState;

/// The largest component file that is read: 64 MiB. Components written in Rust
/// have 0.1–1 MiB, those that carry an interpreter 10–20 MiB.
const MAX_COMPONENT_BYTES: u64 = 64 << 20;

/// A component that passed every check and can be called.
pub struct Component {
    pre: InstancePre<CallState>,
    functions: BTreeMap<Arc<str>, Arc<Function>>,
    self_test: Option<Arc<Function>>,
    interfaces: Vec<String>,
    digest: [u8; 32],
    size: usize,
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component")
            .field("digest", &self.digest_hex())
            .field("interfaces", &self.interfaces)
            .finish_non_exhaustive()
    }
}

impl Component {
    /// Compiles and checks the bytes of a component, without any cache.
    pub(crate) fn compile(sandbox: &Sandbox, bytes: &[u8]) -> Result<Self, LoadError> {
        check_header(bytes)?;
        let code = Code::from_binary(sandbox.engine(), bytes)
            .map_err(|error| LoadError::Malformed { reason: format!("{error:#}") })?;
        Self::link(sandbox, &code, bytes)
    }

    /// Checks compiled code against what this host offers and indexes what it
    /// exports.
    fn link(sandbox: &Sandbox, code: &Code, bytes: &[u8]) -> Result<Self, LoadError> {
        imports::check(sandbox.engine(), code)?;
        let pre = sandbox
            .linker()
            .instantiate_pre(code)
            .map_err(|error| LoadError::Incompatible { reason: format!("{error:#}") })?;
        let Exported { interfaces, functions, self_test } =
            functions::exported(sandbox.engine(), code)?;
        if functions.is_empty() {
            return Err(LoadError::NothingExported);
        }
        let digest = Sha256::digest(bytes).into();
        Ok(Self { pre, functions, self_test, interfaces, digest, size: bytes.len() })
    }

    /// Refuses a component that does not export the interface its slot promises,
    /// such as `avenire:chat/queries@0.1.0`. A later version of the same track
    /// satisfies it (semantic versioning: `0.1.3` for `0.1.0`, `1.4.0` for `1.2.0`).
    pub fn satisfies(&self, contract: &str) -> Result<(), LoadError> {
        if self.interfaces.iter().any(|name| functions::is_compatible(name, contract)) {
            return Ok(());
        }
        Err(LoadError::MissingContract {
            contract: contract.to_owned(),
            exports: self.interfaces.clone(),
        })
    }

    /// The functions, by name.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.values().map(AsRef::as_ref)
    }

    /// The function of that name, in kebab-case as in WIT or camelCase as in JSON.
    pub(crate) fn function(&self, name: &str) -> Option<(&Arc<str>, &Arc<Function>)> {
        self.functions
            .get_key_value(name)
            .or_else(|| self.functions.iter().find(|(_, function)| function.json_name() == name))
    }

    /// Whether it has a test of its own (`avenire:component/self-test`).
    pub fn tests_itself(&self) -> bool {
        self.self_test.is_some()
    }

    pub(crate) fn self_test(&self) -> Option<&Arc<Function>> {
        self.self_test.as_ref()
    }

    /// The error for a name that it does not have, called in that slot.
    pub fn unknown_function(&self, slot: &str, name: &str) -> CallError {
        let nearest = self
            .functions()
            .map(Function::name)
            .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)))
            .map(str::to_owned);
        let function = name.chars().filter(|c| !c.is_control()).take(128).collect();
        CallError::UnknownFunction { component: slot.to_owned(), function, nearest }
    }

    /// The interfaces it exports, with versions.
    pub fn interfaces(&self) -> &[String] {
        &self.interfaces
    }

    /// SHA-256 of the component's bytes, in lower-case hexadecimal digits.
    pub fn digest_hex(&self) -> String {
        hex(&self.digest)
    }

    /// Size of the component's file in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn pre(&self) -> &InstancePre<CallState> {
        &self.pre
    }
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Tells apart what is commonly given by mistake, before the validator's words.
///
/// The eight bytes are the magic number, a version and a layer: 1 and 0 for a
/// core module, 0xd and 1 for a component (WebAssembly component model,
/// "Binary").
fn check_header(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.is_empty() {
        return Err(LoadError::Empty);
    }
    if bytes.len() as u64 > MAX_COMPONENT_BYTES {
        return Err(LoadError::TooLarge {
            bytes: bytes.len() as u64,
            maximum: MAX_COMPONENT_BYTES,
        });
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(LoadError::NotWasm);
    }
    match bytes.get(4..8) {
        Some([1, 0, 0, 0]) => Err(LoadError::CoreModule),
        Some([_, _, 1, 0]) => Ok(()),
        _ => Err(LoadError::Malformed { reason: "its header is cut off or unknown".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_wrong_file_is_named() {
        assert!(matches!(check_header(b""), Err(LoadError::Empty)));
        assert!(matches!(check_header(b"#!/bin/sh"), Err(LoadError::NotWasm)));
        assert!(matches!(check_header(b"\0asm\x01\0\0\0"), Err(LoadError::CoreModule)));
        assert!(matches!(check_header(b"\0asm"), Err(LoadError::Malformed { .. })));
        assert!(check_header(b"\0asm\x0d\0\x01\0").is_ok());
    }
}
