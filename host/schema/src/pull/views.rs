//! Views and materialized views.

use avenire_definitions as language;
use avenire_definitions::Item;

use super::Pulling;
use super::read::{data_type, object_name};
use super::tables::{indexes, triggers};
use crate::catalog::{self, Id, QName};

pub(super) fn pull(pulling: &mut Pulling<'_>) {
    for (name, found) in &pulling.introspected.catalog.views {
        let view = view(name, found, pulling);
        pulling.put(&Id::View(name.clone()), Item::View(view));
    }
}

/// Any column of a view may be null, as far as Postgres tells.
fn view(name: &QName, found: &catalog::View, pulling: &mut Pulling<'_>) -> language::View {
    let catalog = &pulling.introspected.catalog;
    let columns = found.columns.iter().map(|(name, printed)| {
        let mut column = language::Column::new(name.as_str(), data_type(printed, catalog));
        column.nullable = true;
        column
    });
    language::View {
        name: object_name(name),
        row: pulling.names.row(name).map(Into::into),
        materialized: found.materialized,
        query: found.definition.clone(),
        columns: columns.collect(),
        options: found.options.clone().into_iter().collect(),
        indexes: indexes(name, &found.indexes, pulling),
        triggers: triggers(&found.triggers),
        comment: found.comment.clone(),
        ..Default::default()
    }
}
