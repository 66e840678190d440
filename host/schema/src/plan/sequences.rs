//! Sequences: those that stand alone, those that a column owns, and identities.

use super::change::{Change, column};
use super::columns::default_clause;
use super::hazard::HazardKind;
use super::text::{alter_table, comment};
use super::work::{Class, Key, Work};
use super::write::{identity_definition, option_clauses, unusual_options, usual_options};
use crate::catalog::name::{literal, quoted};
use crate::catalog::{Catalog, Column, Id, Identity, QName, Sequence, SequenceOptions};

/// All sequences that do not come or go with a table or column.
pub(super) fn plan(change: &mut Change<'_>) {
    let (from, to) = (change.from, change.to);
    for (name, is) in &to.sequences {
        match from.sequences.get(name) {
            None if !comes_along(to, from, name, is) => create(change, name, is),
            None => {}
            Some(was) => alter(change, name, was, is),
        }
    }
    for (name, was) in &from.sequences {
        if !to.sequences.contains_key(name) && !comes_along(from, to, name, was) {
            drop_sequence(change, name, was);
        }
    }
}

/// Whether a sequence that only `here` has is owned by a column that only `here` has.
fn comes_along(here: &Catalog, there: &Catalog, name: &QName, about: &Sequence) -> bool {
    let Some((table, owner)) = &about.owned_by else { return false };
    let has = |catalog: &Catalog| {
        catalog.tables.get(table).is_some_and(|table| column(table, owner).is_some())
    };
    has(here) && !has(there) && !there.sequences.contains_key(name)
}

/// Statements before and after those for the owner, and what they make.
pub(super) type Along = (Vec<String>, Vec<String>, Vec<Key>);

/// The sequences that come with a table: made before it, given to it afterwards.
pub(super) fn owned(here: &Catalog, there: &Catalog, table: &QName) -> Along {
    along(here, there, |owner, _| owner == table)
}

/// The sequences that come with a column.
pub(super) fn owned_by_column(here: &Catalog, there: &Catalog, table: &QName, name: &str) -> Along {
    along(here, there, |owner, column| owner == table && column == name)
}

fn along(here: &Catalog, there: &Catalog, wanted: impl Fn(&QName, &str) -> bool) -> Along {
    let mut all: Along = Along::default();
    for (name, about) in &here.sequences {
        let mine = about.owned_by.as_ref().is_some_and(|(table, column)| wanted(table, column));
        if !mine || !comes_along(here, there, name, about) {
            continue;
        }
        let (mut before, after) = create_statements(name, about);
        all.0.append(&mut before);
        all.1.extend(after);
        all.2.extend([Key::from(Id::Sequence(name.clone())), Key::Relation(name.clone())]);
    }
    all
}

/// All but whose it is, and whose it is.
fn create_statements(name: &QName, about: &Sequence) -> (Vec<String>, Option<String>) {
    let unlogged = if about.unlogged { "unlogged " } else { "" };
    let mut create = format!("create {unlogged}sequence {}", name.sql());
    if about.options.data_type != "bigint" {
        create += &format!(" as {}", about.options.data_type);
    }
    for clause in unusual_options(&about.options) {
        create += &format!(" {clause}");
    }
    let mut sql = vec![create];
    if about.comment.is_some() {
        sql.push(comment(&format!("sequence {}", name.sql()), about.comment.as_ref()));
    }
    (sql, about.owned_by.is_some().then(|| owned_by(name, about)))
}

fn owned_by(name: &QName, about: &Sequence) -> String {
    let owner = about.owned_by.as_ref();
    let owner = owner.map(|(table, column)| format!("{}.{}", table.sql(), quoted(column)));
    format!("alter sequence {} owned by {}", name.sql(), owner.as_deref().unwrap_or("none"))
}

fn keys(name: &QName) -> [Key; 2] {
    [Id::Sequence(name.clone()).into(), Key::Relation(name.clone())]
}

/// The column that owns a sequence and its table.
fn owner_keys(about: &Sequence) -> impl Iterator<Item = Key> + use<> {
    let owner = about.owned_by.clone();
    owner.into_iter().flat_map(|(table, column)| {
        [Key::from(Id::Table(table.clone())), Key::from(Id::Column(table, column))]
    })
}

fn create(change: &mut Change<'_>, name: &QName, about: &Sequence) {
    let (sql, owned) = create_statements(name, about);
    let work = Work::new(Class::Sequence, name, format!("create sequence {name}"))
        .ups(sql)
        .gives(keys(name))
        .down(format!("drop sequence {}", name.sql()));
    change.push(work);
    if let Some(owned) = owned {
        let none = Sequence { owned_by: None, ..about.clone() };
        let work =
            Work::new(Class::ForeignKey, name, format!("give sequence {name} to its column"))
                .up(owned)
                .down(owned_by(name, &none))
                .after(keys(name))
                .after(owner_keys(about));
        change.push(work);
    }
}

fn drop_sequence(change: &mut Change<'_>, name: &QName, about: &Sequence) {
    let (sql, owned) = create_statements(name, about);
    if let Some(owned) = owned {
        // So that dropping it does not depend on the column, nor dropping the column on it.
        let none = Sequence { owned_by: None, ..about.clone() };
        let work =
            Work::new(Class::Dependent, name, format!("take sequence {name} from its column"))
                .up(owned_by(name, &none))
                .down(owned)
                .before(keys(name))
                .before(owner_keys(about));
        change.push(work);
    }
    let work = Work::new(Class::DropSequence, name, format!("drop sequence {name}"))
        .up(format!("drop sequence {}", name.sql()))
        .downs(sql)
        .takes(keys(name))
        .hazard(HazardKind::DeletesData, "how far it has counted is gone")
        .down_hazard(HazardKind::Irreversible, "it counts from its start again");
    change.push(work);
}

fn alter(change: &mut Change<'_>, name: &QName, was: &Sequence, is: &Sequence) {
    let work = |what: &str| Work::new(Class::Sequence, name, format!("{what} sequence {name}"));
    if was.options != is.options {
        let up = set_options(name, &was.options, &is.options);
        let down = set_options(name, &is.options, &was.options);
        change.push(work("set options of").up(up).down(down));
    }
    if was.unlogged != is.unlogged {
        let set = |about: &Sequence| {
            let kept = if about.unlogged { "unlogged" } else { "logged" };
            format!("alter sequence {} set {kept}", name.sql())
        };
        change.push(work("set logging of").up(set(is)).down(set(was)));
    }
    if was.comment != is.comment {
        let on =
            |about: &Sequence| comment(&format!("sequence {}", name.sql()), about.comment.as_ref());
        change.push(work("comment on").up(on(is)).down(on(was)));
    }
    if was.owned_by != is.owned_by {
        let give =
            Work::new(Class::ForeignKey, name, format!("give sequence {name} to its column"));
        let give = give
            .up(owned_by(name, is))
            .down(owned_by(name, was))
            .after(owner_keys(is))
            .before(owner_keys(was));
        change.push(give);
    }
}

/// `alter sequence`; where it stands now is not changed, unless it can not stay there.
fn set_options(name: &QName, was: &SequenceOptions, is: &SequenceOptions) -> String {
    let mut clauses = Vec::new();
    let mut assumed = was.clone();
    if was.data_type != is.data_type {
        clauses.push(format!("as {}", is.data_type));
        assumed.data_type.clone_from(&is.data_type);
    }
    // Postgres moves a bound that was the old type's to the new type's; all is said, to be sure.
    clauses.extend(option_clauses(&assumed, is, was.data_type != is.data_type));
    clauses.extend(restart(was, is));
    format!("alter sequence {} {}", name.sql(), clauses.join(" "))
}

/// A sequence that never counted stands at its start, which the new bounds may exclude.
fn restart(was: &SequenceOptions, is: &SequenceOptions) -> Option<String> {
    let outside = was.start < is.minimum || was.start > is.maximum;
    outside.then(|| format!("restart with {}", is.start))
}

/// From a default, or nothing, to an identity and back, and from one identity to another. Each by
/// itself, since a sequence may have to come or go in between.
pub(super) fn identity(change: &Change<'_>, table: &QName, was: &Column, is: &Column) -> Vec<Work> {
    if was.identity == is.identity {
        return Vec::new();
    }
    let key = Key::Default(table.clone(), is.name.clone());
    let not_null = Key::NotNull(table.clone(), is.name.clone());
    let implied =
        Key::Relation(QName::new(&table.schema, format!("{}_{}_seq", table.name, is.name)));
    let what = format!("change identity of {} of {table}", quoted(&is.name));
    let step = |part, from: &Column, to: &Column| {
        Work::new(Class::Table, table, what.clone())
            .part(part, &is.name)
            .ups(identity_statements(table, from, to))
            .downs(identity_statements(table, to, from))
    };
    if was.identity.is_some() && is.identity.is_some() {
        return vec![step(25, was, is).gives([key])];
    }
    let bare = Column { default: None, identity: None, ..is.clone() };
    let none = Column { data_type: was.data_type.clone(), ..bare.clone() };
    let mut works = Vec::new();
    if was.default.is_some() {
        let only = Column { identity: None, ..was.clone() };
        works.extend(super::columns::default(change, table, &only, &none));
    }
    if was.identity.is_some() {
        works.push(
            step(19, was, &none).takes([key.clone(), implied.clone()]).before([not_null.clone()]),
        );
    }
    if is.identity.is_some() {
        works.push(step(25, &bare, is).gives([key, implied]).after([not_null]));
    }
    if is.default.is_some() {
        let only = Column { identity: None, ..is.clone() };
        works.extend(super::columns::default(change, table, &bare, &only));
    }
    works
}

/// The statements from one to the other. A new identity goes on after the largest value there is.
pub(super) fn identity_statements(table: &QName, was: &Column, is: &Column) -> Vec<String> {
    let alter = format!("alter column {}", quoted(&is.name));
    match (&was.identity, &is.identity) {
        (None, Some(new)) => {
            let mut clauses = Vec::new();
            if was.default.is_some() {
                clauses.push(format!("{alter} drop default"));
            }
            clauses.push(format!("{alter} add {}", identity_definition(new)));
            let mut sql: Vec<String> =
                clauses.into_iter().map(|clause| alter_table(table, &[clause])).collect();
            sql.push(go_on(table, is, new));
            sql
        }
        (Some(_), None) => {
            let mut clauses = vec![format!("{alter} drop identity")];
            if is.default.is_some() {
                clauses.push(default_clause(is));
            }
            clauses.into_iter().map(|clause| alter_table(table, &[clause])).collect()
        }
        (Some(old), Some(new)) => identity_options(&alter, (was, old), (is, new))
            .map(|clause| alter_table(table, &[clause]))
            .into_iter()
            .collect(),
        (None, None) => Vec::new(),
    }
}

fn go_on(table: &QName, column: &Column, identity: &Identity) -> String {
    let end = if identity.sequence.increment < 0 { "min" } else { "max" };
    let name = quoted(&column.name);
    let arguments = format!("{}, {}", literal(&table.sql()), literal(&column.name));
    format!(
        "select setval(pg_get_serial_sequence({arguments}), {end}({name}))\n    from {} having {end}({name}) is not null",
        table.sql()
    )
}

/// The clause that leads from one identity to another, when there is a difference. The type of the
/// sequence follows the column's, and with it a bound that was the type's.
pub(super) fn identity_options(
    alter: &str,
    (was, old): (&Column, &Identity),
    (is, new): (&Column, &Identity),
) -> Option<String> {
    let mut clauses = Vec::new();
    if old.always != new.always {
        clauses.push(format!("set generated {}", if new.always { "always" } else { "by default" }));
    }
    let mut assumed = old.sequence.clone();
    if was.data_type != is.data_type {
        let bound = usual_options(&was.data_type).maximum;
        if assumed.maximum == bound {
            assumed.maximum = usual_options(&is.data_type).maximum;
        }
    }
    let options = option_clauses(&assumed, &new.sequence, false);
    clauses.extend(options.into_iter().map(|clause| format!("set {clause}")));
    if let Some(restart) = restart(&old.sequence, &new.sequence) {
        clauses.push(restart);
    }
    (!clauses.is_empty()).then(|| format!("{alter} {}", clauses.join(" ")))
}
