//! Domains: made, and altered in place.

use super::Phase;
use super::change::Change;
use super::hazard::HazardKind;
use super::text::lowered;
use super::types::check;
use super::work::{Class, Key, Work};
use crate::catalog::name::quoted;
use crate::catalog::{Domain, DomainCheck, Id, QName};

/// `create domain`, and the checks that were not validated.
pub(super) fn create(name: &QName, one: &Domain) -> Vec<String> {
    let mut sql = format!("create domain {} as {}", name.sql(), one.data_type);
    if let Some(collation) = &one.collation {
        sql += &format!(" collate {collation}");
    }
    if let Some(default) = &one.default {
        sql += &format!(" default {}", lowered(default));
    }
    if one.not_null {
        sql += " not null";
    }
    for (part, about) in one.checks.iter().filter(|(_, about)| about.validated) {
        sql += &format!("\n    {}", check(part, &about.definition));
    }
    let late = one.checks.iter().filter(|(_, about)| !about.validated);
    let late = late.map(|(part, about)| add_check(name, part, about));
    std::iter::once(sql).chain(late).collect()
}

fn add_check(name: &QName, part: &str, about: &DomainCheck) -> String {
    let suffix = if about.validated { "" } else { " not valid" };
    format!("alter domain {} add {}{suffix}", name.sql(), check(part, &about.definition))
}

/// The type beneath is the same.
pub(super) fn alter(change: &mut Change<'_>, name: &QName, was: &Domain, is: &Domain) {
    let id = Id::Type(name.clone());
    let work = |what: &str| Work::new(Class::Type, name, format!("{what} domain {name}"));
    if was.default != is.default {
        let set = |domain: &Domain| match &domain.default {
            Some(default) => {
                format!("alter domain {} set default {}", name.sql(), lowered(default))
            }
            None => format!("alter domain {} drop default", name.sql()),
        };
        let work = work("set default of").up(set(is)).down(set(was));
        change.push(work.after(change.needs(&id)).before(change.needed(&id)));
    }
    if was.not_null != is.not_null {
        let set = |on: bool| {
            let verb = if on { "set" } else { "drop" };
            format!("alter domain {} {verb} not null", name.sql())
        };
        let mut work = work("set null of").up(set(is.not_null)).down(set(was.not_null));
        let scan = "all rows of the tables that use it are read";
        if is.not_null {
            work = work
                .hazard(HazardKind::MayFail, "rows that exist may have nulls")
                .hazard(HazardKind::BlocksWrites, scan);
        } else {
            work = work
                .down_hazard(HazardKind::MayFail, "rows may have nulls by then")
                .down_hazard(HazardKind::BlocksWrites, scan);
        }
        change.push(work);
    }
    checks(change, name, was, is);
}

fn checks(change: &mut Change<'_>, name: &QName, was: &Domain, is: &Domain) {
    let id = Id::Type(name.clone());
    let drop = |part: &str| format!("alter domain {} drop constraint {}", name.sql(), quoted(part));
    let same = |part: &str| match (was.checks.get(part), is.checks.get(part)) {
        (Some(was), Some(is)) => {
            was.definition == is.definition && (is.validated || !was.validated)
        }
        _ => false,
    };
    for (part, about) in was.checks.iter().filter(|(part, _)| !same(part)) {
        let work = Work::new(Class::Type, name, format!("drop constraint {part} of domain {name}"))
            .part(1, part)
            .up(drop(part))
            .down(add_check(name, part, about))
            .before(change.needed(&id))
            .down_hazard(HazardKind::MayFail, "values written since may violate it");
        change.push(work);
    }
    for (part, about) in &is.checks {
        let key = Key::Constraint(name.clone(), part.clone());
        let unchecked = DomainCheck { validated: false, ..about.clone() };
        let is_new = !same(part);
        let dance = about.validated && change.options.online;
        if is_new {
            let first = if dance { &unchecked } else { about };
            let mut work =
                Work::new(Class::Type, name, format!("add constraint {part} to domain {name}"))
                    .part(2, part)
                    .up(add_check(name, part, first))
                    .down(drop(part))
                    .after(change.needs(&id))
                    .gives([key.clone()]);
            if !dance && about.validated {
                work = work.hazard(HazardKind::MayFail, "values that exist may violate it").hazard(
                    HazardKind::BlocksWrites,
                    "all rows of the tables that use it are read",
                );
            }
            change.push(work);
        }
        let unvalidated = was.checks.get(part).is_some_and(|was| !was.validated);
        if about.validated && ((is_new && dance) || (!is_new && unvalidated)) {
            let validate =
                format!("alter domain {} validate constraint {}", name.sql(), quoted(part));
            let work = Work::new(
                Class::Type,
                name,
                format!("validate constraint {part} of domain {name}"),
            )
            .part(3, part)
            .phase(if change.options.online { Phase::Validate } else { Phase::Main })
            .up(validate)
            .down(drop(part))
            .down(add_check(name, part, &unchecked))
            .hazard(HazardKind::MayFail, "values that exist may violate it")
            .after([key]);
            change.push(work);
        }
    }
}
