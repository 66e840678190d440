//! Which statement comes when. Owns the order of objects and tables by what they say they need.

use std::collections::BTreeMap;

use super::Step;
use crate::definitions::Definitions;
use crate::syntax::{Item, ObjectName};

/// Schema and name.
type Key<'a> = (&'a str, &'a str);

/// The places of the steps: what kind first, then how deep it stands on others of its kind.
pub(super) struct Ranks<'a> {
    tables: BTreeMap<Key<'a>, usize>,
    objects: BTreeMap<&'a str, (usize, usize)>,
}

/// Objects that need nothing come before tables, those that need views after views, the rest
/// between.
const BEFORE_TABLES: usize = 5;
const TABLES: usize = 6;
const AFTER_TABLES: usize = 7;
const AFTER_VIEWS: usize = 13;

impl<'a> Ranks<'a> {
    pub(super) fn of(definitions: &'a Definitions) -> Self {
        Self { tables: tables(definitions), objects: objects(definitions) }
    }

    pub(super) fn rank(&self, step: &Step) -> (usize, usize) {
        match step {
            Step::Schema => (0, 0),
            Step::Extension => (1, 0),
            Step::Enum => (2, 0),
            Step::Type => (3, 0),
            Step::Sequence => (4, 0),
            Step::Table(name) => {
                (TABLES, self.tables.get(&name.key()).copied().unwrap_or_default())
            }
            Step::Object(name) => {
                self.objects.get(name.as_str()).copied().unwrap_or((BEFORE_TABLES, 0))
            }
            Step::Index => (8, 0),
            Step::Key => (9, 0),
            Step::Owner => (10, 0),
            Step::View => (11, 0),
            Step::ViewIndex => (12, 0),
            Step::Trigger => (14, 0),
            Step::Policy => (15, 0),
            Step::Comment => (16, 0),
        }
    }
}

/// How many parents each table has above it.
fn tables(definitions: &Definitions) -> BTreeMap<Key<'_>, usize> {
    let mut parents: Vec<(Key<'_>, Vec<&ObjectName>)> = Vec::new();
    for item in definitions.items() {
        if let Item::Table(table) = item {
            let partition = table.partition_of.iter().map(|partition| &partition.parent);
            parents.push((table.name.key(), partition.chain(&table.inherits).collect()));
        }
    }
    let mut depths: BTreeMap<_, _> = parents.iter().map(|(name, _)| (*name, 0)).collect();
    settle(parents.len(), || {
        let mut changed = false;
        for (name, above) in &parents {
            let depth = above.iter().filter_map(|parent| depths.get(&parent.key()).copied()).max();
            changed |= raise(&mut depths, name, depth.map_or(0, |depth| depth + 1));
        }
        changed
    });
    depths
}

fn objects(definitions: &Definitions) -> BTreeMap<&str, (usize, usize)> {
    let mut known: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut objects = Vec::new();
    for item in definitions.items() {
        match item {
            Item::Table(table) => {
                known.insert(table.name.key(), AFTER_TABLES);
            }
            Item::View(view) => {
                known.insert(view.name.key(), AFTER_VIEWS);
            }
            Item::Object(object) => objects.push(object),
            _ => {}
        }
    }
    let mut ranks: BTreeMap<_, _> =
        objects.iter().map(|object| (object.name.text.as_str(), (BEFORE_TABLES, 0))).collect();
    settle(objects.len(), || {
        let mut changed = false;
        for object in &objects {
            let needed = object.depends_on.iter().map(|need| match known.get(&need.key()) {
                Some(kind) => (*kind, 0),
                None => ranks
                    .get(need.name.as_str())
                    .map_or((BEFORE_TABLES, 0), |(kind, depth)| (*kind, depth + 1)),
            });
            let rank = needed.max().unwrap_or((BEFORE_TABLES, 0));
            changed |= raise(&mut ranks, &object.name.text.as_str(), rank);
        }
        changed
    });
    ranks
}

/// Repeats until nothing changes, at most as often as the longest chain can be: circles are left
/// as they are, and the checks name them.
fn settle(longest: usize, mut round: impl FnMut() -> bool) {
    for _ in 0..longest {
        if !round() {
            return;
        }
    }
}

fn raise<K: Ord, V: Ord>(values: &mut BTreeMap<K, V>, key: &K, value: V) -> bool {
    match values.get_mut(key) {
        Some(former) if *former < value => {
            *former = value;
            true
        }
        _ => false,
    }
}
