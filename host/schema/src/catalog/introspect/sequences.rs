//! Reads sequences: those of their own, and those behind identity columns.

use std::collections::HashMap;

use serde::Deserialize;

use super::IntrospectError;
use super::reader::{Reader, class, comment, own};
use crate::catalog::{Id, QName, Sequence, SequenceOptions};

const SEQUENCES: &str = concat!(
    "
select c.oid::int8, format('%I.%I', n.nspname, c.relname) as name,
    c.relpersistence = 'u' as unlogged,
    json_build_object(
        'type', format_type(s.seqtypid, null), 'start', s.seqstart, 'increment', s.seqincrement,
        'minimum', s.seqmin, 'maximum', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle
    ) as options,
    owner.deptype = 'i' as is_identity, owner.refobjid::int8 as \"table\",
    owner.refobjsubid as column_number,
    case when owner.refobjid is not null then format('%I.%I', tn.nspname, t.relname) end
        as table_name,
    a.attname as column_name,
    comment.description as comment
from pg_sequence s
join pg_class c on c.oid = s.seqrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_depend owner on owner.classid = 'pg_class'::regclass and owner.objid = c.oid
    and owner.objsubid = 0 and owner.refclassid = 'pg_class'::regclass
    and owner.refobjsubid > 0 and owner.deptype in ('a', 'i')
left join pg_class t on t.oid = owner.refobjid
left join pg_namespace tn on tn.oid = t.relnamespace
left join pg_attribute a on a.attrelid = owner.refobjid and a.attnum = owner.refobjsubid ",
    comment!("pg_class", "c.oid"),
    "
where c.relnamespace = any ({schemas}) and ",
    own!("pg_class", "c.oid")
);

#[derive(Deserialize)]
struct Row {
    oid: i64,
    name: QName,
    unlogged: bool,
    options: SequenceOptions,
    is_identity: Option<bool>,
    table: Option<i64>,
    column_number: Option<i32>,
    table_name: Option<QName>,
    column_name: Option<String>,
    comment: Option<String>,
}

/// The sequences behind identity columns, by table and number of the column.
pub(super) type Identities = HashMap<(i64, i32), SequenceOptions>;

pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Identities, IntrospectError> {
    let mut identities = Identities::new();
    for row in reader.rows::<Row>("sequences", SEQUENCES).await? {
        let Row { oid, name, unlogged, options, comment, .. } = row;
        if row.is_identity == Some(true)
            && let (Some(table), Some(column)) = (row.table, row.column_number)
        {
            identities.insert((table, column), options);
            continue;
        }
        reader.know(class::RELATION, oid, Id::Sequence(name.clone()));
        let owned_by = row.table_name.zip(row.column_name);
        let sequence = Sequence { options, owned_by, unlogged, comment };
        reader.catalog.sequences.insert(name, sequence);
    }
    Ok(identities)
}
