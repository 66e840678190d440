//! Whatever text stands in a schema module, it is read or refused with a place: no panic, no loop.
#![expect(clippy::indexing_slicing, reason = "a test that fails panics")]

use std::path::Path;

use avenire_definitions::{Definitions, ddl, parse_file, print};
use proptest::prelude::*;

const MODULES: [&str; 4] = [
    include_str!("everything.rs.txt"),
    include_str!("../../../schema/src/auth.rs"),
    include_str!("../../../schema/src/chat.rs"),
    include_str!("../../../schema/src/user_settings.rs"),
];

/// Reads a file, and does with it what the toolkit does.
fn read(source: &str) {
    let file = Path::new("soup.rs");
    match parse_file(source, file) {
        Ok(module) => {
            let printed = print(&module);
            let again = parse_file(&printed, file).map(|again| print(&again));
            assert_eq!(again.as_deref(), Ok(printed.as_str()), "{source}");
            let definitions = Definitions { modules: vec![module] };
            assert!(definitions.check().iter().all(|error| !error.hint().is_empty()));
            let _ = ddl(&definitions);
        }
        Err(error) => {
            assert!(!error.message.is_empty() && !error.hint().is_empty(), "{source}");
            assert!(error.line <= source.lines().count() + 1, "{error}\n{source}");
        }
    }
}

/// The pieces that a module is made of: words, strings, and single signs.
fn pieces(source: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut is_word = false;
    for c in source.chars() {
        let is_part = c.is_alphanumeric() || c == '_';
        match pieces.last_mut() {
            Some(last) if is_word && is_part => last.push(c),
            _ => pieces.push(c.to_string()),
        }
        is_word = is_part;
    }
    pieces
}

fn token() -> impl Strategy<Value = String> {
    let words = pieces(MODULES[0]);
    let count = words.len();
    prop_oneof![
        8 => (0..count).prop_map(move |at| words[at].clone()),
        1 => prop_oneof![Just("(a)"), Just("()"), Just("{}"), Just("[]"), Just("{ a: text }")]
            .prop_map(str::to_owned),
        1 => "\\PC{0,3}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn token_soup_is_read_or_refused(
        start in prop_oneof![Just("table a {"), Just("enum a {"), Just("view a {"), Just("")],
        tokens in prop::collection::vec(token(), 0..24),
    ) {
        let end = if start.is_empty() { "" } else { "}" };
        read(&format!("avenire_macros::schema! {{ {start} {} {end} }}", tokens.join(" ")));
    }

    #[test]
    fn modules_that_lack_or_repeat_pieces_are_read_or_refused(
        module in 0..MODULES.len(),
        from in any::<prop::sample::Index>(),
        length in 0_usize..12,
        to in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut pieces = pieces(MODULES[module]);
        let from = from.index(pieces.len());
        let end = (from + length).min(pieces.len());
        let taken: Vec<String> = pieces.drain(from..end).collect();
        if !cut {
            let to = to.index(pieces.len() + 1);
            pieces.splice(to..to, taken);
        }
        read(&pieces.concat());
    }
}

#[test]
fn modules_that_end_anywhere_are_read_or_refused() {
    for module in MODULES {
        let pieces = pieces(module);
        for end in (0..pieces.len()).step_by(7) {
            read(&pieces[..end].concat());
            // The same with every bracket closed, so that the grammar sees it.
            read(&closed(&pieces[..end]));
        }
    }
}

/// With the brackets and strings that are open closed.
fn closed(pieces: &[String]) -> String {
    let mut open = Vec::new();
    for piece in pieces {
        match piece.as_str() {
            "(" => open.push(")"),
            "{" => open.push("}"),
            "[" => open.push("]"),
            ")" | "}" | "]" => {
                open.pop();
            }
            _ => {}
        }
    }
    let ends: Vec<&str> = open.into_iter().rev().collect();
    format!("{} {}", pieces.concat(), ends.concat())
}
