//! Rust source of a module, as a person would format it. What is printed is read back as the
//! same tree. Never: keeps the layout or the plain comments of a source.

mod items;
mod parts;
mod tables;
mod words;

use crate::syntax::Module;

/// The source of a module: its documentation, and one `schema!` block with all of it. Indented by
/// four spaces; a line is as long as what it says.
pub fn print(module: &Module) -> String {
    let mut out = String::new();
    for line in lines(&module.docs) {
        out.push_str(format!("//! {line}").trim_end());
        out.push('\n');
    }
    if !module.docs.is_empty() {
        out.push('\n');
    }
    out.push_str("avenire_macros::schema! {\n");
    for item in &module.uses {
        items::use_item(item, &mut out);
    }
    let mut first = module.uses.is_empty();
    for item in &module.items {
        if !first {
            out.push('\n');
        }
        first = false;
        items::item(item, &mut out);
    }
    out.push_str("}\n");
    out
}

/// The indentation of a depth.
fn indent(depth: usize) -> String {
    "    ".repeat(depth)
}

/// Documentation.
fn docs(texts: &[String], depth: usize, out: &mut String) {
    for line in lines(texts) {
        out.push_str(&indent(depth));
        out.push_str(format!("/// {line}").trim_end());
        out.push('\n');
    }
}

/// A line of a tree that was made by hand may be several.
fn lines(texts: &[String]) -> impl Iterator<Item = &str> {
    texts.iter().flat_map(|text| text.split('\n'))
}

/// The same in the body of a table or view.
fn body_docs(lines: &[String], out: &mut String) {
    docs(lines, 2, out);
}

/// A line in the body of a table or view.
fn entry(text: &str, out: &mut String) {
    out.push_str(&indent(2));
    out.push_str(text);
    out.push_str(",\n");
}

/// A column, whose documentation stands before it.
fn commented(comment: Option<&String>, text: &mut String) {
    if let Some(comment) = comment {
        text.push_str(&format!(" comment {}", words::string(comment)));
    }
}
