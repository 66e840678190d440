//! Partitions attached and detached, parents won and lost.

use super::change::Change;
use super::hazard::HazardKind;
use super::text::{alter_table, lowered};
use super::work::{Class, Key, Work};
use crate::catalog::{Id, PartitionOf, QName, Table};

/// Whatever differs between both catalogs.
pub(super) fn plan(change: &mut Change<'_>, name: &QName, old: &Table, new: &Table) {
    let part = Key::Parent(name.clone());
    if old.partition_of != new.partition_of {
        if let Some(of) = &old.partition_of
            && !change.is_gone(&of.parent)
        {
            let work = Work::new(Class::Table, name, format!("detach {name} from {}", of.parent))
                .part(0, "")
                .up(detach(name, of))
                .down(attach(name, of))
                .takes([part.clone()])
                .gives([Key::Detached(name.clone())])
                .before([Id::Table(of.parent.clone())])
                .down_hazard(HazardKind::BlocksReadsAndWrites, "the partition's rows are read");
            change.push(work);
        }
        if let Some(of) = &new.partition_of {
            let work = Work::new(Class::Table, name, format!("attach {name} to {}", of.parent))
                .part(90, "")
                .up(attach(name, of))
                .down(detach(name, of))
                .gives([part.clone()])
                .after([Id::Table(of.parent.clone())])
                .hazard(HazardKind::MayFail, "rows of the partition may be outside of its bound")
                .hazard(HazardKind::BlocksReadsAndWrites, "the partition's rows are read");
            change.push(work);
        }
    }
    if old.inherits != new.inherits {
        inherits(change, name, &old.inherits, &new.inherits, &part);
    }
}

fn attach(name: &QName, of: &PartitionOf) -> String {
    let bound = lowered(&of.bound);
    format!("alter table {} attach partition {} {bound}", of.parent.sql(), name.sql())
}

pub(super) fn detach(name: &QName, of: &PartitionOf) -> String {
    format!("alter table {} detach partition {}", of.parent.sql(), name.sql())
}

/// The order of parents counts, so that all after the first that differs are lost and won again.
fn inherits(change: &mut Change<'_>, name: &QName, old: &[QName], new: &[QName], part: &Key) {
    let same = old.iter().zip(new).take_while(|(was, is)| was == is).count();
    let clauses = |parents: &[QName], word: &str| -> Vec<String> {
        let parents = parents.iter().skip(same);
        parents.map(|one| alter_table(name, &[format!("{word} {}", one.sql())])).collect()
    };
    let lost = Work::new(Class::Table, name, format!("end inheritance of {name}"))
        .part(0, "")
        .ups(clauses(old, "no inherit"))
        .downs(clauses(old, "inherit"))
        .takes([part.clone()])
        .gives([Key::Detached(name.clone())])
        .before(old.iter().skip(same).cloned().map(Id::Table));
    let won = Work::new(Class::Table, name, format!("inherit in {name}"))
        .part(90, "")
        .ups(clauses(new, "inherit"))
        .downs(clauses(new, "no inherit"))
        .gives([part.clone()])
        .after(new.iter().skip(same).cloned().map(Id::Table));
    change.push(lost);
    change.push(won);
}
