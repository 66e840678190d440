//! Names: from WIT's kebab-case to those of JSON, schemas and TypeScript.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Contract, TypeName};

/// `get-messages-by-chat-id` → `getMessagesByChatId`, as the engine has it.
pub fn camel_case(kebab: &str) -> String {
    let mut words = kebab.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalised(word))
}

/// `chat-page` → `ChatPage`. What is no letter or digit of ASCII becomes `_`.
pub(crate) fn pascal_case(name: &str) -> String {
    let name: String = name.split('-').map(capitalised).collect();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("_{name}") }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// A name for each type of a contract, in PascalCase and unique whatever its case.
///
/// The types of exported interfaces keep their own names. Of two that share one, the later gets
/// that of its interface before it, then that of its package, then a number.
pub(crate) fn type_names(contract: &Contract, taken: &[&str]) -> BTreeMap<TypeName, String> {
    let mut used: BTreeSet<String> = taken.iter().map(|name| name.to_lowercase()).collect();
    let mut names = BTreeMap::new();
    let (exported, others): (Vec<_>, Vec<_>) =
        contract.interfaces.iter().partition(|interface| interface.exported);
    for interface in exported.into_iter().chain(others) {
        for one in &interface.types {
            let name = unused(&interface.name, &one.name, &used);
            used.insert(name.to_lowercase());
            // The form for arguments may be wanted too.
            used.insert(format!("{name}Input").to_lowercase());
            let key = TypeName { interface: interface.name.clone(), name: one.name.clone() };
            names.insert(key, name);
        }
    }
    names
}

fn unused(interface: &str, name: &str, used: &BTreeSet<String>) -> String {
    let is_free = |name: &String| {
        !used.contains(&name.to_lowercase())
            && !used.contains(&format!("{name}Input").to_lowercase())
    };
    let path = interface.split_once('@').map_or(interface, |(path, _)| path);
    let (package, last) = path.rsplit_once('/').unwrap_or(("", path));
    let own = pascal_case(name);
    let of_interface = format!("{}{own}", pascal_case(last));
    let of_package = format!("{}{of_interface}", pascal_case(&package.replace([':', '/'], "-")));
    let numbered = (2_u32..).map(|number| format!("{of_package}{number}"));
    let mut candidates = [own, of_interface, of_package.clone()].into_iter().chain(numbered);
    candidates.find(is_free).unwrap_or(of_package)
}

#[cfg(test)]
mod tests {
    use super::{camel_case, pascal_case, type_names};
    use crate::read::fixture;

    #[test]
    fn kebab_case_becomes_camel_and_pascal_case() {
        assert_eq!(camel_case("get-messages-by-chat-id"), "getMessagesByChatId");
        assert_eq!(camel_case("sha-256-sum"), "sha256Sum");
        assert_eq!(pascal_case("chat-page"), "ChatPage");
        assert_eq!(pascal_case("2nd slot"), "_2nd_slot");
    }

    #[test]
    fn two_types_of_one_name_are_told_apart_and_the_exported_one_keeps_it() {
        let contract = fixture::contract(
            "package a:b@0.1.0; interface types { record error { code: u32 } }
             interface queries { use types.{error as other};
               record error { text: string } record error-input { of: u8 }
               f: func(i: error-input) -> result<error, other>; }
             world w { export queries; }",
        );
        let names = type_names(&contract, &["Date"]);
        let names: Vec<&str> = names.values().map(String::as_str).collect();
        assert_eq!(names, ["Error", "QueriesErrorInput", "TypesError"]);
    }
}
