//! Constraints, read from what Postgres prints of them. One with a clause that the language does
//! not have is kept as SQL.

use avenire_definitions::{Action, Constraint, ConstraintKind, Deferrable, Name, ObjectName};

use super::read::{Rest, object_name};
use crate::catalog::{Column, Constraint as Found, ConstraintKind as Kind, QName, Table};

/// The constraint `name` of the table `table`.
pub(super) fn constraint(table: &QName, of: &Table, name: &str, found: &Found) -> Constraint {
    let (kind, deferrable) = read(found)
        .filter(|(kind, _)| !sets_what_is_not_null(kind, &of.columns))
        .unwrap_or_else(|| (ConstraintKind::Sql(found.definition.clone()), Deferrable::No));
    let is_usual = matches!(kind, ConstraintKind::PrimaryKey { .. })
        && name == format!("{}_pkey", table.name)
        && found.comment.is_none();
    let name = (!is_usual).then(|| name.into());
    Constraint { deferrable, comment: found.comment.clone(), ..Constraint::new(name, kind) }
}

/// Whether a foreign key sets columns that can not be set, which the language refuses and Postgres
/// does not.
fn sets_what_is_not_null(kind: &ConstraintKind, all: &[Column]) -> bool {
    let ConstraintKind::ForeignKey { columns, on_delete, on_update, .. } = kind else {
        return false;
    };
    [on_delete, on_update].into_iter().any(|action| {
        let (set, to_null) = match action {
            Action::SetNull(set) => (set, true),
            Action::SetDefault(set) => (set, false),
            _ => return false,
        };
        let set = if set.is_empty() { columns } else { set };
        let mut fixed = all
            .iter()
            .filter(|column| column.not_null && (to_null || column.default.is_none()))
            .map(|column| column.name.as_str());
        fixed.any(|fixed| set.iter().any(|name| name.text == fixed))
    })
}

fn read(found: &Found) -> Option<(ConstraintKind, Deferrable)> {
    let mut rest = Rest::of(&found.definition);
    let kind = match &found.kind {
        Kind::PrimaryKey { .. } => {
            rest.eat("PRIMARY KEY").then_some(())?;
            ConstraintKind::PrimaryKey { columns: rest.columns()?, include: include(&mut rest)? }
        }
        Kind::Unique { .. } => {
            rest.eat("UNIQUE").then_some(())?;
            let nulls_not_distinct = rest.eat("NULLS NOT DISTINCT");
            let columns = rest.columns()?;
            ConstraintKind::Unique { columns, include: include(&mut rest)?, nulls_not_distinct }
        }
        Kind::ForeignKey { references, .. } => foreign_key(object_name(references), &mut rest)?,
        Kind::Check { expression, .. } => {
            rest.eat("CHECK").then_some(())?;
            rest.brackets()?;
            let no_inherit = rest.eat("NO INHERIT");
            ConstraintKind::Check { expression: expression.clone(), no_inherit }
        }
        Kind::Exclusion => {
            rest.eat("EXCLUDE").then_some(())?;
            return Some((ConstraintKind::Exclude(rest.text().to_owned()), Deferrable::No));
        }
    };
    let deferrable = match (rest.eat("DEFERRABLE"), rest.eat("INITIALLY DEFERRED")) {
        (true, true) => Deferrable::Deferred,
        (true, false) => Deferrable::Immediate,
        (false, _) => Deferrable::No,
    };
    rest.is_empty().then_some((kind, deferrable))
}

fn include(rest: &mut Rest<'_>) -> Option<Vec<Name>> {
    if rest.eat("INCLUDE") { rest.columns() } else { Some(Vec::new()) }
}

fn foreign_key(references: ObjectName, rest: &mut Rest<'_>) -> Option<ConstraintKind> {
    rest.eat("FOREIGN KEY").then_some(())?;
    let columns = rest.columns()?;
    rest.eat("REFERENCES").then_some(())?;
    rest.name()?;
    let targets = rest.columns()?;
    let match_full = rest.eat("MATCH FULL");
    let on_update = if rest.eat("ON UPDATE") { action(rest)? } else { Action::NoAction };
    let on_delete = if rest.eat("ON DELETE") { action(rest)? } else { Action::NoAction };
    Some(ConstraintKind::ForeignKey {
        columns,
        references,
        referenced: targets,
        match_full,
        on_delete,
        on_update,
    })
}

fn action(rest: &mut Rest<'_>) -> Option<Action> {
    if rest.eat("RESTRICT") {
        Some(Action::Restrict)
    } else if rest.eat("CASCADE") {
        Some(Action::Cascade)
    } else if rest.eat("SET NULL") {
        Some(Action::SetNull(rest.columns().unwrap_or_default()))
    } else if rest.eat("SET DEFAULT") {
        Some(Action::SetDefault(rest.columns().unwrap_or_default()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: Kind, definition: &str) -> Found {
        let definition = definition.to_owned();
        Found { kind, definition, validated: true, inherited: false, comment: None }
    }

    fn key(definition: &str) -> ConstraintKind {
        let kind = Kind::ForeignKey {
            columns: vec!["a".into()],
            references: QName::new("app", "t"),
            referenced_columns: vec!["b".into()],
        };
        made("x", "y", &found(kind, definition)).kind
    }

    fn made(table: &str, name: &str, found: &Found) -> Constraint {
        constraint(&QName::new("public", table), &Table::default(), name, found)
    }

    #[test]
    fn foreign_keys_are_understood_with_all_their_clauses() {
        let definition = "FOREIGN KEY (a, \"B c\") REFERENCES app.\"t (\"(b, d) MATCH FULL ON \
                          UPDATE CASCADE ON DELETE SET NULL (a)";
        let ConstraintKind::ForeignKey { columns, match_full, on_delete, on_update, .. } =
            key(definition)
        else {
            panic!("not understood")
        };
        assert_eq!(columns, [Name::from("a"), Name::from("B c")]);
        assert!(match_full);
        assert_eq!(on_update, Action::Cascade);
        assert_eq!(on_delete, Action::SetNull(vec!["a".into()]));
    }

    #[test]
    fn what_is_not_understood_is_kept_as_it_is() {
        let definition = "FOREIGN KEY (a, PERIOD b) REFERENCES app.t(b, PERIOD c)";
        assert_eq!(key(definition), ConstraintKind::Sql(definition.into()));
        let definition = "FOREIGN KEY (a) REFERENCES app.t(b) NOT ENFORCED";
        assert_eq!(key(definition), ConstraintKind::Sql(definition.into()));
    }

    #[test]
    fn a_primary_key_of_the_usual_name_has_none() {
        let kind = Kind::PrimaryKey { columns: vec!["a".into()] };
        let found = found(kind, "PRIMARY KEY (a) INCLUDE (b) DEFERRABLE INITIALLY DEFERRED");
        let usual = made("chat", "chat_pkey", &found);
        assert_eq!(usual.name, None);
        assert_eq!(usual.deferrable, Deferrable::Deferred);
        assert_eq!(made("chat", "other", &found).name, Some("other".into()));
    }
}
