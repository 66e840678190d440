//! What differs between two catalogs, told so that people and programs can read it.
//! Owns: which attributes count. Never: judges a difference, or says how to get rid of it.
//!
//! Not compared, since they are no part of what a catalog is: the order of a table's columns, the
//! versions of extensions, and indexes and constraints that come from a parent table (they are
//! what the parent's are).

mod fields;
mod tables;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::catalog::Catalog;

/// All that differs, ordered by kind and name. Empty when the catalogs are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Difference {
    /// One entry a difference.
    pub changes: Vec<Change>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
}

/// An object or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// What kind of object, such as `table`.
    pub kind: &'static str,
    /// Its name, qualified where it is in a schema.
    pub name: String,
    /// The part of the object that differs; none when it is the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// A part of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Part {
    /// Such as `column`.
    pub kind: &'static str,
    /// Its name within the object.
    pub name: String,
}

/// How something differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum What {
    /// Only the second catalog has it.
    Added,
    /// Only the first catalog has it.
    Removed,
    /// Both have it, and an attribute differs.
    Changed {
        /// Which attribute, such as `type`.
        field: &'static str,
        /// In the first catalog; none when it is not set there.
        from: Option<String>,
        /// In the second catalog; none when it is not set there.
        to: Option<String>,
    },
}

impl Difference {
    /// Whether the catalogs are equal.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// What differs between two catalogs that servers of the same major version have described.
pub fn compare(from: &Catalog, to: &Catalog) -> Difference {
    let (from, to) = (fields::described(from), fields::described(to));
    let mut changes = Vec::new();
    for (place, old) in &from {
        match to.get(place) {
            None if whole_is_in(place, &to) => changes.push((place, What::Removed)),
            None => {}
            Some(new) => changes.extend(changed(old, new).map(|what| (place, what))),
        }
    }
    let added = to.keys().filter(|place| !from.contains_key(place) && whole_is_in(place, &from));
    changes.extend(added.map(|place| (place, What::Added)));
    changes.sort_by_key(|(place, _)| *place);
    let changes =
        changes.into_iter().map(|(place, what)| Change { place: place.clone(), what }).collect();
    Difference { changes }
}

/// Attributes of one object, by name.
type Fields = BTreeMap<&'static str, Option<String>>;

/// A part of an object that came or went as a whole is not told.
fn whole_is_in(place: &Place, other: &BTreeMap<Place, Fields>) -> bool {
    place.part.is_none() || other.contains_key(&Place { part: None, ..place.clone() })
}

fn changed<'a>(old: &'a Fields, new: &'a Fields) -> impl Iterator<Item = What> + 'a {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    names.filter_map(|name| {
        let (from, to) = (old.get(name).cloned().flatten(), new.get(name).cloned().flatten());
        (from != to).then_some(What::Changed { field: name, from, to })
    })
}

/// One line a difference.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, change) in self.changes.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{change}")?;
        }
        Ok(())
    }
}

/// Such as `table public.chat: column title: null: not null → nullable`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        match &self.what {
            What::Added => f.write_str("added"),
            What::Removed => f.write_str("removed"),
            What::Changed { field: "", from, to } => {
                write!(f, "{} → {}", or_none(from.as_ref()), or_none(to.as_ref()))
            }
            What::Changed { field, from, to } => {
                write!(f, "{field}: {} → {}", or_none(from.as_ref()), or_none(to.as_ref()))
            }
        }
    }
}

fn or_none(value: Option<&String>) -> &str {
    value.map_or("none", String::as_str)
}

/// Such as `table public.chat: column title`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        match &self.part {
            Some(part) => write!(f, ": {} {}", part.kind, part.name),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Column, Enum, QName, Table};

    fn catalog(columns: &[(&str, bool)]) -> Catalog {
        let column = |(name, not_null): &(&str, bool)| Column {
            name: (*name).into(),
            data_type: "text".into(),
            not_null: *not_null,
            ..Column::default()
        };
        let table = Table { columns: columns.iter().map(column).collect(), ..Table::default() };
        let mut catalog = Catalog::default();
        catalog.tables.insert(QName::new("public", "chat"), table);
        catalog
    }

    #[test]
    fn the_order_of_columns_does_not_count() {
        let one = catalog(&[("a", true), ("b", false)]);
        assert!(compare(&one, &catalog(&[("b", false), ("a", true)])).is_empty());
    }

    #[test]
    fn a_difference_reads_as_a_sentence() {
        let difference = compare(&catalog(&[("title", true)]), &catalog(&[("title", false)]));
        assert_eq!(difference.to_string(), "table public.chat: column title: not null → nullable");
    }

    #[test]
    fn what_came_or_went_as_a_whole_is_told_once() {
        let difference = compare(&Catalog::default(), &catalog(&[("a", true)]));
        assert_eq!(difference.to_string(), "table public.chat: added");
        let difference = compare(&catalog(&[("a", true)]), &catalog(&[]));
        assert_eq!(difference.to_string(), "table public.chat: column a: removed");
    }

    #[test]
    fn the_order_of_an_enums_values_counts() {
        let mood = |values: &[&str]| {
            let mut catalog = Catalog::default();
            let values = values.iter().map(|&one| one.to_owned()).collect();
            catalog.enums.insert(QName::new("public", "mood"), Enum { values, comment: None });
            catalog
        };
        let difference = compare(&mood(&["a", "b"]), &mood(&["b", "a"]));
        assert_eq!(difference.to_string(), "enum public.mood: values: 'a', 'b' → 'b', 'a'");
    }

    #[test]
    fn programs_read_a_difference_as_flat_objects() {
        let difference = compare(&catalog(&[("title", true)]), &catalog(&[("title", false)]));
        let json = serde_json::to_string(&difference).unwrap();
        assert_eq!(
            json,
            r#"[{"kind":"table","name":"public.chat","part":{"kind":"column","name":"title"},"is":"changed","field":"","from":"not null","to":"nullable"}]"#
        );
    }
}
