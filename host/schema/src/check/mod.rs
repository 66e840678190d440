//! Judges migrations before they meet a database that is in use.
//! Never: talks to a database, holds up `migrate`, changes a file but in [`renumber`].
//!
//! Three things are judged: the statements of the files ([`files`]: the linter `squawk` with the
//! rules that make sense for how migrations run here, and rules of our own), the catalog that they
//! lead to ([`catalog`]), and whether migrations of parallel branches go together ([`branches`],
//! [`renumber`]).
//!
//! Two comments before a statement are understood. `-- check: allow RULE because …` silences one
//! rule for that statement, and the reason is not optional; a rule about a catalog is silenced for a
//! table by `-- check: allow RULE on TABLE because …` anywhere in the files ([`unless_allowed`]).
//! `-- hazard: KIND: …`, which generated migrations carry, acknowledges the hazard: the rules about
//! that kind are silent for the statements behind it up to the next blank line.

mod allowed;
mod branches;
mod catalogs;
mod column_types;
mod comments;
mod finding;
#[cfg(test)]
mod folder;
mod footprint;
mod history;
mod linter;
mod merge;
mod not_null;
mod own;
mod parted;
mod renumber;
mod rules;
mod statement;
mod transactions;

use not_null::Checked;

use crate::migrations::{Migration, Transaction};

pub use allowed::unless_allowed;
pub use branches::{Branches, Parallel, branches};
pub use catalogs::catalog;
pub use finding::{At, Finding, Severity};
pub use footprint::{Collision, Footprint, How, Touched};
pub use renumber::{RenumberError, Renumbered, renumber};
pub use rules::{RuleInfo, rules};

/// What there is to say about migration files, in the order of the files and their lines. The files
/// are taken one by one: a table that an earlier file made is taken for one that is in use.
pub fn files<'a>(migrations: impl IntoIterator<Item = &'a Migration>) -> Vec<Finding> {
    let mut checked = Checked::default();
    let one = |one: &Migration| linter::check(&one.file, &one.sql, one.transaction, &mut checked);
    migrations.into_iter().flat_map(one).collect()
}

/// What there is to say about the text of a migration, such as one that is to be written. `file` is
/// what the findings call it.
pub fn sql(file: &str, sql: &str, transaction: Transaction) -> Vec<Finding> {
    linter::check(file, sql, transaction, &mut Checked::default())
}
