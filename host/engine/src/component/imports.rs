//! Which imports a component may have: the database package, and interfaces
//! that consist of types only. The list is checked by name before linking, so
//! that a refusal names every import at once.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::functions;
use crate::error::LoadError;

/// The package whose interfaces guests may import.
const DATABASE: &str = "avenire:database/";

/// The track of it that this host offers.
const OFFERED: &str = "avenire:database@0.1.0";

pub(super) fn check(engine: &Engine, code: &Component) -> Result<(), LoadError> {
    let is_other = |name: &str| {
        let version = name.split_once('@').map(|(_, version)| version);
        let package = version.map(|version| format!("avenire:database@{version}"));
        name.starts_with(DATABASE)
            && package.is_none_or(|package| !functions::is_same_track(&package, OFFERED))
    };
    let imports: Vec<String> = code
        .component_type()
        .imports(engine)
        .filter(|(name, item)| !name.starts_with(DATABASE) && !has_types_only(engine, &item.ty))
        .map(|(name, _)| name.to_owned())
        .collect();
    if !imports.is_empty() {
        return Err(LoadError::ForbiddenImports { imports });
    }
    let component = code.component_type();
    let names = component.imports(engine).map(|(name, _)| name);
    let imports: Vec<String> = names.filter(|name| is_other(name)).map(str::to_owned).collect();
    if imports.is_empty() {
        return Ok(());
    }
    Err(LoadError::OtherTrack { imports, offered: OFFERED })
}

/// Types can be named freely: they give no ability. A resource is a type with
/// functions and needs a definition, so it does not count.
fn has_types_only(engine: &Engine, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::Type(_) => true,
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).all(|(_, item)| matches!(item.ty, ComponentItem::Type(_)))
        }
        _ => false,
    }
}
