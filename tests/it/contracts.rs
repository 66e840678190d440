//! The contracts themselves: what components import, that everything in them is
//! documented, and that every query function is called by a test.

use anyhow::{Result, bail};
use avenire_tests::repository;
use wit_component::DecodedWasm;
use wit_parser::{Docs, Interface, Resolve, Stability, Type, TypeDef, TypeDefKind, WorldItem};

use crate::{harness, run};

/// All that a component of this repository may import.
const IMPORTS: [&str; 5] = [
    "avenire:database/diagnostics@0.1.0",
    "avenire:database/sql@0.1.0",
    "avenire:database/types@0.1.0",
    "avenire:types/failures@0.1.0",
    "avenire:types/values@0.1.0",
];

/// The components and the one interface that each exports.
const COMPONENTS: [(&str, &str); 3] = [
    ("auth", "avenire:auth/queries@0.1.0"),
    ("chat", "avenire:chat/queries@0.1.0"),
    ("settings", "avenire:settings/queries@0.1.0"),
];

/// Folders of `wit/`, each after those it needs.
const PACKAGES: [&str; 6] =
    ["database/v0.1", "types/v0.1", "component/v0.1", "auth/v0.1", "chat/v0.1", "settings/v0.1"];

/// What every component of this repository has beside its contract.
const SELF_TEST: &str = "avenire:component/self-test@0.1.0";

#[test]
fn components_import_the_database_and_the_shared_types_and_nothing_else() -> Result<()> {
    run(async {
        harness().await?.components().await?;
        for (component, contract) in COMPONENTS {
            let file = repository().join(format!("target/components/{component}.wasm"));
            let DecodedWasm::Component(resolve, world) =
                wit_component::decode(&std::fs::read(file)?)?
            else {
                bail!("{component} is no component");
            };
            let world = &resolve.worlds[world];
            let mut imports: Vec<_> =
                world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
            imports.sort();
            assert_eq!(imports, IMPORTS, "imports of {component}");
            let mut exports: Vec<_> =
                world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
            exports.sort();
            let mut expected = [contract, SELF_TEST];
            expected.sort_unstable();
            assert_eq!(exports, expected, "exports of {component}");
        }
        Ok(())
    })
}

#[test]
fn everything_in_the_contracts_is_documented_and_says_since_when() -> Result<()> {
    let resolve = contracts()?;
    let mut faults = Faults::default();
    for (_, package) in &resolve.packages {
        faults.check_docs(&package.name.to_string(), &package.docs);
    }
    for (_, world) in &resolve.worlds {
        faults.check(&format!("world {}", world.name), &world.docs, &world.stability);
    }
    for (_, interface) in &resolve.interfaces {
        faults.check_interface(&resolve, interface);
    }
    assert!(faults.checked > 150, "only {} items were looked at", faults.checked);
    assert!(faults.found.is_empty(), "{:#?}", faults.found);
    Ok(())
}

#[test]
fn every_query_function_is_called_by_a_test() -> Result<()> {
    let resolve = contracts()?;
    let mut functions = 0;
    for (component, contract) in COMPONENTS {
        let mut tests = String::new();
        collect(&repository().join("tests/it").join(component), &mut tests)?;
        for (_, world) in resolve.worlds.iter().filter(|(_, world)| world.name == component) {
            for (key, item) in &world.exports {
                assert_eq!(resolve.name_world_key(key), contract);
                let WorldItem::Interface { id, .. } = item else { continue };
                for name in resolve.interfaces[*id].functions.keys() {
                    functions += 1;
                    let called = format!("\"{component}.{name}\"");
                    assert!(tests.contains(&called), "no test of {component} calls {name}");
                }
            }
        }
    }
    assert!(functions >= 44, "only {functions} functions were found");
    Ok(())
}

/// All contracts of `wit/`, parsed.
fn contracts() -> Result<Resolve> {
    let mut resolve = Resolve::default();
    for package in PACKAGES {
        resolve.push_path(repository().join("wit").join(package))?;
    }
    Ok(resolve)
}

/// The text of the tests of a component, a file or a folder of them.
fn collect(path: &std::path::Path, tests: &mut String) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), tests)?;
        }
    } else {
        tests.push_str(&std::fs::read_to_string(path.with_extension("rs"))?);
    }
    Ok(())
}

/// What is not documented or does not say since when it is there.
#[derive(Default)]
struct Faults {
    checked: usize,
    found: Vec<String>,
}

impl Faults {
    fn check_docs(&mut self, item: &str, docs: &Docs) {
        self.checked += 1;
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            self.found.push(format!("{item} has no doc comment"));
        }
    }

    fn check(&mut self, item: &str, docs: &Docs, stability: &Stability) {
        if !matches!(stability, Stability::Stable { .. }) {
            self.found.push(format!("{item} has no @since"));
        }
        self.check_docs(item, docs);
    }

    fn check_interface(&mut self, resolve: &Resolve, interface: &Interface) {
        let name = interface.name.as_deref().unwrap_or("an interface");
        self.check(&format!("interface {name}"), &interface.docs, &interface.stability);
        for (function, definition) in &interface.functions {
            let item = format!("{name}/{function}");
            // A resource's functions are there since the resource is.
            if definition.kind.resource().is_some() {
                self.check_docs(&item, &definition.docs);
            } else {
                self.check(&item, &definition.docs, &definition.stability);
            }
        }
        for (type_name, id) in &interface.types {
            let definition = &resolve.types[*id];
            if !is_used_from_elsewhere(resolve, definition) {
                self.check_type(&format!("{name}/{type_name}"), definition);
            }
        }
    }

    fn check_type(&mut self, name: &str, definition: &TypeDef) {
        self.check(name, &definition.docs, &definition.stability);
        let members: Vec<(&str, &Docs)> = match &definition.kind {
            TypeDefKind::Record(record) => {
                record.fields.iter().map(|field| (field.name.as_str(), &field.docs)).collect()
            }
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect()
            }
            TypeDefKind::Enum(cases) => {
                cases.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect()
            }
            TypeDefKind::Flags(flags) => {
                flags.flags.iter().map(|flag| (flag.name.as_str(), &flag.docs)).collect()
            }
            _ => Vec::new(),
        };
        for (member, docs) in members {
            self.check_docs(&format!("{name}.{member}"), docs);
        }
    }
}

/// Whether an interface has the type by `use`, so that it is documented where it is from.
fn is_used_from_elsewhere(resolve: &Resolve, definition: &TypeDef) -> bool {
    match &definition.kind {
        TypeDefKind::Type(Type::Id(target)) => resolve.types[*target].owner != definition.owner,
        _ => false,
    }
}
