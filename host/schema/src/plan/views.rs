//! Views and materialized views.

use super::change::Change;
use super::hazard::{Hazard, HazardKind};
use super::tables::set_options;
use super::text::{comment, lowered};
use super::work::{Class, Key, Work};
use super::{indexes, parts, write};
use crate::catalog::name::quoted;
use crate::catalog::{Id, QName, View};

/// All views.
pub(super) fn plan(change: &mut Change<'_>) {
    let (from, to) = (change.from, change.to);
    for (name, was) in &from.views {
        let again = change.again(&Id::View(name.clone()));
        match to.views.get(name) {
            None => {
                change.push(drop_view(name, was).hazard(HazardKind::BreaksCallers, GONE));
            }
            Some(is) if again => {
                let dropped = drop_view(name, was)
                    .hazard(HazardKind::BreaksCallers, missed(was, is))
                    .down_hazards(rerun(was));
                let created = create_view(name, is)
                    .hazards(rerun(is))
                    .down_hazard(HazardKind::BreaksCallers, missed(is, was));
                change.push(dropped);
                change.push(created);
            }
            Some(is) => alter(change, name, was, is),
        }
    }
    for (name, is) in to.views.iter().filter(|(name, _)| !from.views.contains_key(*name)) {
        change.push(create_view(name, is).down_hazard(HazardKind::BreaksCallers, GONE));
    }
}

const GONE: &str = "who reads it fails";

/// What those who read a view miss when it is dropped and made anew.
fn missed(was: &View, is: &View) -> String {
    let rights = "rights on it have to be granted anew".to_owned();
    let missed = was.columns.iter().filter(|column| !is.columns.contains(column));
    let names: Vec<String> = missed.map(|(name, _)| quoted(name)).collect();
    if names.is_empty() {
        return rights;
    }
    format!("{rights}, and who reads {} finds it gone or of another type", names.join(", "))
}

/// Whether a view can stay while it becomes another: columns may only be added at the end
/// (PostgreSQL documentation, CREATE VIEW).
pub(super) fn is_replaceable(was: &View, is: &View) -> bool {
    if was.materialized || is.materialized {
        return was.materialized == is.materialized
            && was.definition == is.definition
            && was.columns == is.columns;
    }
    is.columns.starts_with(&was.columns)
}

fn word(view: &View) -> &'static str {
    if view.materialized { "materialized view" } else { "view" }
}

fn keys(name: &QName, view: &View) -> Vec<Key> {
    let mut keys: Vec<Key> =
        vec![Id::View(name.clone()).into(), Key::Relation(name.clone()), Key::Type(name.clone())];
    for index in view.indexes.keys() {
        let relation = QName::new(&name.schema, index);
        keys.extend([Id::Index(relation.clone()).into(), Key::Relation(relation)]);
    }
    let triggers = view.triggers.keys();
    keys.extend(triggers.map(|trigger| Id::Trigger(name.clone(), trigger.clone()).into()));
    keys
}

fn definition(name: &QName, view: &View, replace: &str) -> String {
    let options = if view.options.is_empty() {
        String::new()
    } else {
        format!(" with ({})", write::options(&view.options))
    };
    let query = lowered(view.definition.trim().trim_end_matches(';'));
    format!("create {replace}{} {}{options} as\n {query}", word(view), name.sql())
}

/// All that makes a view.
fn whole(name: &QName, view: &View) -> Vec<String> {
    let mut sql = vec![definition(name, view, "")];
    for (index, about) in &view.indexes {
        sql.extend(write::index_with_comment(name, index, about, ""));
    }
    for (trigger, about) in &view.triggers {
        sql.extend(write::trigger(name, trigger, about));
    }
    if view.comment.is_some() {
        sql.push(comment(&format!("{} {}", word(view), name.sql()), view.comment.as_ref()));
    }
    sql
}

fn create_view(name: &QName, view: &View) -> Work {
    Work::new(Class::View, name, format!("create {} {name}", word(view)))
        .ups(whole(name, view))
        .down(format!("drop {} {}", word(view), name.sql()))
        .gives(keys(name, view))
}

/// The hazard of a materialized view that readers wait for.
fn rerun(view: &View) -> Option<Hazard> {
    let about = "its query is run, readers wait".to_owned();
    view.materialized.then_some(Hazard { kind: HazardKind::BlocksReadsAndWrites, about })
}

fn drop_view(name: &QName, view: &View) -> Work {
    Work::new(Class::Dependent, name, format!("drop {} {name}", word(view)))
        .up(format!("drop {} {}", word(view), name.sql()))
        .downs(whole(name, view))
        .takes(keys(name, view))
}

fn alter(change: &mut Change<'_>, name: &QName, was: &View, is: &View) {
    let id = Id::View(name.clone());
    if was.definition != is.definition || was.columns != is.columns {
        let work = Work::new(Class::View, name, format!("replace view {name}"))
            .up(definition(name, is, "or replace "))
            .replaces(id);
        let work = if was.columns == is.columns {
            work.down(definition(name, was, "or replace "))
        } else {
            work.down(format!("drop view {}", name.sql()))
                .downs(whole(name, was))
                .down_hazard(HazardKind::BreaksCallers, missed(is, was))
        };
        change.push(work);
    } else if was.options != is.options {
        let alter = format!("alter {} {}", word(is), name.sql());
        let work = Work::new(Class::View, name, format!("set options of {} {name}", word(is)))
            .ups(set_options(&alter, &was.options, &is.options))
            .downs(set_options(&alter, &is.options, &was.options));
        change.push(work);
    }
    indexes::plan(change, name, (&was.indexes, &is.indexes), false);
    parts::triggers(change, name, &was.triggers, &is.triggers);
    if was.comment != is.comment {
        let words = format!("{} {}", word(is), name.sql());
        let work = Work::new(Class::View, name, format!("comment on {} {name}", word(is)))
            .part(9, "")
            .up(comment(&words, is.comment.as_ref()))
            .down(comment(&words, was.comment.as_ref()));
        change.push(work);
    }
}
