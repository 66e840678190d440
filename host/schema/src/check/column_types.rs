//! The types that columns have by what the files say, so that a change of type that leaves the rows
//! as they are is not taken for one that writes them anew.
//! Never: guesses; a column that no file makes is not known.

use std::collections::{BTreeMap, BTreeSet};

use squawk_syntax::ast::{self, AstNode as _};

use super::statement::{Statement, name_of};
use crate::plan::is_grown;

/// The columns of the statements so far.
#[derive(Default)]
pub(super) struct ColumnTypes {
    /// By table and name.
    types: BTreeMap<(String, String), String>,
}

impl ColumnTypes {
    /// The beginnings of the statements that change types and leave the rows as they are. Takes in
    /// what all of them do.
    pub(super) fn keeping(&mut self, statements: &[Statement]) -> BTreeSet<usize> {
        let mut keeping = BTreeSet::new();
        for statement in statements {
            if self.keep_rows(statement) {
                keeping.insert(statement.start);
            }
            self.note(statement);
        }
        keeping
    }

    fn keep_rows(&self, statement: &Statement) -> bool {
        let [table] = statement.tables.as_slice() else { return false };
        let changed = changed(&statement.syntax);
        let keeps = |(column, set): &(String, ast::SetType)| {
            let from = self.types.get(&(table.clone(), column.clone()));
            let to = set.ty().map(|one| text(&one));
            let plain = set.using_expr().is_none() && set.collate().is_none();
            plain && from.zip(to).is_some_and(|(from, to)| is_grown(from, &to))
        };
        !changed.is_empty() && changed.iter().all(keeps)
    }

    fn note(&mut self, statement: &Statement) {
        match &statement.syntax {
            ast::Stmt::CreateTable(create) => {
                let Some(table) = &statement.creates else { return };
                let list = create.table_arg_list();
                for arg in list.into_iter().flat_map(|list| list.args()) {
                    if let ast::TableArg::Column(column) = arg {
                        let name = column.name().map(|one| name_of(one.syntax()));
                        self.set(table, name, plain(&column, column.ty()));
                    }
                }
            }
            ast::Stmt::AlterTable(alter) => {
                let [table] = statement.tables.as_slice() else { return };
                for action in alter.actions() {
                    self.act(table, &action);
                }
            }
            _ => {}
        }
    }

    fn act(&mut self, table: &str, action: &ast::AlterTableAction) {
        match action {
            ast::AlterTableAction::AddColumn(add) => {
                let name = add.column_name().map(|one| name_of(one.syntax()));
                self.set(table, name, plain(add, add.ty()));
            }
            ast::AlterTableAction::AlterColumn(alter) => {
                if let Some((column, set)) = set_type(alter) {
                    self.set(table, Some(column), plain(&set, set.ty()));
                }
            }
            ast::AlterTableAction::RenameColumn(rename) => {
                let from = rename.column_name_ref().map(|one| name_of(one.syntax()));
                let to = rename.column_name().map(|one| name_of(one.syntax()));
                if let Some((from, to)) = from.zip(to)
                    && let Some(found) = self.types.remove(&(table.to_owned(), from))
                {
                    self.types.insert((table.to_owned(), to), found);
                }
            }
            ast::AlterTableAction::TableRenameTo(rename) => {
                let Some(to) = rename.table_name().map(|one| name_of(one.syntax())) else { return };
                let to = match table.rsplit_once('.') {
                    Some((schema, _)) => format!("{schema}.{to}"),
                    None => to,
                };
                let all = std::mem::take(&mut self.types);
                self.types.extend(all.into_iter().map(|((of, column), found)| {
                    (if of == table { (to.clone(), column) } else { (of, column) }, found)
                }));
            }
            _ => {}
        }
    }

    /// A type that is none here makes the column one that is not known.
    fn set(&mut self, table: &str, column: Option<String>, data_type: Option<ast::Type>) {
        let Some(column) = column else { return };
        let key = (table.to_owned(), column);
        match data_type {
            Some(data_type) => self.types.insert(key, text(&data_type)),
            None => self.types.remove(&key),
        };
    }
}

/// The columns whose type a statement changes.
fn changed(statement: &ast::Stmt) -> Vec<(String, ast::SetType)> {
    let ast::Stmt::AlterTable(alter) = statement else { return Vec::new() };
    let set = |action| match action {
        ast::AlterTableAction::AlterColumn(alter) => set_type(&alter),
        _ => None,
    };
    alter.actions().filter_map(set).collect()
}

fn set_type(alter: &ast::AlterColumn) -> Option<(String, ast::SetType)> {
    let Some(ast::AlterColumnOption::SetType(set)) = alter.option() else { return None };
    Some((name_of(alter.column_name_ref()?.syntax()), set))
}

/// The type, unless a collation is named with it, which another change of type may take away.
fn plain(node: &impl ast::AstNode, data_type: Option<ast::Type>) -> Option<ast::Type> {
    let named = node.syntax().text().to_string().to_ascii_lowercase().contains("collate");
    data_type.filter(|_| !named)
}

/// As `format_type` prints the types that can grow.
fn text(data_type: &ast::Type) -> String {
    let text = data_type.syntax().text().to_string().to_ascii_lowercase();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.strip_prefix("varchar") {
        Some(rest) => format!("character varying{rest}"),
        None => text,
    }
}
