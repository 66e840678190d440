//! New things of a sketch, made at random from what is there.

use super::dice::Dice;
use super::sketch::{
    Base, Column, Constraint, Domain, Fill, Function, FunctionKind, Head, Id, Index, Key, Of, Part,
    Policy, Sequence, Shape, Sketch, Source, Table, Trigger, Ty, View,
};
use super::types::TYPES;
use super::valid::tidy;

/// A schema to begin with.
pub(super) fn sketch(dice: &mut Dice) -> Sketch {
    let mut sketch = Sketch::default();
    let public = Head { id: 0, name: "public".into(), schema: 0, comment: None };
    sketch.schemas.push(Of { head: public, it: () });
    for _ in 0..dice.below(3) {
        schema(&mut sketch, dice);
    }
    for _ in 0..dice.below(3) {
        enumeration(&mut sketch, dice);
        function(&mut sketch, dice);
    }
    for _ in 0..dice.below(2) {
        domain(&mut sketch, dice);
        composite(&mut sketch, dice);
        sequence(&mut sketch, dice);
    }
    for _ in 0..2 + dice.below(3) {
        table(&mut sketch, dice);
    }
    if dice.chance(40) {
        partitioned(&mut sketch, dice);
    }
    for _ in 0..dice.below(4) {
        view(&mut sketch, dice);
        function(&mut sketch, dice);
    }
    tidy(&mut sketch);
    sketch
}

/// A name that nothing had before; now and then one that must be quoted.
pub(super) fn name(sketch: &mut Sketch, dice: &mut Dice, base: &str) -> String {
    let id = sketch.id();
    match dice.below(24) {
        0 => format!("{base} \"{id}\""),
        1 => format!("Größe'{id}"),
        2 => format!("{}{id}", base.to_uppercase()),
        3 => format!("a_rather_long_name_that_goes_on_for_quite_a_while_{base}_{id}"),
        _ => format!("{base}{id}"),
    }
}

pub(super) fn head(sketch: &mut Sketch, dice: &mut Dice, base: &str) -> Head {
    let schema = dice.pick(&sketch.schemas).map_or(0, |schema| schema.head.id);
    let schema = if dice.chance(60) { 0 } else { schema };
    let (name, comment) = (name(sketch, dice, base), dice.maybe(15));
    Head { id: sketch.id(), name, schema, comment }
}

pub(super) fn schema(sketch: &mut Sketch, dice: &mut Dice) {
    let head = Head { schema: 0, ..head(sketch, dice, "area") };
    sketch.schemas.push(Of { head, it: () });
}

pub(super) fn enumeration(sketch: &mut Sketch, dice: &mut Dice) {
    let head = head(sketch, dice, "mood");
    let count = 2 + dice.below(4);
    let it = (0..count).map(|_| (sketch.id(), name(sketch, dice, "is"))).collect();
    sketch.enums.push(Of { head, it });
}

pub(super) fn domain(sketch: &mut Sketch, dice: &mut Dice) {
    let head = head(sketch, dice, "kind");
    let mut checks = Vec::new();
    for _ in 0..dice.below(3) {
        checks.push((name(sketch, dice, "fits"), dice.below(1000)));
    }
    let (base, default) = (dice.below(TYPES.len()), dice.maybe(30));
    sketch
        .domains
        .push(Of { head, it: Domain { base, not_null: dice.chance(15), default, checks } });
}

pub(super) fn composite(sketch: &mut Sketch, dice: &mut Dice) {
    let head = head(sketch, dice, "pair");
    let count = 1 + dice.below(3);
    let it = (0..count)
        .map(|_| (sketch.id(), name(sketch, dice, "part"), dice.below(TYPES.len())))
        .collect();
    sketch.composites.push(Of { head, it });
}

pub(super) fn sequence(sketch: &mut Sketch, dice: &mut Dice) {
    let mut head = head(sketch, dice, "counter");
    let owner = dice.pick(&sketch.tables).filter(|_| dice_half(head.id)).and_then(|table| {
        let column = table.it.columns.first()?;
        Some((table.head.id, column.id, table.head.schema))
    });
    if let Some((_, _, schema)) = owner {
        head.schema = schema;
    }
    let it = Sequence {
        increment: dice.maybe(30),
        start: dice.maybe(30),
        cache: dice.maybe(30),
        cycle: dice.chance(20),
        owner: owner.map(|(table, column, _)| (table, column)),
    };
    sketch.sequences.push(Of { head, it });
}

fn dice_half(id: Id) -> bool {
    id.is_multiple_of(2)
}

pub(super) fn ty(sketch: &Sketch, dice: &mut Dice) -> Ty {
    let own = match dice.below(10) {
        0 | 1 => dice.pick(&sketch.enums).map(|one| Base::Enum(one.head.id)),
        2 => dice.pick(&sketch.domains).map(|one| Base::Domain(one.head.id)),
        3 => dice.pick(&sketch.composites).map(|one| Base::Composite(one.head.id)),
        4..6 => Some(Base::Builtin(dice.below(3))),
        _ => None,
    };
    let base = own.unwrap_or_else(|| Base::Builtin(dice.below(TYPES.len())));
    let array = !matches!(base, Base::Composite(_)) && dice.chance(10);
    Ty { base, array }
}

pub(super) fn fill(sketch: &Sketch, dice: &mut Dice, columns: &[Column]) -> Fill {
    match dice.below(20) {
        0..6 => Fill::Default(dice.below(1000)),
        6 => dice.pick(&sketch.sequences).map_or(Fill::Nothing, |one| Fill::Next(one.head.id)),
        7 => dice.pick(&sketch.functions).map_or(Fill::Nothing, |one| Fill::Call(one.head.id)),
        8 | 9 => Fill::Identity { always: dice.chance(50), start: dice.maybe(40) },
        10 | 11 => dice
            .pick(columns)
            .map_or(Fill::Nothing, |one| Fill::Generated(one.id, dice.below(1000))),
        _ => Fill::Nothing,
    }
}

pub(super) fn column(sketch: &mut Sketch, dice: &mut Dice, columns: &[Column]) -> Column {
    let (id, name) = (sketch.id(), name(sketch, dice, "c"));
    Column {
        id,
        name,
        ty: ty(sketch, dice),
        nullable: dice.chance(50),
        fill: fill(sketch, dice, columns),
        collate: dice.chance(10),
        storage: dice.maybe(8),
        comment: dice.maybe(12),
    }
}

pub(super) fn table(sketch: &mut Sketch, dice: &mut Dice) {
    let head = head(sketch, dice, "t");
    let id = head.id;
    let mut columns = Vec::new();
    let first = Column {
        nullable: false,
        ty: Ty { base: Base::Builtin(dice.below(4)), array: false },
        fill: Fill::Nothing,
        ..column(sketch, dice, &[])
    };
    let primary = dice.chance(85).then(|| vec![first.id]);
    columns.push(first);
    for _ in 0..=dice.below(6) {
        let new = column(sketch, dice, &columns);
        columns.push(new);
    }
    let mut it = Table {
        shape: Shape::Plain,
        unlogged: dice.chance(10),
        columns,
        constraints: Vec::new(),
        indexes: Vec::new(),
        policies: Vec::new(),
        triggers: Vec::new(),
        row_security: dice.chance(15),
        force: dice.chance(8),
        fillfactor: dice.maybe(12),
    };
    if let Some(columns) = primary {
        let name = name(sketch, dice, "key");
        let kind = Key::Primary(columns);
        it.constraints.push(Constraint { name, kind, deferrable: 0, comment: None });
    }
    sketch.tables.push(Of { head, it });
    for _ in 0..dice.below(4) {
        constraint(sketch, dice, id);
        index(sketch, dice, id);
    }
    if dice.chance(30) {
        policy(sketch, dice, id);
        trigger(sketch, dice, id);
    }
}

/// A table by ranges, with some partitions.
pub(super) fn partitioned(sketch: &mut Sketch, dice: &mut Dice) {
    table(sketch, dice);
    let Some(table) = sketch.tables.last_mut() else { return };
    let Some(first) = table.it.columns.first_mut() else { return };
    first.ty = Ty { base: Base::Builtin(dice.below(2)), array: false };
    table.it.shape = Shape::Partitioned(first.id);
    let parent = table.head.id;
    partition(sketch, dice, parent, Some(0));
    for number in 1..=dice.below(3) {
        partition(sketch, dice, parent, Some(number));
    }
    if dice.chance(40) {
        partition(sketch, dice, parent, None);
    }
}

pub(super) fn partition(sketch: &mut Sketch, dice: &mut Dice, parent: Id, number: Option<usize>) {
    let head = head(sketch, dice, "slice");
    let it = Table {
        shape: Shape::Partition(parent, number),
        unlogged: false,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        policies: Vec::new(),
        triggers: Vec::new(),
        row_security: false,
        force: false,
        fillfactor: None,
    };
    sketch.tables.push(Of { head, it });
}

/// One or two columns of a table.
fn some(dice: &mut Dice, columns: &[Column]) -> Vec<Id> {
    let count = 1 + usize::from(dice.chance(30));
    (0..count).filter_map(|_| dice.pick(columns).map(|column| column.id)).collect()
}

pub(super) fn constraint(sketch: &mut Sketch, dice: &mut Dice, of: Id) {
    let Some(columns) = sketch.table(of).map(|table| table.it.columns.clone()) else { return };
    let Some(one) = dice.pick(&columns).map(|column| column.id) else { return };
    let kind = match dice.below(12) {
        0 => Key::Primary(some(dice, &columns)),
        1..3 => Key::Unique {
            columns: some(dice, &columns),
            include: if dice.chance(15) { some(dice, &columns) } else { Vec::new() },
            nulls: dice.chance(20),
        },
        3..7 => match foreign(sketch, dice, &columns) {
            Some(kind) => kind,
            None => return,
        },
        7 => Key::Exclude(one),
        8 => match dice.pick(&sketch.functions) {
            Some(function) => Key::CheckCall(one, function.head.id),
            None => return,
        },
        _ => Key::Check(one, dice.below(1000)),
    };
    let deferrable = if dice.chance(15) { 1 + dice.below(2) } else { 0 };
    let new =
        Constraint { name: name(sketch, dice, "rule"), kind, deferrable, comment: dice.maybe(10) };
    if let Some(table) = sketch.tables.iter_mut().find(|table| table.head.id == of) {
        table.it.constraints.push(new);
    }
}

/// To a key of one column, from a column of its type, which becomes nullable at times.
fn foreign(sketch: &Sketch, dice: &mut Dice, columns: &[Column]) -> Option<Key> {
    let to = dice.pick(&sketch.tables)?;
    let keys: Vec<&Vec<Id>> = to
        .it
        .constraints
        .iter()
        .filter_map(|one| match &one.kind {
            Key::Primary(columns) | Key::Unique { columns, .. } => Some(columns),
            _ => None,
        })
        .collect();
    let referenced = (*dice.pick(&keys)?).clone();
    let here = referenced.iter().map(|id| {
        let wanted = to.it.column(*id)?.ty;
        let fitting: Vec<&Column> = columns.iter().filter(|one| one.ty == wanted).collect();
        dice.pick(&fitting).map(|column| column.id)
    });
    let columns = here.collect::<Option<Vec<Id>>>()?;
    let (delete, update) = (dice.below(20), dice.below(20));
    Some(Key::Foreign { columns, table: to.head.id, referenced, delete, update })
}

pub(super) fn index(sketch: &mut Sketch, dice: &mut Dice, of: Id) {
    let Some(columns) = sketch.table(of).map(|table| table.it.columns.clone()) else { return };
    let keys = some(dice, &columns);
    let keys = keys.into_iter().map(|column| Part {
        column,
        expression: dice.chance(25),
        descending: dice.chance(20),
        nulls: dice.chance(20).then(|| dice.chance(50)),
    });
    let keys = keys.collect();
    let new = Index {
        name: name(sketch, dice, "by"),
        unique: dice.chance(25),
        method: if dice.chance(70) { 0 } else { dice.below(4) },
        keys,
        include: if dice.chance(15) { some(dice, &columns) } else { Vec::new() },
        nulls: dice.chance(30),
        fillfactor: dice.maybe(12),
        predicate: dice.pick(&columns).map(|column| column.id).zip(dice.maybe(20)),
        comment: dice.maybe(10),
    };
    if let Some(table) = sketch.tables.iter_mut().find(|table| table.head.id == of) {
        table.it.indexes.push(new);
    }
}

pub(super) fn policy(sketch: &mut Sketch, dice: &mut Dice, of: Id) {
    let name = name(sketch, dice, "may");
    let Some(table) = sketch.tables.iter_mut().find(|table| table.head.id == of) else { return };
    let mut on =
        |percent| dice.pick(&table.it.columns).map(|column| column.id).zip(dice.maybe(percent));
    let (using, check) = (on(80), on(50));
    table.it.policies.push(Policy {
        name,
        restrictive: dice.chance(30),
        command: dice.below(10),
        using,
        check,
        comment: dice.maybe(15),
    });
}

pub(super) fn trigger(sketch: &mut Sketch, dice: &mut Dice, of: Id) {
    let name = name(sketch, dice, "when");
    let functions: Vec<Id> = sketch
        .functions
        .iter()
        .filter(|function| function.it.kind == FunctionKind::Trigger)
        .map(|function| function.head.id)
        .collect();
    let Some(function) = dice.pick(&functions).copied() else { return };
    let Some(table) = sketch.tables.iter_mut().find(|table| table.head.id == of) else { return };
    let column = dice.pick(&table.it.columns).map(|column| column.id);
    let column = column.filter(|_| dice.chance(40));
    table.it.triggers.push(Trigger {
        name,
        function,
        event: dice.below(4),
        fires: dice.below(9),
        column,
    });
}

pub(super) fn view(sketch: &mut Sketch, dice: &mut Dice) {
    let head = head(sketch, dice, "seen");
    let over =
        dice.pick(&sketch.views).map(|view| view.head.id).filter(|_| head.id.is_multiple_of(4));
    let source = if let Some(view) = over {
        Source::View(view)
    } else {
        let Some(table) = dice.pick(&sketch.tables) else { return };
        let (id, columns) = (table.head.id, table.it.columns.clone());
        let mut chosen = Vec::new();
        for column in &columns {
            if dice.chance(60) {
                let alias = dice.chance(50).then(|| name(sketch, dice, "x"));
                chosen.push((column.id, alias));
            }
        }
        Source::Table(id, chosen)
    };
    let materialized = dice.chance(35);
    let (mut filter, mut indexes) = (None, Vec::new());
    if let Source::Table(_, chosen) = &source {
        let columns: Vec<Id> = chosen.iter().map(|(id, _)| *id).collect();
        filter = dice.pick(&columns).copied().zip(dice.maybe(40));
        if let (true, Some(id)) = (dice.chance(50), dice.pick(&columns).copied()) {
            indexes.push((name(sketch, dice, "seen_by"), id, false));
        }
    }
    let it = View { materialized, source, filter, barrier: dice.chance(20), indexes };
    sketch.views.push(Of { head, it });
}

pub(super) fn function(sketch: &mut Sketch, dice: &mut Dice) {
    let head = head(sketch, dice, "f");
    let head = Head { comment: None, ..head };
    let tables: Vec<Id> = sketch.tables.iter().map(|table| table.head.id).collect();
    let kind = match (dice.below(3), dice.pick(&tables)) {
        (0, _) => FunctionKind::Trigger,
        (1, Some(table)) => FunctionKind::Count(*table),
        _ => FunctionKind::Number,
    };
    sketch.functions.push(Of { head, it: Function { kind, variant: dice.below(1000) } });
}
