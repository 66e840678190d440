//! Documentation of contracts: in a custom section of the component, since its types carry none.
//!
//! Owns the section's form. It comes from the component's author and is not trusted: its size is
//! checked, and names that the contract does not have are left out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use wasm_encoder::{CustomSection, Encode as _, Section as _};
use wasmparser::{Parser, Payload};

use crate::error::ContractError;
use crate::model::{Contract, Definition, Interface};

/// The custom section with the documentation: JSON, by interface.
pub const DOCS_SECTION: &str = "avenire:docs";

/// The largest section that is read, in bytes.
const MAXIMUM: usize = 4 << 20;

/// Documentation by interface.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Docs {
    interfaces: BTreeMap<String, InterfaceDocs>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct InterfaceDocs {
    #[serde(skip_serializing_if = "String::is_empty")]
    docs: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    package: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    functions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    types: BTreeMap<String, TypeDocs>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct TypeDocs {
    #[serde(skip_serializing_if = "String::is_empty")]
    docs: String,
    /// Of fields, cases and names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    members: BTreeMap<String, String>,
}

/// A component with the documentation that the WIT packages below `folder` have for what it
/// exports, in the section [`DOCS_SECTION`]. One that it has already is replaced.
pub fn with_docs(component: &[u8], folder: &Path) -> Result<Vec<u8>, ContractError> {
    let mut bytes = without_section(component)?;
    let contract = Contract::of_component(&bytes)?.with_docs_of(folder)?;
    let data = serde_json::to_vec(&Docs::of(&contract)).unwrap_or_default();
    let section = CustomSection { name: Cow::Borrowed(DOCS_SECTION), data: Cow::Owned(data) };
    bytes.push(section.id());
    section.encode(&mut bytes);
    Ok(bytes)
}

/// The documentation in a component's own section, not in those of what is within it.
pub(crate) fn carried_by(component: &[u8]) -> Result<Option<Docs>, ContractError> {
    let Some(section) = sections(component)?.into_iter().next() else { return Ok(None) };
    let size = section.data.len();
    if size > MAXIMUM {
        return Err(ContractError::DocsTooLarge { size, maximum: MAXIMUM });
    }
    serde_json::from_slice(section.data).map(Some).map_err(|_| ContractError::DocsMalformed)
}

struct Found<'a> {
    data: &'a [u8],
    /// Where the section's id stands, and where its contents end.
    start: usize,
    end: usize,
}

fn sections(component: &[u8]) -> Result<Vec<Found<'_>>, ContractError> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    // Where the section before ends, which is where the next one begins.
    let mut last = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload =
            payload.map_err(|error| ContractError::NoComponent { reason: error.to_string() })?;
        match &payload {
            Payload::Version { range, .. } => {
                depth += 1;
                last = range.end;
            }
            Payload::End(end) => {
                depth = depth.saturating_sub(1);
                last = *end;
            }
            Payload::CustomSection(section) => {
                if depth == 1 && section.name() == DOCS_SECTION {
                    let (data, end) = (section.data(), section.range().end);
                    found.push(Found { data, start: last, end });
                }
                last = section.range().end;
            }
            other => {
                if let Some((_, range)) = other.as_section() {
                    last = range.end;
                }
            }
        }
    }
    Ok(found)
}

fn without_section(component: &[u8]) -> Result<Vec<u8>, ContractError> {
    let mut bytes = component.to_vec();
    for section in sections(component)?.into_iter().rev() {
        bytes.drain(section.start..section.end);
    }
    Ok(bytes)
}

impl Docs {
    pub(crate) fn of(contract: &Contract) -> Self {
        let interfaces = contract.interfaces.iter();
        let mut interfaces: BTreeMap<_, _> =
            interfaces.map(|one| (one.name.clone(), InterfaceDocs::of(one))).collect();
        interfaces.retain(|_, docs| !docs.is_empty());
        Self { interfaces }
    }

    /// Gives what has a name here its documentation; the rest keeps what it has.
    pub(crate) fn write_into(&self, contract: &mut Contract) {
        for interface in &mut contract.interfaces {
            if let Some(docs) = self.matching(&interface.name) {
                docs.write_into(interface);
            }
        }
    }

    /// The documentation of an interface, or of another version of its track.
    fn matching(&self, name: &str) -> Option<&InterfaceDocs> {
        let track = |name: &str| name.rsplit_once('.').map(|(track, _)| track.to_owned());
        self.interfaces.get(name).or_else(|| {
            let wanted = track(name)?;
            let mut all = self.interfaces.iter();
            all.find(|(name, _)| track(name).is_some_and(|one| one == wanted)).map(|(_, docs)| docs)
        })
    }
}

impl InterfaceDocs {
    fn of(interface: &Interface) -> Self {
        let functions = interface.functions.iter();
        let mut functions: BTreeMap<_, _> =
            functions.map(|one| (one.name.clone(), one.docs.clone())).collect();
        functions.retain(|_, docs| !docs.is_empty());
        let types = interface.types.iter().map(|one| {
            let mut definition = one.definition.clone();
            let mut members: BTreeMap<_, _> = members(&mut definition)
                .into_iter()
                .map(|(name, docs)| (name.to_owned(), docs.clone()))
                .collect();
            members.retain(|_, docs| !docs.is_empty());
            (one.name.clone(), TypeDocs { docs: one.docs.clone(), members })
        });
        let mut types: BTreeMap<_, _> = types.collect();
        types.retain(|_, one| !one.docs.is_empty() || !one.members.is_empty());
        let (docs, package) = (interface.docs.clone(), interface.package_docs.clone());
        Self { docs, package, functions, types }
    }

    fn is_empty(&self) -> bool {
        self.docs.is_empty()
            && self.package.is_empty()
            && self.functions.is_empty()
            && self.types.is_empty()
    }

    fn write_into(&self, interface: &mut Interface) {
        replace(&mut interface.docs, Some(&self.docs));
        replace(&mut interface.package_docs, Some(&self.package));
        for function in &mut interface.functions {
            replace(&mut function.docs, self.functions.get(&function.name));
        }
        for one in &mut interface.types {
            let Some(docs) = self.types.get(&one.name) else { continue };
            replace(&mut one.docs, Some(&docs.docs));
            for (name, member) in members(&mut one.definition) {
                replace(member, docs.members.get(name));
            }
        }
    }
}

fn replace(docs: &mut String, by: Option<&String>) {
    if let Some(by) = by
        && !by.is_empty()
    {
        docs.clone_from(by);
    }
}

/// Names and documentation of fields, cases or names.
fn members(definition: &mut Definition) -> Vec<(&str, &mut String)> {
    match definition {
        Definition::Record(list) => {
            list.iter_mut().map(|one| (one.name.as_str(), &mut one.docs)).collect()
        }
        Definition::Variant(list) => {
            list.iter_mut().map(|one| (one.name.as_str(), &mut one.docs)).collect()
        }
        Definition::Enum(list) | Definition::Flags(list) => {
            list.iter_mut().map(|one| (one.name.as_str(), &mut one.docs)).collect()
        }
        Definition::Alias(_) | Definition::Unsupported(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use avenire_client_tests::{component, of_repository, wit_folder};

    fn with_section(data: &[u8]) -> Vec<u8> {
        let mut bytes = component("package a:b@0.1.0; world w {}");
        let section = CustomSection { name: DOCS_SECTION.into(), data: data.into() };
        bytes.push(section.id());
        section.encode(&mut bytes);
        bytes
    }

    #[test]
    fn a_component_carries_its_documentation_and_says_the_same_as_the_folder() {
        let bare = of_repository("chat");
        let plain = Contract::of_component(&bare).unwrap();
        let queries = plain.interface("avenire:chat/queries@0.1.0").unwrap();
        assert!(queries.functions.iter().all(|one| one.docs.is_empty()));

        let documented = with_docs(&bare, &wit_folder()).unwrap();
        let contract = Contract::of_component(&documented).unwrap();
        assert_eq!(contract, plain.with_docs_of(&wit_folder()).unwrap());

        let queries = contract.interface("avenire:chat/queries@0.1.0").unwrap();
        assert_eq!(queries.docs, "The query functions of chats.");
        assert!(queries.package_docs.starts_with("Chats and their messages.\n\nFunctions that"));
        assert!(queries.functions.iter().all(|one| !one.docs.is_empty()));
        let failures = contract.interface("avenire:types/failures@0.1.0").unwrap();
        assert!(!failures.exported);
        let failure = failures.types.iter().find(|one| one.name == "failure").unwrap();
        let Definition::Variant(cases) = &failure.definition else { panic!("{failure:?}") };
        assert_eq!(cases[1].docs, "It would break a unique key or a foreign key.");
    }

    #[test]
    fn documentation_is_replaced_and_the_rest_of_the_component_stays() {
        let bare = of_repository("settings");
        let once = with_docs(&bare, &wit_folder()).unwrap();
        assert_eq!(with_docs(&once, &wit_folder()).unwrap(), once);
        assert_eq!(without_section(&once).unwrap(), bare);
        // Also when something follows it.
        let mut followed = once.clone();
        let section = CustomSection { name: "other".into(), data: b"abc"[..].into() };
        followed.push(section.id());
        section.encode(&mut followed);
        let mut expected = bare.clone();
        expected.push(section.id());
        section.encode(&mut expected);
        assert_eq!(without_section(&followed).unwrap(), expected);
    }

    #[test]
    fn a_section_that_is_too_large_or_has_another_form_is_refused() {
        assert_eq!(
            Contract::of_component(&with_section(b"[1]")),
            Err(ContractError::DocsMalformed)
        );
        let large = with_section(&vec![b' '; MAXIMUM + 1]);
        let error = ContractError::DocsTooLarge { size: MAXIMUM + 1, maximum: MAXIMUM };
        assert_eq!(Contract::of_component(&large), Err(error));
        assert!(Contract::of_component(&with_section(b"{}")).is_ok());
    }

    #[test]
    fn another_version_of_the_track_has_the_documentation_and_another_track_has_not() {
        let docs = Docs { interfaces: [("a:b/c@0.1.2".into(), InterfaceDocs::default())].into() };
        assert!(docs.matching("a:b/c@0.1.0").is_some());
        assert!(docs.matching("a:b/c@0.2.0").is_none());
        assert!(docs.matching("a:b/d@0.1.0").is_none());
    }
}
