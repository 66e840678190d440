//! A schema as the generator has it: things know each other by number, so that a rename is a change
//! of one name, and whatever an edit left dangling can be found and taken out.

/// What tells a thing from all others of its sketch, in all its versions.
pub(super) type Id = u32;

/// What all things of a schema have.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) schema: Id,
    pub(super) comment: Option<usize>,
}

/// Something with a head.
#[derive(Clone, Debug)]
pub(super) struct Of<T> {
    pub(super) head: Head,
    pub(super) it: T,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sketch {
    pub(super) next: Id,
    /// The first is `public`, number 0.
    pub(super) schemas: Vec<Of<()>>,
    pub(super) enums: Vec<Of<Vec<(Id, String)>>>,
    pub(super) domains: Vec<Of<Domain>>,
    pub(super) composites: Vec<Of<Vec<(Id, String, usize)>>>,
    pub(super) sequences: Vec<Of<Sequence>>,
    pub(super) tables: Vec<Of<Table>>,
    pub(super) views: Vec<Of<View>>,
    pub(super) functions: Vec<Of<Function>>,
}

#[derive(Clone, Debug)]
pub(super) struct Domain {
    /// In [`super::types::TYPES`].
    pub(super) base: usize,
    pub(super) not_null: bool,
    pub(super) default: Option<usize>,
    pub(super) checks: Vec<(String, usize)>,
}

#[derive(Clone, Debug)]
pub(super) struct Sequence {
    pub(super) increment: Option<usize>,
    pub(super) start: Option<usize>,
    pub(super) cache: Option<usize>,
    pub(super) cycle: bool,
    pub(super) owner: Option<(Id, Id)>,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) shape: Shape,
    pub(super) unlogged: bool,
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) indexes: Vec<Index>,
    pub(super) policies: Vec<Policy>,
    pub(super) triggers: Vec<Trigger>,
    pub(super) row_security: bool,
    pub(super) force: bool,
    pub(super) fillfactor: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Plain,
    /// By ranges of this column.
    Partitioned(Id),
    /// Of that table, the tens from ten times this number; the default partition without.
    Partition(Id, Option<usize>),
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) ty: Ty,
    pub(super) nullable: bool,
    pub(super) fill: Fill,
    pub(super) collate: bool,
    pub(super) storage: Option<usize>,
    pub(super) comment: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ty {
    pub(super) base: Base,
    pub(super) array: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// In [`super::types::TYPES`].
    Builtin(usize),
    Enum(Id),
    Domain(Id),
    Composite(Id),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    Nothing,
    Default(usize),
    /// The next of a sequence.
    Next(Id),
    /// What a function gives.
    Call(Id),
    Identity {
        always: bool,
        start: Option<usize>,
    },
    /// From a column of the same table.
    Generated(Id, usize),
}

#[derive(Clone, Debug)]
pub(super) struct Constraint {
    pub(super) name: String,
    pub(super) kind: Key,
    pub(super) deferrable: usize,
    pub(super) comment: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Key {
    Primary(Vec<Id>),
    Unique {
        columns: Vec<Id>,
        include: Vec<Id>,
        nulls: bool,
    },
    Foreign {
        columns: Vec<Id>,
        table: Id,
        referenced: Vec<Id>,
        delete: usize,
        update: usize,
    },
    Check(Id, usize),
    /// Uses a function.
    CheckCall(Id, Id),
    Exclude(Id),
}

#[derive(Clone, Debug)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) method: usize,
    pub(super) keys: Vec<Part>,
    pub(super) include: Vec<Id>,
    pub(super) nulls: bool,
    pub(super) fillfactor: Option<usize>,
    pub(super) predicate: Option<(Id, usize)>,
    pub(super) comment: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) column: Id,
    pub(super) expression: bool,
    pub(super) descending: bool,
    pub(super) nulls: Option<bool>,
}

#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) restrictive: bool,
    pub(super) command: usize,
    pub(super) using: Option<(Id, usize)>,
    pub(super) check: Option<(Id, usize)>,
    pub(super) comment: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Trigger {
    pub(super) name: String,
    pub(super) function: Id,
    pub(super) event: usize,
    pub(super) fires: usize,
    /// `update of` this one.
    pub(super) column: Option<Id>,
}

#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) materialized: bool,
    pub(super) source: Source,
    pub(super) filter: Option<(Id, usize)>,
    pub(super) barrier: bool,
    /// Of a materialized one: the name, and which of its columns.
    pub(super) indexes: Vec<(String, Id, bool)>,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Some columns of a table, some under another name.
    Table(Id, Vec<(Id, Option<String>)>),
    /// All of another view.
    View(Id),
}

#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) kind: FunctionKind,
    pub(super) variant: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FunctionKind {
    Trigger,
    /// Of an integer, an integer.
    Number,
    /// How many rows a table has, known to Postgres as needing the table.
    Count(Id),
}

impl Sketch {
    /// A number that nothing has.
    pub(super) fn id(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    pub(super) fn schema(&self, id: Id) -> &str {
        let found = self.schemas.iter().find(|schema| schema.head.id == id);
        found.map_or("public", |schema| &schema.head.name)
    }

    pub(super) fn table(&self, id: Id) -> Option<&Of<Table>> {
        self.tables.iter().find(|table| table.head.id == id)
    }

    pub(super) fn domain(&self, id: Id) -> Option<&Of<Domain>> {
        self.domains.iter().find(|domain| domain.head.id == id)
    }

    pub(super) fn function(&self, id: Id) -> Option<&Of<Function>> {
        self.functions.iter().find(|function| function.head.id == id)
    }
}

impl Table {
    pub(super) fn column(&self, id: Id) -> Option<&Column> {
        self.columns.iter().find(|column| column.id == id)
    }
}
