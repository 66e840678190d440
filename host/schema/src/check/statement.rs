//! The statements of a file as the rules see them: words, tables, comments before them.
//! Never: judges.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxElement, SyntaxKind, SyntaxNode};

use super::comments::Comments;

/// One statement.
pub(super) struct Statement {
    /// What it is.
    pub(super) syntax: ast::Stmt,
    /// Its bytes in the file, from its first word.
    pub(super) start: usize,
    /// The byte behind it.
    pub(super) end: usize,
    /// All its words and signs, in lower case; literals as they are.
    pub(super) words: Vec<Word>,
    /// What the comments before it say.
    pub(super) comments: Comments,
    /// The existing tables that it works on, as far as rules need them.
    pub(super) tables: Vec<String>,
    /// The table or materialized view that it makes.
    pub(super) creates: Option<String>,
}

/// A word, sign or literal of a statement.
pub(super) struct Word {
    pub(super) kind: SyntaxKind,
    pub(super) text: String,
}

impl Statement {
    /// Whether it begins with these words.
    pub(super) fn begins(&self, words: &[&str]) -> bool {
        let begins = words.iter().zip(&self.words).all(|(wanted, word)| word.text == *wanted);
        begins && words.len() <= self.words.len()
    }

    /// Whether it has the word somewhere.
    pub(super) fn has(&self, wanted: &str) -> bool {
        self.words.iter().any(|word| word.text == wanted)
    }
}

/// What the comments behind the last statement say.
pub(super) fn trailing(text: &str, statements: &[Statement]) -> Comments {
    Comments::read(text, statements.last().map_or(0, |last| last.end), text.len())
}

/// Cuts a parsed file.
pub(super) fn cut(text: &str, file: &SourceFile) -> Vec<Statement> {
    let mut before = 0;
    let mut cut: Vec<Statement> = Vec::new();
    for syntax in file.stmts() {
        let node = syntax.syntax();
        let tokens = || node.descendants_with_tokens().filter_map(SyntaxElement::into_token);
        let Some(first) = tokens().find(|token| !token.kind().is_trivia()) else { continue };
        let start = usize::from(first.text_range().start());
        let end = usize::from(node.text_range().end());
        let mut comments = Comments::read(text, before, start);
        if let Some(last) = cut.last().filter(|_| !has_blank_line(text, before, start)) {
            comments.hazards.extend_from_slice(&last.comments.hazards);
        }
        before = end;
        let words = tokens().filter(|token| !token.kind().is_trivia());
        let words = words
            .map(|token| Word { kind: token.kind(), text: word(token.kind(), token.text()) })
            .collect();
        let (tables, creates) = (tables(&syntax), creates(&syntax));
        cut.push(Statement { syntax, start, end, words, comments, tables, creates });
    }
    cut
}

/// Statements without a blank line between them are one step, whose hazards are told before it.
fn has_blank_line(text: &str, from: usize, to: usize) -> bool {
    let gap = text.get(from..to).unwrap_or_default();
    let lines = gap.split('\n').count();
    gap.split('\n')
        .enumerate()
        .any(|(number, line)| number > 0 && number + 1 < lines && line.trim().is_empty())
}

fn word(kind: SyntaxKind, text: &str) -> String {
    if kind == SyntaxKind::STRING { text.to_owned() } else { text.to_ascii_lowercase() }
}

fn creates(statement: &ast::Stmt) -> Option<String> {
    let name = match statement {
        ast::Stmt::CreateTable(table) => table.table_name()?.path()?,
        ast::Stmt::CreateTableAs(table) => table.table_name()?.path()?,
        ast::Stmt::CreateMaterializedView(view) => view.view()?.path()?,
        _ => return None,
    };
    Some(name_of(name.syntax()))
}

fn tables(statement: &ast::Stmt) -> Vec<String> {
    let relation = |relation: Option<ast::TableRelationName>| {
        let path = relation?.table_name_ref()?.path_ref()?;
        Some(name_of(path.syntax()))
    };
    let rows = |relation: Option<ast::RelationName>| {
        let path = relation?.relation_name_ref()?.path_ref()?;
        Some(name_of(path.syntax()))
    };
    match statement {
        ast::Stmt::AlterTable(alter) => relation(alter.table_relation_name()).into_iter().collect(),
        ast::Stmt::CreateIndex(index) => {
            relation(index.table_relation_name()).into_iter().collect()
        }
        ast::Stmt::DropTable(dropped) => {
            let names = dropped.table_name_refs();
            names.filter_map(|name| Some(name_of(name.path_ref()?.syntax()))).collect()
        }
        ast::Stmt::Truncate(truncate) => {
            let tables = truncate.table_list().into_iter();
            tables
                .flat_map(|list| list.table_relation_names())
                .filter_map(|name| relation(Some(name)))
                .collect()
        }
        ast::Stmt::Delete(delete) => rows(delete.relation_name()).into_iter().collect(),
        ast::Stmt::Update(update) => rows(update.relation_name()).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A name without spaces and without the schema `public`, in lower case unless it is quoted.
pub(super) fn name_of(path: &SyntaxNode) -> String {
    let tokens = path.descendants_with_tokens().filter_map(SyntaxElement::into_token);
    let mut name = String::new();
    for token in tokens.filter(|token| !token.kind().is_trivia()) {
        match token.text() {
            quoted if quoted.starts_with('"') => {
                let body = quoted.trim_matches('"');
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                name.push_str(if body.chars().all(plain) { body } else { quoted });
            }
            text => name.push_str(&text.to_ascii_lowercase()),
        }
    }
    name.strip_prefix("public.").map_or(name.clone(), str::to_owned)
}
