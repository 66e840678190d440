//! What is read from components is what their WIT says.

use super::fixture::{contract, of_repository};
use crate::error::ContractError;
use crate::model::{Contract, Definition, Type, TypeName};

fn named(interface: &str, name: &str) -> Type {
    Type::Named(TypeName { interface: interface.to_owned(), name: name.to_owned() })
}

#[test]
fn a_contract_of_the_repository_is_read_with_the_types_that_it_uses() {
    let contract = of_repository("chat");
    let names: Vec<(&str, bool)> =
        contract.interfaces.iter().map(|one| (one.name.as_str(), one.exported)).collect();
    assert_eq!(
        names,
        [
            ("avenire:chat/queries@0.1.0", true),
            ("avenire:types/failures@0.1.0", false),
            ("avenire:database/types@0.1.0", false),
        ]
    );
    let queries = &contract.interfaces[0];
    let function = queries.functions.iter().find(|one| one.name == "list-messages").unwrap();
    assert_eq!(function.params[1], ("reader".into(), Type::Option(Box::new(Type::String))));
    assert_eq!(function.params[3], ("start".into(), named(&queries.name, "page-start")));
    let (value, failure) = contract.outcome(function);
    assert_eq!(value, Some(&named(&queries.name, "message-page")));
    assert_eq!(failure, Some(Some(&named("avenire:types/failures@0.1.0", "failure"))));
    let message = queries.types.iter().find(|one| one.name == "message").unwrap();
    let Definition::Record(fields) = &message.definition else { panic!("{message:?}") };
    assert_eq!((&fields[3].ty, &fields[5].ty), (&Type::Json, &Type::Timestamp));
}

#[test]
fn values_with_a_form_of_their_own_are_known_however_they_are_named() {
    let contract = contract(
        "package a:b@0.1.0; interface q {
            type byte = u8; type bytes = list<byte>; type maybe = option<string>;
            record moment { unix-micros: s64 } record other { unix-micros: s32 }
            f: func(b: list<byte>, c: bytes, m: moment, p: option<maybe>);
            g: func(o: other); h: func(o: list<tuple<other>>);
         } world w { export q; }",
    );
    let functions = &contract.interfaces[0].functions;
    let types: Vec<&Type> = functions[0].params.iter().map(|(_, ty)| contract.behind(ty)).collect();
    assert_eq!(types[..3], [&Type::Bytes, &Type::Bytes, &Type::Timestamp]);
    let Type::Option(inner) = types[3] else { panic!("{types:?}") };
    assert!(contract.is_option(inner));
    assert_eq!(contract.unsupported_in(&functions[0]), None);
    let what = "the record other with the one field unix-micros";
    assert_eq!(contract.unsupported_in(&functions[1]), Some(what));
    assert_eq!(contract.unsupported_in(&functions[2]), Some(what));
}

#[test]
fn a_resource_is_kept_and_told_to_have_no_form_in_json() {
    let contract = contract(
        "package a:b@0.1.0; interface q {
            resource thing { get: func() -> u32; }
            record box { inner: own<thing> }
            f: func(b: box); g: func() -> u32;
         } world w { export q; }",
    );
    let functions = &contract.interfaces[0].functions;
    let find = |name: &str| functions.iter().find(|one| one.name == name).unwrap();
    assert_eq!(contract.unsupported_in(find("f")), Some("resource"));
    assert_eq!(contract.unsupported_in(find("[method]thing.get")), Some("resource"));
    assert_eq!(contract.unsupported_in(find("g")), None);
}

#[test]
fn lists_are_streamed_but_for_those_of_documents() {
    let contract = contract(
        "package a:b@0.1.0; interface q {
            record json { json-text: string } type many = list<string>;
            a: func() -> list<u32>; b: func() -> result<many, string>;
            c: func() -> list<json>; d: func() -> list<option<json>>; e: func() -> list<u8>;
            f: func() -> result<u32, list<u32>>; g: func();
            h: func() -> option<list<u32>>; i: func() -> list<tuple<json>>;
         } world w { export q; }",
    );
    let functions = &contract.interfaces[0].functions;
    let streamed: Vec<&str> = functions
        .iter()
        .filter(|one| contract.streamable(one).is_some())
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(streamed, ["a", "b", "i"]);
}

#[test]
fn what_is_no_component_is_refused() {
    assert!(matches!(Contract::of_component(b"wasm"), Err(ContractError::NoComponent { .. })));
    assert!(matches!(Contract::of_component(b""), Err(ContractError::NoComponent { .. })));
}

#[test]
fn folders_without_wit_have_no_documentation_and_wrong_wit_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let plain = of_repository("settings");
    assert_eq!(plain.clone().with_docs_of(folder.path()), Ok(plain.clone()));
    std::fs::write(folder.path().join("a.wit"), "package a:b; interface {").unwrap();
    let error = plain.clone().with_docs_of(folder.path()).unwrap_err();
    assert!(matches!(error, ContractError::Wit { .. }), "{error}");
    let error = plain.with_docs_of(&folder.path().join("gone")).unwrap_err();
    assert!(matches!(error, ContractError::Unreadable { .. }), "{error}");
}

#[test]
fn types_that_are_many_when_written_out_are_refused() {
    // Each level has two of the one before.
    let mut ty = "u8".to_owned();
    for _ in 0..17 {
        ty = format!("tuple<{ty}, {ty}>");
    }
    let wit = format!(
        "package a:b@0.1.0; interface q {{ f: func(a: list<{ty}>); }} world w {{ export q; }}"
    );
    let error = Contract::of_component(&avenire_client_tests::component(&wit)).unwrap_err();
    assert_eq!(error, ContractError::TooManyTypes { maximum: 100_000 });
}
