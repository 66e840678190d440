//! A step while the plan is made, with what decides its place in the order.

use super::hazard::{Hazard, HazardKind};
use super::together::Retyped;
use super::{Phase, Step};
use crate::catalog::{Id, QName};

/// What steps have to wait for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// An object, in the version of one of the catalogs.
    Id(Id),
    /// The name of a table, view, index or sequence, which share one name space.
    Relation(QName),
    /// The name of a type.
    Type(QName),
    /// That a column is, or is not, nullable.
    NotNull(QName, String),
    /// A column's identity or default.
    Default(QName, String),
    /// A check of a domain.
    Constraint(QName, String),
    /// How a table and a parent are connected.
    Parent(QName),
    /// That a table is no partition or heir any more.
    Detached(QName),
}

impl From<Id> for Key {
    fn from(id: Id) -> Self {
        Self::Id(id)
    }
}

/// Where a step stands when nothing else decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Schema,
    Extension,
    Dependent,
    Type,
    Sequence,
    Function,
    Table,
    ForeignKey,
    View,
    Trigger,
    DropTable,
    DropSequence,
    DropFunction,
    DropType,
    DropExtension,
    DropSchema,
}

/// By class, then by the object's name, then by the part of the object.
pub(super) type Rank = (Class, String, u8, String);

/// A step to be ordered.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) what: String,
    pub(super) up: Vec<String>,
    pub(super) down: Option<Vec<String>>,
    pub(super) hazards: Vec<Hazard>,
    pub(super) down_hazards: Vec<Hazard>,
    pub(super) phase: Phase,
    pub(super) rank: Rank,
    /// Whose version in the second catalog begins with this step.
    pub(super) gives: Vec<Key>,
    /// Whose version in the first catalog ends with this step.
    pub(super) takes: Vec<Key>,
    /// Comes after what gives these.
    pub(super) after: Vec<Key>,
    /// Comes before what takes these.
    pub(super) before: Vec<Key>,
    /// Undone by undoing what gives this, when that is in the same file.
    pub(super) goes_with: Option<Key>,
    /// What it does, when the next step may do it in the same statement.
    pub(super) retyped: Option<Retyped>,
}

impl Work {
    /// A step of the main phase that does nothing yet.
    pub(super) fn new(
        class: Class,
        object: &(impl ToString + ?Sized),
        what: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            up: Vec::new(),
            down: Some(Vec::new()),
            hazards: Vec::new(),
            down_hazards: Vec::new(),
            phase: Phase::Main,
            rank: (class, object.to_string(), 0, String::new()),
            gives: Vec::new(),
            takes: Vec::new(),
            after: Vec::new(),
            before: Vec::new(),
            goes_with: None,
            retyped: None,
        }
    }

    /// A step that changes the types of columns, and may do so together with others.
    pub(super) fn retyped(mut self, retyped: Retyped) -> Self {
        self.what = retyped.what();
        let (up, down) = retyped.statements();
        (self.up, self.down) = (up, Some(down));
        self.retyped = Some(retyped);
        self
    }

    /// Takes in a step that comes right behind it, when both change types of the same table's
    /// columns; gives it back otherwise.
    pub(super) fn join(&mut self, other: Self) -> Option<Self> {
        let (Some(own), Some(more)) = (&self.retyped, &other.retyped) else { return Some(other) };
        if own.table != more.table {
            return Some(other);
        }
        let mut all = own.clone();
        all.join(more.clone());
        let new = |own: &[Hazard], more: Vec<Hazard>| -> Vec<Hazard> {
            more.into_iter().filter(|one| !own.contains(one)).collect()
        };
        self.hazards.extend(new(&self.hazards, other.hazards));
        self.down_hazards.extend(new(&self.down_hazards, other.down_hazards));
        self.hazards.sort_by_key(|one| one.kind);
        self.down_hazards.sort_by_key(|one| one.kind);
        let whole = Self::new(self.rank.0, &self.rank.1, "").retyped(all);
        (self.what, self.up, self.down, self.retyped) =
            (whole.what, whole.up, whole.down, whole.retyped);
        None
    }

    /// Orders it among the steps of its object.
    pub(super) fn part(mut self, number: u8, name: &str) -> Self {
        self.rank.2 = number;
        name.clone_into(&mut self.rank.3);
        self
    }

    pub(super) fn up(mut self, sql: impl Into<String>) -> Self {
        self.up.push(sql.into());
        self
    }

    pub(super) fn ups(mut self, sql: impl IntoIterator<Item = String>) -> Self {
        self.up.extend(sql);
        self
    }

    /// Statements run in the order in which they are given here.
    pub(super) fn down(mut self, sql: impl Into<String>) -> Self {
        self.down.get_or_insert_default().push(sql.into());
        self
    }

    pub(super) fn downs(mut self, sql: impl IntoIterator<Item = String>) -> Self {
        self.down.get_or_insert_default().extend(sql);
        self
    }

    pub(super) fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }

    pub(super) fn hazard(mut self, kind: HazardKind, about: impl Into<String>) -> Self {
        self.hazards.push(Hazard { kind, about: about.into() });
        self
    }

    pub(super) fn hazards(mut self, hazards: impl IntoIterator<Item = Hazard>) -> Self {
        self.hazards.extend(hazards);
        self
    }

    pub(super) fn down_hazard(mut self, kind: HazardKind, about: impl Into<String>) -> Self {
        self.down_hazards.push(Hazard { kind, about: about.into() });
        self
    }

    pub(super) fn down_hazards(mut self, hazards: impl IntoIterator<Item = Hazard>) -> Self {
        self.down_hazards.extend(hazards);
        self
    }

    pub(super) fn gives(mut self, keys: impl IntoIterator<Item = impl Into<Key>>) -> Self {
        self.gives.extend(keys.into_iter().map(Into::into));
        self
    }

    pub(super) fn takes(mut self, keys: impl IntoIterator<Item = impl Into<Key>>) -> Self {
        self.takes.extend(keys.into_iter().map(Into::into));
        self
    }

    pub(super) fn after(mut self, keys: impl IntoIterator<Item = impl Into<Key>>) -> Self {
        self.after.extend(keys.into_iter().map(Into::into));
        self
    }

    pub(super) fn before(mut self, keys: impl IntoIterator<Item = impl Into<Key>>) -> Self {
        self.before.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Made after a whole that is new, and gone with it.
    pub(super) fn goes_with(mut self, whole: impl Into<Key>) -> Self {
        let whole = whole.into();
        self.after.push(whole.clone());
        self.goes_with = Some(whole);
        self
    }

    /// An object in place of another version of it.
    pub(super) fn replaces(self, key: impl Into<Key>) -> Self {
        let key = key.into();
        self.gives([key.clone()]).takes([key])
    }

    pub(super) fn into_step(self, phase: Phase, file: usize) -> Step {
        Step {
            what: self.what,
            up: self.up,
            down: self.down,
            hazards: self.hazards,
            down_hazards: self.down_hazards,
            phase,
            file,
        }
    }
}
