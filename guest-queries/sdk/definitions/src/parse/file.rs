//! Finds the `schema!` blocks of a Rust file.

use std::path::Path;

use syn::parse::Parser as _;

use super::input::{doc_lines, doc_text};
use super::{block, locate};
use crate::error::DefinitionError;
use crate::syntax::Module;

/// Reads all `schema!` blocks of a Rust file, also those in modules within it. The macro's path
/// may be qualified; what else the file holds is not looked at. `path` is for errors.
///
/// # Errors
/// When the file is no Rust, or a block fits no grammar: at the exact token.
pub fn parse_file(source: &str, path: &Path) -> Result<Module, DefinitionError> {
    if let Some((line, column)) = too_deep(source) {
        return Err(DefinitionError {
            file: path.to_owned(),
            line,
            column,
            message: format!("brackets are nested more than {DEEPEST} deep"),
            hint: "nest them less".to_owned(),
        });
    }
    let outer = locate::begin();
    let module = read(source, path);
    locate::end(outer);
    module.map_err(|error| {
        let (line, column) = locate::line_and_column(error.span());
        DefinitionError {
            file: path.to_owned(),
            line,
            column,
            message: error.to_string(),
            hint: "the grammar is in the README of the schema modules".to_owned(),
        }
    })
}

/// How deep brackets may be nested: the parser goes down with them, and the stack has an end.
const DEEPEST: usize = 200;

/// Where brackets are nested too deep. Those in strings and comments are counted too, which does
/// no harm at this depth.
fn too_deep(source: &str) -> Option<(usize, usize)> {
    let mut depth = 0_usize;
    for (number, line) in source.lines().enumerate() {
        for (column, c) in line.chars().enumerate() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Some((number + 1, column + 1));
            }
        }
    }
    None
}

fn read(source: &str, path: &Path) -> syn::Result<Module> {
    let file = syn::parse_file(source)?;
    let mut module = Module { file: path.to_owned(), ..Module::default() };
    let texts: Vec<String> = file.attrs.iter().filter_map(doc_text).collect();
    module.docs = texts.iter().flat_map(|text| doc_lines(text)).collect();
    collect(&file.items, &mut module)?;
    Ok(module)
}

fn collect(items: &[syn::Item], module: &mut Module) -> syn::Result<()> {
    for item in items {
        match item {
            syn::Item::Macro(call)
                if call.mac.path.segments.last().is_some_and(|last| last.ident == "schema") =>
            {
                let found = block.parse2(call.mac.tokens.clone())?;
                module.uses.extend(found.uses);
                module.items.extend(found.items);
            }
            syn::Item::Mod(inner) => {
                if let Some((_, items)) = &inner.content {
                    collect(items, module)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
