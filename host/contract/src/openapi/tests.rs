//! The document says what the engine and the server do.

use serde_json::{Value, json};

use super::{Info, openapi};
use crate::read::fixture;
use crate::slot::{Repeat, Slot, SlotTraits};

struct Reads;

impl SlotTraits for Reads {
    fn repeat(&self, function: &str) -> Repeat {
        if function.starts_with("get") { Repeat::ReadOnly } else { Repeat::No }
    }

    fn streams(&self, function: &str) -> bool {
        function == "get-all"
    }
}

fn document(items: &str) -> Value {
    let wit = format!("package a:b@0.1.0; interface q {{ {items} }} world w {{ export q; }}");
    let contract = fixture::contract(&wit);
    openapi(&[Slot { name: "b", contract: &contract, traits: &Reads }], &Info::default())
}

fn at<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} in {document:#}"))
}

const BODY: &str = "/requestBody/content/application~1json/schema";

#[test]
fn only_what_reads_has_get_and_its_parameters_stand_as_text_or_json() {
    let document = document(
        "enum colour { red } record r { a: u8 }
         get: func(a-text: string, n: u32, colour: option<colour>, r: r, f: f64); set: func();",
    );
    let get = at(&document, "/paths/~1v1~1b~1get/get");
    assert_eq!(get["operationId"], "b_get_get");
    let parameters = get["parameters"].as_array().unwrap();
    let summary: Vec<(&Value, &Value, bool)> = parameters[..5]
        .iter()
        .map(|one| (&one["name"], &one["required"], one.get("schema").is_some()))
        .collect();
    assert_eq!(
        summary,
        [
            (&json!("aText"), &json!(true), true),
            (&json!("n"), &json!(true), true),
            (&json!("colour"), &json!(false), true),
            (&json!("r"), &json!(true), false),
            (&json!("f"), &json!(true), false),
        ]
    );
    let set = at(&document, "/paths/~1v1~1b~1set");
    assert!(set.get("get").is_none() && set.get("post").is_some());
}

#[test]
fn arguments_may_lack_options_and_results_may_not() {
    let document = document(
        "record r { a-b: option<u64>, c: string } type i = option<u8>;
         f: func(r: r, i: i) -> r;",
    );
    let body = at(&document, &format!("/paths/~1v1~1b~1f/post{BODY}"));
    assert_eq!(body["required"], json!(["r"]));
    assert_eq!(body["additionalProperties"], json!(false));
    assert_eq!(body["properties"]["r"], json!({ "$ref": "#/components/schemas/b.RInput" }));
    let schemas = at(&document, "/components/schemas");
    assert_eq!(schemas["b.RInput"]["required"], json!(["c"]));
    assert_eq!(schemas["b.R"]["required"], json!(["aB", "c"]));
    // 64-bit integers may be texts as arguments only.
    let long = |name: &str| schemas[name]["properties"]["aB"]["anyOf"][0]["type"].clone();
    assert_eq!(long("b.RInput"), json!(["integer", "string"]));
    assert_eq!(long("b.R"), json!("integer"));
}

#[test]
fn a_failure_is_a_problem_with_the_component_s_own_value() {
    let document = document("f: func() -> result<u8, string>; g: func() -> result;");
    let post = at(&document, "/paths/~1v1~1b~1f/post");
    let good = at(post, "/responses/200/content/application~1json/schema");
    assert_eq!(good["maximum"], json!(255));
    let problem = "/responses/422/content/application~1problem+json/schema/allOf/1/properties";
    let properties = at(post, problem);
    assert_eq!(properties["type"]["const"], "urn:avenire:failure");
    assert_eq!(properties["failure"], json!({ "type": "string" }));
    let nothing = at(&document, "/paths/~1v1~1b~1g/post");
    assert_eq!(at(nothing, problem)["failure"], json!({ "type": "null" }));
    let good = at(nothing, "/responses/200/content/application~1json/schema");
    assert_eq!(good, &json!({ "type": "null" }));
    for status in ["400", "401", "403", "404", "409", "413", "429", "500", "503", "504"] {
        assert!(post["responses"].get(status).is_some(), "{status}");
    }
}

#[test]
fn what_is_streamed_has_its_lines() {
    let document = document(
        "get-all: func() -> list<u8>; get-more: func() -> list<u16>;
        get-list: func() -> list<u16>;",
    );
    // A list of bytes is no list in JSON.
    let content = at(&document, "/paths/~1v1~1b~1get-all/post/responses/200/content");
    assert!(content.get("application/x-ndjson").is_none());
    let contract = fixture::contract(
        "package a:b@0.1.0; interface q { get-all: func() -> list<u16>; } world w { export q; }",
    );
    let slots = [Slot { name: "b", contract: &contract, traits: &Reads }];
    let document = openapi(&slots, &Info::default());
    let lines = at(
        &document,
        "/paths/~1v1~1b~1get-all/post/responses/200/content/application~1x-ndjson/schema/anyOf",
    );
    assert_eq!(lines[0]["maximum"], json!(65535));
    assert_eq!(lines[1]["required"], json!(["$problem"]));
}

#[test]
fn what_json_has_no_form_for_is_left_out_aloud() {
    let document = document("resource r; f: func(r: borrow<r>); g: func();");
    assert!(document["paths"].get("/v1/b/f").is_none());
    assert!(document["paths"].get("/v1/b/g").is_some());
    let text = document["tags"][0]["description"].as_str().unwrap();
    assert_eq!(text, "`f` can not be called with JSON: it uses resource.");
}
