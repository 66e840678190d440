//! What the README of the schema modules shows is read by the parser.

use std::path::Path;

use avenire_definitions::{Definitions, Item, parse_file};

const README: &str = include_str!("../../../schema/README.md");

/// The examples that are fenced with this word.
fn examples(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    README.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn modules_of_the_readme_are_sound_together() {
    let users = "schema! { table users { id: text, primary key (id) } }";
    let examples = examples("rust");
    assert_eq!(examples.len(), 2);
    for example in examples {
        let mut modules = vec![parse_file(example, Path::new("readme.rs")).unwrap()];
        let is_users =
            |item: &Item| matches!(item, Item::Table(table) if table.name.name == "users");
        if !modules[0].items.iter().any(is_users) {
            modules.push(parse_file(users, Path::new("users.rs")).unwrap());
        }
        assert_eq!(Definitions { modules }.check(), []);
    }
}

#[test]
fn clauses_of_the_readme_fit_the_grammar() {
    let examples = examples("text");
    assert!(examples.len() >= 4, "{examples:?}");
    for example in examples {
        let read = |body: &str| parse_file(&format!("schema! {{ {body} }}"), Path::new("a.rs"));
        if let Err(error) = read(example) {
            let within = read(&format!("table a {{ {example} }}"));
            assert!(within.is_ok(), "{error}\n{}\n{example}", within.unwrap_err());
        }
    }
}

#[test]
fn what_is_written_for_drizzle_fits_the_grammar() {
    let table = README.split("## Coming from Drizzle").nth(1).unwrap();
    let table = table.split("The same once more").next().unwrap();
    let right = table.lines().skip(4).filter_map(|line| line.rsplit(" | ").next());
    let mut count = 0;
    for code in right.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
        let code = code.replace("{ … }", "{ a: text }").replace("columns, query", "query");
        let read = |body: String| parse_file(&format!("schema! {{ {body} }}"), Path::new("a.rs"));
        let sound = read(code.clone()).is_ok()
            || read(format!("table a {{ {code} }}")).is_ok()
            || read(format!("table a {{ b: text {code} }}")).is_ok()
            || read(format!("table a {{ index (b) {code} }}")).is_ok()
            || WORDS.contains(&code.as_str());
        assert!(sound, "{code}");
        count += 1;
    }
    assert!(count > 40, "{count}");
}

/// What stands there as the name of something.
const WORDS: &[&str] = &[
    "as User",
    "$inferSelect",
    ".notNull()",
    "jsonb",
    "concurrently",
    "mood",
    "materialized view",
    "as Type",
    "#[derive(Associations)]",
    "belonging_to",
    "object",
    "trigger",
    "using gin (…)",
    "comment \"…\"",
];
