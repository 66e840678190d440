//! Reads what depends on what.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use super::IntrospectError;
use super::reader::{Address, Reader, class};
use crate::catalog::Id;

/// Between objects that users made: the system's have lower numbers, but for the schema `public`.
/// (PostgreSQL documentation, `pg_depend`; the numbers are those of `access/transam.h`.)
const DEPENDENCIES: &str = "
select d.classid::int8 as class, d.objid::int8 as object, d.objsubid as part,
    d.refclassid::int8 as needed_class, d.refobjid::int8 as needed_object,
    d.refobjsubid as needed_part, d.deptype::text as kind
from pg_depend d
where d.objid >= 16384 and (d.refobjid >= 16384 or d.refclassid = 'pg_namespace'::regclass)
    and d.deptype in ('n', 'a', 'i', 'e', 'P', 'S')";

/// How far an object may be from what the model knows: an array of a table's row type is two.
const FAR: usize = 5;

#[derive(Deserialize)]
struct Row {
    class: i64,
    object: i64,
    part: i32,
    needed_class: i64,
    needed_object: i64,
    needed_part: i32,
    kind: String,
}

impl Row {
    fn dependent(&self) -> Address {
        (self.class, self.object, self.part)
    }

    fn needed(&self) -> Address {
        (self.needed_class, self.needed_object, self.needed_part)
    }
}

type Needs = BTreeMap<Id, BTreeSet<Id>>;

pub(super) async fn read(reader: &mut Reader<'_>) -> Result<Needs, IntrospectError> {
    let rows: Vec<Row> = reader.rows("dependencies", DEPENDENCIES).await?;
    let mut owners = HashMap::new();
    for row in &rows {
        if row.kind == "e" {
            if let Some(id) = reader.ids.get(&row.needed()).cloned() {
                reader.ids.insert(row.dependent(), id);
            }
        } else if row.kind == "i" && !row.is_copy() {
            owners.insert((row.class, row.object), row.needed());
        }
    }
    let known = Known { ids: &reader.ids, owners: &owners };
    let mut needs = Needs::new();
    for row in rows.iter().filter(|row| row.kind != "e" && !row.is_ownership(&reader.ids)) {
        let (Some(id), Some(needed)) = (known.find(row.dependent()), known.find(row.needed()))
        else {
            continue;
        };
        let is_extension = matches!(id, Id::Extension(_)) && !matches!(needed, Id::Schema(_));
        if id != needed && !is_extension {
            needs.entry(id.clone()).or_default().insert(needed.clone());
        }
    }
    Ok(needs)
}

impl Row {
    /// The constraints that Postgres adds to a foreign key for each partition of the table it
    /// refers to. A partition may go without the foreign key.
    fn is_copy(&self) -> bool {
        self.class == class::CONSTRAINT && self.needed_class == class::CONSTRAINT
    }

    /// A sequence goes with the column it is owned by, but is made before it.
    fn is_ownership(&self, ids: &HashMap<Address, Id>) -> bool {
        self.kind == "a" && matches!(ids.get(&self.dependent()), Some(Id::Sequence(_)))
    }
}

/// Which of the model's objects an address belongs to.
struct Known<'a> {
    ids: &'a HashMap<Address, Id>,
    /// What is part of something else: types of rows and arrays, rules of views, indexes of
    /// constraints, sequences of identity columns, members of extensions.
    owners: &'a HashMap<(i64, i64), Address>,
}

impl<'a> Known<'a> {
    fn find(&self, address: Address) -> Option<&'a Id> {
        let mut address = address;
        for _ in 0..FAR {
            let (catalog, oid, part) = address;
            let whole = (catalog, oid, 0);
            let exact = self.ids.get(&address);
            // A column of a view or a composite type is its owner; one of a table that is not
            // known is none of ours.
            let found = exact.or_else(|| self.ids.get(&whole));
            if found.is_some() {
                return found;
            }
            debug_assert!(part == 0 || catalog == class::RELATION);
            address = *self.owners.get(&(catalog, oid))?;
        }
        None
    }
}
