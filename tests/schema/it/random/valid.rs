//! Takes out of a sketch what an edit left without meaning: what refers to something that is gone,
//! or to something that is no longer of the right kind.

use super::sketch::{
    Base, Column, Constraint, Fill, FunctionKind, Id, Index, Key, Of, Shape, Sketch, Source, Table,
    Ty,
};
use super::types::{BIGINT, Family, TEXT};

/// Until nothing is left to take out.
pub(super) fn tidy(sketch: &mut Sketch) {
    loop {
        let before = format!("{sketch:?}");
        round(sketch);
        if format!("{sketch:?}") == before {
            return;
        }
    }
}

fn round(sketch: &mut Sketch) {
    homes(sketch);
    let known = sketch.clone();
    sketch.tables.retain(|table| match table.it.shape {
        Shape::Partition(parent, _) => known
            .table(parent)
            .is_some_and(|parent| matches!(parent.it.shape, Shape::Partitioned(_))),
        _ => true,
    });
    for table in &mut sketch.tables {
        columns(&known, table);
    }
    let known = sketch.clone();
    for table in &mut sketch.tables {
        shape(&known, table);
        parts(&known, table);
    }
    let known = sketch.clone();
    views(&known, sketch);
    sketch.functions.retain(|function| match function.it.kind {
        FunctionKind::Count(table) => known.table(table).is_some(),
        _ => true,
    });
    for sequence in &mut sketch.sequences {
        let home = sequence.head.schema;
        sequence.it.owner = sequence.it.owner.filter(|(table, column)| {
            known.table(*table).is_some_and(|table| {
                let column = table.it.column(*column);
                let free = column.is_some_and(|one| !matches!(one.fill, Fill::Identity { .. }));
                table.head.schema == home && table.it.shape == Shape::Plain && free
            })
        });
    }
}

/// What was in a schema that is gone is in `public`.
fn homes(sketch: &mut Sketch) {
    let ids: Vec<Id> = sketch.schemas.iter().map(|schema| schema.head.id).collect();
    let heads = (sketch.enums.iter_mut().map(|one| &mut one.head))
        .chain(sketch.domains.iter_mut().map(|one| &mut one.head))
        .chain(sketch.composites.iter_mut().map(|one| &mut one.head))
        .chain(sketch.sequences.iter_mut().map(|one| &mut one.head))
        .chain(sketch.tables.iter_mut().map(|one| &mut one.head))
        .chain(sketch.views.iter_mut().map(|one| &mut one.head))
        .chain(sketch.functions.iter_mut().map(|one| &mut one.head));
    for head in heads {
        if !ids.contains(&head.schema) {
            head.schema = 0;
        }
    }
}

fn is_plain(column: &Column, sketch: &Sketch) -> bool {
    matches!(column.ty, Ty { base: Base::Builtin(_), array: false })
        && sketch.family(column.ty) == Family::Whole
}

fn columns(known: &Sketch, table: &mut Of<Table>) {
    let sources = table.it.columns.clone();
    for column in &mut table.it.columns {
        let there = match column.ty.base {
            Base::Builtin(_) => true,
            Base::Enum(id) => known.enums.iter().any(|one| one.head.id == id),
            Base::Domain(id) => known.domain(id).is_some(),
            Base::Composite(id) => known.composites.iter().any(|one| one.head.id == id),
        };
        if !there {
            column.ty = Ty { base: Base::Builtin(TEXT), array: false };
            column.fill = Fill::Nothing;
        }
        let whole = is_plain(column, known);
        let fits = match column.fill {
            Fill::Nothing => true,
            Fill::Default(number) => known.default_of(column.ty, number).is_some(),
            Fill::Next(id) => whole && known.sequences.iter().any(|one| one.head.id == id),
            Fill::Call(id) => {
                let function = known.function(id);
                whole && function.is_some_and(|one| one.it.kind == FunctionKind::Number)
            }
            Fill::Identity { .. } => whole && !column.nullable && table.it.shape == Shape::Plain,
            Fill::Generated(id, _) => {
                let source = sources.iter().find(|source| source.id == id);
                let source = source.filter(|source| !matches!(source.fill, Fill::Generated(..)));
                if let Some(source) = source {
                    let whole = known.family(source.ty) == Family::Whole;
                    let base = Base::Builtin(if whole { BIGINT } else { TEXT });
                    column.ty = Ty { base, array: false };
                }
                source.is_some_and(|source| {
                    matches!(known.family(source.ty), Family::Whole | Family::Text)
                })
            }
        };
        if !fits {
            column.fill = Fill::Nothing;
        }
    }
}

fn shape(known: &Sketch, table: &mut Of<Table>) {
    if let Shape::Partitioned(id) = table.it.shape {
        let key = table.it.column(id);
        let fits = key.is_some_and(|column| {
            is_plain(column, known)
                && !column.nullable
                && !matches!(column.fill, Fill::Generated(..))
        });
        if !fits {
            table.it.shape = Shape::Plain;
        }
    }
    if let Shape::Partition(..) = table.it.shape {
        table.it.columns.clear();
    }
    if table.it.shape != Shape::Plain {
        table.it.unlogged = false;
        table.it.fillfactor = None;
    }
}

fn parts(known: &Sketch, table: &mut Of<Table>) {
    let now = table.clone();
    let mut primary = false;
    table.it.constraints.retain_mut(|constraint| {
        let is_primary = matches!(constraint.kind, Key::Primary(_));
        let fits = demand(known, &now, constraint) && !(is_primary && primary);
        primary |= is_primary && fits;
        fits
    });
    table.it.indexes.retain_mut(|index| index_fits(known, &now, index));
    let there = |on: Option<(Id, usize)>| on.is_none_or(|(id, _)| now.it.column(id).is_some());
    table.it.policies.retain(|policy| there(policy.using) && there(policy.check));
    table.it.triggers.retain(|trigger| {
        let function = known.function(trigger.function);
        let column = trigger.column.is_none_or(|id| now.it.column(id).is_some());
        column && function.is_some_and(|one| one.it.kind == FunctionKind::Trigger)
    });
}

/// Whether the columns are there, are different, have an order, and contain what a partitioned
/// table's keys must.
fn is_key(known: &Sketch, table: &Of<Table>, columns: &[Id]) -> bool {
    let one = |(place, id): (usize, &Id)| {
        let column = table.it.column(*id);
        !columns[..place].contains(id) && column.is_some_and(|column| known.ordered(column.ty))
    };
    let partition = match table.it.shape {
        Shape::Partitioned(id) => columns.contains(&id),
        _ => true,
    };
    !columns.is_empty() && partition && columns.iter().enumerate().all(one)
}

fn demand(known: &Sketch, table: &Of<Table>, constraint: &mut Constraint) -> bool {
    let column = |id: Id| table.it.column(id);
    match &mut constraint.kind {
        Key::Primary(columns) => {
            let filled = |id: &Id| column(*id).is_some_and(|column| !column.nullable);
            is_key(known, table, columns) && columns.iter().all(filled)
        }
        Key::Unique { columns, include, .. } => {
            include.retain(|id| column(*id).is_some() && !columns.contains(id));
            include.dedup();
            is_key(known, table, columns)
        }
        Key::Exclude(id) => {
            table.it.shape == Shape::Plain && is_key(known, table, std::slice::from_ref(id))
        }
        Key::Check(id, _) => column(*id).is_some(),
        Key::CheckCall(id, function) => {
            let function = known.function(*function);
            column(*id).is_some_and(|column| is_plain(column, known))
                && function.is_some_and(|one| one.it.kind == FunctionKind::Number)
        }
        Key::Foreign { columns, table: to, referenced, .. } => {
            let Some(to) = known.table(*to) else { return false };
            let same = columns.len() == referenced.len()
                && columns.iter().zip(referenced.iter()).all(|(here, there)| {
                    let (here, there) = (column(*here), to.it.column(*there));
                    here.zip(there).is_some_and(|(here, there)| {
                        here.ty == there.ty && !matches!(here.fill, Fill::Generated(..))
                    })
                });
            let key = to.it.constraints.iter().any(|one| match &one.kind {
                Key::Primary(key) => one.deferrable == 0 && key == referenced,
                Key::Unique { columns, .. } => one.deferrable == 0 && columns == referenced,
                _ => false,
            });
            let lasting = table.it.unlogged || !to.it.unlogged;
            same && key && lasting && to.it.shape == Shape::Plain
        }
    }
}

fn index_fits(known: &Sketch, table: &Of<Table>, index: &mut Index) -> bool {
    let ty = |id: Id| table.it.column(id).map(|column| column.ty);
    let builtin = |ty: Ty| matches!(ty, Ty { base: Base::Builtin(_), array: false });
    let simple = |ty: Ty| builtin(ty) && known.family(ty) != Family::Other;
    index.include.retain(|id| {
        ty(*id).is_some() && index.keys.iter().all(|key| key.column != *id) && index.method == 0
    });
    index.include.dedup();
    index.unique &= index.method == 0;
    index.nulls &= index.unique;
    if index.predicate.is_some_and(|(id, _)| ty(id).is_none()) {
        return false;
    }
    if index.method > 0 {
        index.keys.truncate(1);
    }
    if let (true, Shape::Partitioned(id)) = (index.unique, table.it.shape) {
        index.unique = index.keys.iter().any(|key| key.column == id);
        index.unique &= index.keys.iter().all(|key| !key.expression);
        index.nulls &= index.unique;
    }
    let columns: Vec<Id> = index.keys.iter().map(|key| key.column).collect();
    let different = columns.iter().enumerate().all(|(at, id)| !columns[..at].contains(id));
    let fits = |id: &Id| {
        ty(*id).is_some_and(|ty| match index.method {
            0 => known.ordered(ty),
            3 => ty.array && matches!(ty.base, Base::Builtin(_)) && known.ordered(ty),
            _ => simple(ty),
        })
    };
    !columns.is_empty() && different && columns.iter().all(fits)
}

fn views(known: &Sketch, sketch: &mut Sketch) {
    sketch.views.retain_mut(|view| match &mut view.it.source {
        Source::View(id) => {
            view.it.indexes.clear();
            view.it.filter = None;
            *id < view.head.id && known.views.iter().any(|one| one.head.id == *id)
        }
        Source::Table(id, chosen) => {
            let Some(table) = known.table(*id) else { return false };
            let column = |id: Id| table.it.column(id);
            chosen.retain(|(id, _)| column(*id).is_some());
            view.it.filter = view.it.filter.filter(|(id, _)| column(*id).is_some());
            view.it.indexes.retain(|(_, id, _)| {
                let ordered = column(*id).is_some_and(|column| known.ordered(column.ty));
                ordered && chosen.iter().any(|(one, _)| one == id)
            });
            !chosen.is_empty()
        }
    });
}
