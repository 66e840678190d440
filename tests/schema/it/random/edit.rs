//! Random edits of a sketch: something is added, dropped, changed, renamed or moved.

use super::dice::Dice;
use super::make;
use super::sketch::{Column, Fill, Head, Id, Key, Of, Shape, Sketch, Source, Table};
use super::types::TYPES;
use super::valid::tidy;

/// Some edits of some of everything.
pub(super) fn edit(sketch: &mut Sketch, dice: &mut Dice) {
    for _ in 0..=dice.below(6) {
        match dice.below(20) {
            0..2 => add(sketch, dice),
            2 => drop_one(sketch, dice),
            3 => rename(sketch, dice),
            4..6 => types(sketch, dice),
            6 => others(sketch, dice),
            _ => table(sketch, dice),
        }
        tidy(sketch);
    }
}

fn add(sketch: &mut Sketch, dice: &mut Dice) {
    match dice.below(10) {
        0 => make::schema(sketch, dice),
        1 => make::enumeration(sketch, dice),
        2 => make::domain(sketch, dice),
        3 => make::composite(sketch, dice),
        4 => make::sequence(sketch, dice),
        5 => make::function(sketch, dice),
        6 => make::view(sketch, dice),
        7 => make::partitioned(sketch, dice),
        _ => make::table(sketch, dice),
    }
}

fn take<T>(list: &mut Vec<T>, dice: &mut Dice) {
    if let Some(place) = dice.place(list) {
        list.remove(place);
    }
}

fn drop_one(sketch: &mut Sketch, dice: &mut Dice) {
    match dice.below(8) {
        0 if sketch.schemas.len() > 1 => {
            let place = 1 + dice.below(sketch.schemas.len() - 1);
            sketch.schemas.remove(place);
        }
        1 => take(&mut sketch.enums, dice),
        2 => take(&mut sketch.domains, dice),
        3 => take(&mut sketch.composites, dice),
        4 => take(&mut sketch.sequences, dice),
        5 => take(&mut sketch.functions, dice),
        6 => take(&mut sketch.views, dice),
        _ => take(&mut sketch.tables, dice),
    }
}

/// A new name, another schema, or another comment.
fn rename(sketch: &mut Sketch, dice: &mut Dice) {
    let heads = |sketch: &Sketch| -> Vec<Id> {
        let schemas = sketch.schemas.iter().skip(1).map(|one| one.head.id);
        schemas
            .chain(sketch.enums.iter().map(|one| one.head.id))
            .chain(sketch.domains.iter().map(|one| one.head.id))
            .chain(sketch.composites.iter().map(|one| one.head.id))
            .chain(sketch.sequences.iter().map(|one| one.head.id))
            .chain(sketch.tables.iter().map(|one| one.head.id))
            .chain(sketch.views.iter().map(|one| one.head.id))
            .collect()
    };
    let Some(id) = dice.pick(&heads(sketch)).copied() else { return };
    let Head { name, schema, comment, .. } = make::head(sketch, dice, "new");
    let Some(head) = head_mut(sketch, id) else { return };
    match dice.below(4) {
        0 => head.comment = comment,
        1 => head.schema = schema,
        _ => head.name = name,
    }
}

fn head_mut(sketch: &mut Sketch, id: Id) -> Option<&mut Head> {
    let schemas = sketch.schemas.iter_mut().map(|one| &mut one.head);
    schemas
        .chain(sketch.enums.iter_mut().map(|one| &mut one.head))
        .chain(sketch.domains.iter_mut().map(|one| &mut one.head))
        .chain(sketch.composites.iter_mut().map(|one| &mut one.head))
        .chain(sketch.sequences.iter_mut().map(|one| &mut one.head))
        .chain(sketch.tables.iter_mut().map(|one| &mut one.head))
        .chain(sketch.views.iter_mut().map(|one| &mut one.head))
        .find(|head| head.id == id)
}

fn types(sketch: &mut Sketch, dice: &mut Dice) {
    let word = make::name(sketch, dice, "be");
    let id = sketch.id();
    match dice.below(3) {
        0 => {
            let Some(place) = dice.place(&sketch.enums) else { return };
            let values = &mut sketch.enums[place].it;
            let at = dice.below(values.len());
            match dice.below(5) {
                0 | 1 => values.insert(at, (id, word)),
                2 => values.push((id, word)),
                3 if values.len() > 1 => {
                    values.remove(at);
                }
                4 => values.reverse(),
                _ => values[at].1 = word,
            }
        }
        1 => {
            let Some(place) = dice.place(&sketch.domains) else { return };
            let domain = &mut sketch.domains[place].it;
            match dice.below(5) {
                0 => domain.not_null = !domain.not_null,
                1 => domain.default = dice.maybe(60),
                2 => domain.checks.push((word, dice.below(1000))),
                3 => take(&mut domain.checks, dice),
                _ => domain.base = dice.below(TYPES.len()),
            }
        }
        _ => {
            let Some(place) = dice.place(&sketch.composites) else { return };
            let attributes = &mut sketch.composites[place].it;
            let at = dice.below(attributes.len());
            match dice.below(4) {
                0 => attributes.push((id, word, dice.below(TYPES.len()))),
                1 if attributes.len() > 1 => {
                    attributes.remove(at);
                }
                2 => attributes[at].1 = word,
                _ => attributes[at].2 = dice.below(TYPES.len()),
            }
        }
    }
}

fn others(sketch: &mut Sketch, dice: &mut Dice) {
    match dice.below(3) {
        0 => {
            let Some(place) = dice.place(&sketch.sequences) else { return };
            let sequence = &mut sketch.sequences[place].it;
            match dice.below(4) {
                0 => sequence.start = dice.maybe(50),
                1 => sequence.increment = dice.maybe(50),
                2 => sequence.cycle = !sequence.cycle,
                _ => sequence.owner = None,
            }
        }
        1 => {
            let Some(place) = dice.place(&sketch.functions) else { return };
            sketch.functions[place].it.variant = dice.below(1000);
        }
        _ => {
            let Some(place) = dice.place(&sketch.views) else { return };
            let view = &mut sketch.views[place].it;
            match (&mut view.source, dice.below(5)) {
                (_, 0) => view.materialized = !view.materialized,
                (_, 1) => view.barrier = !view.barrier,
                (_, 2) => view.filter = None,
                (Source::Table(_, chosen), 3) => take(chosen, dice),
                (Source::Table(_, chosen), _) => chosen.reverse(),
                _ => {}
            }
        }
    }
}

fn table(sketch: &mut Sketch, dice: &mut Dice) {
    let Some(place) = dice.place(&sketch.tables) else { return };
    let id = sketch.tables[place].head.id;
    let columns = sketch.tables[place].it.columns.clone();
    match dice.below(24) {
        0..3 => {
            let new = make::column(sketch, dice, &columns);
            sketch.tables[place].it.columns.push(new);
        }
        3 => take(&mut sketch.tables[place].it.columns, dice),
        4 => sketch.tables[place].it.columns.reverse(),
        5..11 => {
            let Some(at) = dice.place(&columns) else { return };
            let changed = column(sketch, dice, &columns, &columns[at]);
            sketch.tables[place].it.columns[at] = changed;
        }
        11..13 => make::constraint(sketch, dice, id),
        13 => take(&mut sketch.tables[place].it.constraints, dice),
        14 => change_constraint(sketch, dice, place),
        15 => make::index(sketch, dice, id),
        16 => take(&mut sketch.tables[place].it.indexes, dice),
        17 => change_index(sketch, dice, place),
        18 => make::policy(sketch, dice, id),
        19 => take(&mut sketch.tables[place].it.policies, dice),
        20 => make::trigger(sketch, dice, id),
        21 => take(&mut sketch.tables[place].it.triggers, dice),
        22 => flags(&mut sketch.tables[place], dice),
        _ => slices(sketch, dice, id),
    }
}

fn flags(table: &mut Of<Table>, dice: &mut Dice) {
    let it = &mut table.it;
    match dice.below(4) {
        0 => it.row_security = !it.row_security,
        1 => it.force = !it.force,
        2 => it.fillfactor = dice.maybe(50),
        _ => it.unlogged = !it.unlogged,
    }
}

/// One more partition, far from those that are there.
fn slices(sketch: &mut Sketch, dice: &mut Dice, id: Id) {
    let is_parent = |table: &Of<Table>| matches!(table.it.shape, Shape::Partitioned(_));
    if sketch.table(id).is_some_and(is_parent) {
        let number = usize::try_from(sketch.id()).unwrap_or(0) + 10;
        make::partition(sketch, dice, id, Some(number));
    }
}

fn column(sketch: &mut Sketch, dice: &mut Dice, all: &[Column], old: &Column) -> Column {
    let mut new = old.clone();
    match dice.below(9) {
        0..2 => new.name = make::name(sketch, dice, "c"),
        2..4 => new.ty = make::ty(sketch, dice),
        4 => new.nullable = !new.nullable,
        5 => new.fill = make::fill(sketch, dice, all),
        6 => new.collate = !new.collate,
        7 => new.storage = dice.maybe(60),
        _ => new.comment = dice.maybe(60),
    }
    if new.fill == Fill::Generated(new.id, 0) {
        new.fill = Fill::Nothing;
    }
    new
}

fn change_constraint(sketch: &mut Sketch, dice: &mut Dice, place: usize) {
    let name = make::name(sketch, dice, "rule");
    let constraints = &mut sketch.tables[place].it.constraints;
    let Some(at) = dice.place(constraints) else { return };
    let constraint = &mut constraints[at];
    match dice.below(4) {
        0 => constraint.name = name,
        1 => constraint.deferrable = dice.below(3),
        2 => constraint.comment = dice.maybe(60),
        _ => match &mut constraint.kind {
            Key::Check(_, number) => *number = dice.below(1000),
            Key::Foreign { delete, .. } => *delete = dice.below(20),
            Key::Unique { nulls, .. } => *nulls = !*nulls,
            _ => {}
        },
    }
}

fn change_index(sketch: &mut Sketch, dice: &mut Dice, place: usize) {
    let name = make::name(sketch, dice, "by");
    let indexes = &mut sketch.tables[place].it.indexes;
    let Some(at) = dice.place(indexes) else { return };
    let index = &mut indexes[at];
    match dice.below(5) {
        0 => index.name = name,
        1 => index.comment = dice.maybe(60),
        2 => index.fillfactor = dice.maybe(60),
        3 => index.unique = !index.unique,
        _ => index.predicate = None,
    }
}
