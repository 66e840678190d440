//! The functions a component exports, with the types of their parameters.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, ComponentExportIndex};

use crate::error::LoadError;
use crate::json::camel_case;

/// A function that can be called.
#[derive(Debug)]
pub struct Function {
    interface: String,
    name: String,
    json_name: String,
    parameters: Vec<(String, Type)>,
    result: Option<Type>,
    index: ComponentExportIndex,
}

impl Function {
    /// The name as in WIT, in kebab-case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The interface it belongs to, with its version.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Names and types of the parameters, in order.
    pub fn parameters(&self) -> &[(String, Type)] {
        &self.parameters
    }

    /// Type of the result.
    pub(crate) fn result(&self) -> Option<&Type> {
        self.result.as_ref()
    }

    /// The name in camelCase.
    pub(crate) fn json_name(&self) -> &str {
        &self.json_name
    }

    pub(crate) fn index(&self) -> &ComponentExportIndex {
        &self.index
    }
}

type Functions = BTreeMap<Arc<str>, Arc<Function>>;

/// What a component exports.
pub(super) struct Exported {
    pub(super) interfaces: Vec<String>,
    /// What callers can call.
    pub(super) functions: Functions,
    pub(super) self_test: Option<Arc<Function>>,
}

/// The interface by which a component tests itself (`wit/component`), and its function. It is the
/// host's to call.
const SELF_TEST: &str = "avenire:component/self-test";
const SELF_TEST_TRACK: &str = "avenire:component/self-test@0.1.0";
const RUN: &str = "run";

/// Everything callable: functions of exported interfaces. Two interfaces of one
/// component that export a function of the same name are refused, since a call
/// names the function alone.
pub(super) fn exported(engine: &Engine, code: &Component) -> Result<Exported, LoadError> {
    let mut interfaces = Vec::new();
    let mut functions = Functions::new();
    let mut self_test = None;
    for (interface, item) in code.component_type().exports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        interfaces.push(interface.to_owned());
        let Some(parent) = code.get_export_index(None, interface) else { continue };
        for (name, item) in instance.exports(engine) {
            let ComponentItem::ComponentFunc(ty) = item.ty else { continue };
            let Some(index) = code.get_export_index(Some(&parent), name) else { continue };
            let function = describe(interface, name, &ty, index);
            if split_version(interface).0 == SELF_TEST {
                self_test = Some(Arc::new(own_test(function)?));
                continue;
            }
            if let Some(twin) = functions.insert(name.into(), Arc::new(function)) {
                let reason =
                    format!("{name} is exported by both {} and {interface}", twin.interface);
                return Err(LoadError::Incompatible { reason });
            }
        }
    }
    Ok(Exported { interfaces, functions, self_test })
}

/// Refuses a test that this host does not know how to run.
fn own_test(function: Function) -> Result<Function, LoadError> {
    let incompatible = |reason| Err(LoadError::Incompatible { reason });
    if !is_compatible(&function.interface, SELF_TEST_TRACK) {
        let found = &function.interface;
        return incompatible(format!("it exports {found}; this host runs {SELF_TEST_TRACK}"));
    }
    let is_known = function.name == RUN && function.parameters.is_empty();
    if is_known && function.result.as_ref().is_some_and(is_list_of_problems) {
        return Ok(function);
    }
    let wanted = format!("{RUN}: func() -> result<_, list<string>>");
    incompatible(format!("{} has something other than `{wanted}`", function.interface))
}

fn is_list_of_problems(result: &Type) -> bool {
    let Type::Result(result) = result else { return false };
    let is_problems = |ty: Type| matches!(ty, Type::List(list) if list.ty() == Type::String);
    result.ok().is_none() && result.err().is_some_and(is_problems)
}

fn describe(
    interface: &str,
    name: &str,
    ty: &ComponentFunc,
    index: ComponentExportIndex,
) -> Function {
    Function {
        interface: interface.to_owned(),
        name: name.to_owned(),
        json_name: camel_case(name),
        parameters: ty.params().map(|(name, ty)| (name.to_owned(), ty)).collect(),
        result: ty.results().next(),
        index,
    }
}

/// Whether an exported interface satisfies a contract: the same package and
/// interface, the same track, and not an older version. Contracts without a
/// version are satisfied by any.
pub fn is_compatible(exported: &str, contract: &str) -> bool {
    let (exported_name, exported_version) = split_version(exported);
    let (contract_name, contract_version) = split_version(contract);
    if exported_name != contract_name {
        return false;
    }
    match (contract_version, exported_version) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wanted), Some(found)) => match (parse_version(wanted), parse_version(found)) {
            (Some(wanted), Some(found)) => track(wanted) == track(found) && found >= wanted,
            _ => wanted == found,
        },
    }
}

/// Whether both are of the same package or interface and of the same track, whichever is older.
pub(super) fn is_same_track(one: &str, other: &str) -> bool {
    let ((one, first), (other, second)) = (split_version(one), split_version(other));
    let of = |version: Option<&str>| version.and_then(parse_version).map(track);
    one == other && of(first).is_some() && of(first) == of(second)
}

fn split_version(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)))
}

fn parse_version(version: &str) -> Option<(u64, u64, u64)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}

/// The part of a version that stays the same while it is compatible.
fn track((major, minor, patch): (u64, u64, u64)) -> (u64, u64, u64) {
    match (major, minor) {
        (0, 0) => (0, 0, patch),
        (0, minor) => (0, minor, 0),
        (major, _) => (major, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::is_compatible;

    #[test]
    fn a_later_version_of_the_same_track_satisfies_a_contract() {
        let check = |exported, contract| is_compatible(exported, contract);
        assert!(check("a:b/c@0.1.0", "a:b/c@0.1.0"));
        assert!(check("a:b/c@0.1.7", "a:b/c@0.1.0"));
        assert!(check("a:b/c@1.4.0", "a:b/c@1.2.3"));
        assert!(check("a:b/c@0.1.0", "a:b/c"));
        assert!(!check("a:b/c@0.1.0", "a:b/c@0.1.1"));
        assert!(!check("a:b/c@0.2.0", "a:b/c@0.1.0"));
        assert!(!check("a:b/c@2.0.0", "a:b/c@1.0.0"));
        assert!(!check("a:b/d@0.1.0", "a:b/c@0.1.0"));
        assert!(!check("a:b/c", "a:b/c@0.1.0"));
        assert!(!check("a:b/c@0.1.0-rc.1", "a:b/c@0.1.0"));
    }
}
