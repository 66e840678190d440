//! Random types and values of them: the schemas accept the JSON that the engine would give, and
//! the client reads it and writes it again without a change.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use avenire_client_tests::component;
use avenire_contract::{Contract, Info, Slot, openapi, typescript};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Number, Value, json};

use crate::npm;
use crate::stage::ByName;

/// A type, to be written as WIT.
#[derive(Clone, Debug)]
enum Spec {
    Scalar(&'static str),
    List(Box<Spec>),
    Tuple(Vec<Spec>),
    Option(Box<Spec>),
    Result(Option<Box<Spec>>, Option<Box<Spec>>),
    Record(Vec<Spec>),
    Variant(Vec<Option<Spec>>),
    Enum(usize),
    Flags(usize),
}

const SCALARS: [&str; 16] = [
    "bool",
    "s8",
    "u8",
    "s16",
    "u16",
    "s32",
    "u32",
    "s64",
    "u64",
    "f32",
    "f64",
    "char",
    "string",
    "timestamp",
    "json",
    "list<u8>",
];

fn spec() -> impl Strategy<Value = Spec> {
    let leaf = prop_oneof![
        8 => select(&SCALARS[..]).prop_map(Spec::Scalar),
        1 => (1_usize..5).prop_map(Spec::Enum),
        1 => (1_usize..5).prop_map(Spec::Flags),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let maybe = proptest::option::of(boxed.clone());
        prop_oneof![
            // A list of bytes is none: it has a form of its own.
            boxed.clone().prop_map(|one| match *one {
                Spec::Scalar("u8") => Spec::Scalar("list<u8>"),
                _ => Spec::List(one),
            }),
            vec(inner.clone(), 1..4).prop_map(Spec::Tuple),
            boxed.prop_map(Spec::Option),
            (maybe.clone(), maybe).prop_map(|(ok, err)| Spec::Result(ok, err)),
            vec(inner.clone(), 1..4).prop_map(Spec::Record),
            vec(proptest::option::of(inner), 1..4).prop_map(Spec::Variant),
        ]
    })
}

fn number(digits: &str) -> Value {
    Value::Number(digits.strip_suffix(".0").unwrap_or(digits).parse::<Number>().unwrap())
}

fn float(value: f64, digits: &str) -> Value {
    match value {
        _ if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        _ => number(digits),
    }
}

fn text() -> BoxedStrategy<String> {
    vec(any::<char>(), 0..20).prop_map(|letters| letters.into_iter().collect()).boxed()
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |one| one.is_finite()).prop_map(Value::from),
        text().prop_map(Value::from),
        Just(json!("12345678901234567890")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(), inner), 0..4).prop_map(|members| {
                // An object of JavaScript has keys that are numbers before the others.
                let is_number = |key: &String| key.parse::<u64>().is_ok();
                let members = members.into_iter().filter(|(key, _)| !is_number(key));
                Value::Object(members.collect())
            }),
        ]
    })
}

fn scalar(name: &str) -> BoxedStrategy<Value> {
    match name {
        "bool" => any::<bool>().prop_map(Value::from).boxed(),
        "s8" => any::<i8>().prop_map(Value::from).boxed(),
        "u8" => any::<u8>().prop_map(Value::from).boxed(),
        "s16" => any::<i16>().prop_map(Value::from).boxed(),
        "u16" => any::<u16>().prop_map(Value::from).boxed(),
        "s32" => any::<i32>().prop_map(Value::from).boxed(),
        "u32" => any::<u32>().prop_map(Value::from).boxed(),
        "s64" => prop_oneof![any::<i64>(), -9_i64..9, Just(i64::MIN)].prop_map(Value::from).boxed(),
        "u64" => prop_oneof![any::<u64>(), 0_u64..9, Just(u64::MAX)].prop_map(Value::from).boxed(),
        "f32" => proptest::num::f32::ANY
            .prop_map(|one| float(f64::from(one), &format!("{one:?}")))
            .boxed(),
        "f64" => proptest::num::f64::ANY.prop_map(|one| float(one, &format!("{one:?}"))).boxed(),
        "char" => any::<char>().prop_map(|one| Value::from(one.to_string())).boxed(),
        "string" => text().prop_map(Value::from).boxed(),
        "timestamp" => {
            let texts = ["1970-01-01T00:00:00Z", "2026-01-31T12:00:00.000001Z", "-infinity"];
            select(texts.to_vec()).prop_map(Value::from).boxed()
        }
        "json" => document().boxed(),
        _ => select(vec!["", "AA==", "/+8=", "AQID"]).prop_map(Value::from).boxed(),
    }
}

fn tagged(tag: &str, value: Option<Value>) -> Value {
    let mut members = Map::new();
    members.insert("tag".to_owned(), tag.into());
    members.extend(value.map(|value| ("val".to_owned(), value)));
    Value::Object(members)
}

fn payload(tag: String, spec: Option<&Spec>) -> BoxedStrategy<Value> {
    match spec {
        None => Just(tagged(&tag, None)).boxed(),
        Some(spec) => value(spec).prop_map(move |one| tagged(&tag, Some(one))).boxed(),
    }
}

/// A value as the engine gives it (`host/engine/src/json`).
fn value(spec: &Spec) -> BoxedStrategy<Value> {
    match spec {
        Spec::Scalar(name) => scalar(name),
        Spec::List(inner) => vec(value(inner), 0..4).prop_map(Value::from).boxed(),
        Spec::Tuple(types) => {
            types.iter().map(value).collect::<Vec<_>>().prop_map(Value::from).boxed()
        }
        Spec::Option(inner) => {
            let is_nested = matches!(**inner, Spec::Option(_));
            let some = value(inner);
            let some =
                some.prop_map(move |one| if is_nested { tagged("some", Some(one)) } else { one });
            prop_oneof![Just(Value::Null), some].boxed()
        }
        Spec::Result(ok, err) => prop_oneof![
            payload("ok".to_owned(), ok.as_deref()),
            payload("err".to_owned(), err.as_deref()),
        ]
        .boxed(),
        Spec::Record(fields) => {
            let values: Vec<_> = fields.iter().map(value).collect();
            let key = |(place, one)| (format!("fX{place}"), one);
            let object =
                move |values: Vec<Value>| values.into_iter().enumerate().map(key).collect();
            values.prop_map(object).prop_map(Value::Object).boxed()
        }
        Spec::Variant(cases) => {
            let cases = cases.iter().enumerate();
            let all = cases.map(|(place, spec)| payload(format!("c-x{place}"), spec.as_ref()));
            proptest::strategy::Union::new(all).boxed()
        }
        Spec::Enum(count) => (0..*count).prop_map(|place| format!("e-x{place}").into()).boxed(),
        Spec::Flags(count) => {
            let names: Vec<String> = (0..*count).map(|place| format!("l-x{place}")).collect();
            let length = names.len();
            proptest::sample::subsequence(names, 0..=length).prop_map(Value::from).boxed()
        }
    }
}

/// Whether every JSON is a value of the type.
fn accepts_all(spec: &Spec) -> bool {
    match spec {
        Spec::Scalar("json") => true,
        Spec::Option(inner) => accepts_all(inner) && !matches!(**inner, Spec::Option(_)),
        _ => false,
    }
}

/// Writes types as WIT; those that need a name get one.
#[derive(Default)]
struct Wit {
    types: String,
    count: usize,
}

impl Wit {
    fn name(&mut self, definition: &str, end: &str) -> String {
        self.count += 1;
        let name = format!("t-x{}", self.count);
        let (word, body) = definition.split_once(' ').unwrap();
        let _ = writeln!(self.types, "{word} {name} {{ {body} }}{end}");
        name
    }

    fn write(&mut self, spec: &Spec) -> String {
        match spec {
            Spec::Scalar(name) => (*name).to_owned(),
            Spec::List(inner) => format!("list<{}>", self.write(inner)),
            Spec::Option(inner) => format!("option<{}>", self.write(inner)),
            Spec::Tuple(types) => {
                let types: Vec<String> = types.iter().map(|one| self.write(one)).collect();
                format!("tuple<{}>", types.join(", "))
            }
            Spec::Result(None, None) => "result".to_owned(),
            Spec::Result(Some(ok), None) => format!("result<{}>", self.write(ok)),
            Spec::Result(ok, Some(err)) => {
                let ok = ok.as_ref().map_or_else(|| "_".to_owned(), |ok| self.write(ok));
                format!("result<{ok}, {}>", self.write(err))
            }
            Spec::Record(fields) => {
                let fields = fields.iter().enumerate();
                let fields: Vec<String> =
                    fields.map(|(place, one)| format!("f-x{place}: {}", self.write(one))).collect();
                self.name(&format!("record {}", fields.join(", ")), "")
            }
            Spec::Variant(cases) => {
                let one = |(place, spec): (usize, &Option<Spec>)| match spec {
                    None => format!("c-x{place}"),
                    Some(spec) => format!("c-x{place}({})", self.write(spec)),
                };
                let cases: Vec<String> = cases.iter().enumerate().map(one).collect();
                self.name(&format!("variant {}", cases.join(", ")), "")
            }
            Spec::Enum(count) => self.name(&format!("enum {}", labels("e", *count)), ""),
            Spec::Flags(count) => self.name(&format!("flags {}", labels("l", *count)), ""),
        }
    }
}

fn labels(letter: &str, count: usize) -> String {
    (0..count).map(|place| format!("{letter}-x{place}")).collect::<Vec<_>>().join(", ")
}

type Case = (Spec, Vec<Value>);

fn contract(cases: &[Case]) -> Contract {
    let mut wit = Wit::default();
    let mut functions = String::new();
    for (place, (spec, _)) in cases.iter().enumerate() {
        let ty = wit.write(spec);
        let _ = writeln!(functions, "f-x{place}: func(value: {ty}) -> tuple<{ty}>;");
        let _ = writeln!(functions, "g-x{place}: func() -> tuple<{ty}>;");
    }
    let text = format!(
        "package a:b@0.1.0; interface queries {{ record timestamp {{ unix-micros: s64 }}
         record json {{ json-text: string }} {}\n{functions} }} world w {{ export queries; }}",
        wit.types
    );
    Contract::of_component(&component(&text)).unwrap()
}

/// What Node makes of the values: the schemas are asked there, and the client writes what it read.
fn returned(cases: &[Case]) -> Result<Vec<Vec<Value>>> {
    let contract = contract(cases);
    let slots = [Slot { name: "random", contract: &contract, traits: &ByName }];
    let folder = npm::folder()?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("client.ts", &typescript(&slots))?;
    write("openapi.json", &openapi(&slots, &Info::default()).to_string())?;
    write("package.json", r#"{ "type": "module" }"#)?;
    // As texts: the platform's own reader would round them.
    let written: Vec<Value> = cases
        .iter()
        .map(|(spec, values)| {
            let texts: Vec<String> = values.iter().map(Value::to_string).collect();
            json!({ "values": texts, "acceptsAll": accepts_all(spec) })
        })
        .collect();
    write("cases.json", &Value::from(written).to_string())?;
    npm::copy("node/random.mjs", folder.path())?;
    let options = ["--strict", "--target", "ES2022", "--module", "ES2022", "client.ts"];
    npm::run(folder.path(), "typescript/bin/tsc", &options)?;
    npm::node(folder.path(), &["random.mjs"])?;
    let text = std::fs::read_to_string(folder.path().join("returned.json"))?;
    let texts: Vec<Vec<String>> = serde_json::from_str(&text)?;
    let value = |text: String| serde_json::from_str(&text).context(text);
    texts.into_iter().map(|one| one.into_iter().map(value).collect()).collect()
}

/// Equal with every digit, but for the ways in which one float can be written.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            let is_long = |one: &Number| one.as_i64().is_some() || one.as_u64().is_some();
            a == b || (!(is_long(a) && is_long(b)) && a.as_f64() == b.as_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

#[test]
fn schemas_accept_what_the_engine_gives_and_the_client_gives_it_back() {
    let case = spec().prop_flat_map(|spec| {
        let values = vec(value(&spec), 4);
        (Just(spec), values)
    });
    let config =
        Config { cases: 1, max_shrink_iters: 6, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&vec(case, 120), |cases| {
        let returned =
            returned(&cases).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        prop_assert_eq!(returned.len(), cases.len());
        for ((spec, values), returned) in cases.iter().zip(&returned) {
            for (sent, back) in values.iter().zip(returned) {
                prop_assert!(same(sent, back), "{:?}: {} came back as {}", spec, sent, back);
            }
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
