//! SQL that makes tables and their parts whole.

use super::change::{column, parents};
use super::text::{alter_table, comment, list, lowered};
use super::type_change::{shape, usual_storage};
use crate::catalog::name::quoted;
use crate::catalog::{
    Catalog, Column, Constraint, ConstraintKind, Identity, Index, Policy, QName, SequenceOptions,
    Table, Trigger,
};

/// `create table` with what goes with it: storage, comments, indexes, row-level security. Not with
/// it: foreign keys and constraints that are not validated, policies, triggers.
pub(super) fn table(catalog: &Catalog, name: &QName, table: &Table) -> Vec<String> {
    let mut sql = vec![create_table(name, table)];
    sql.extend(overrides(catalog, name, table));
    let shown = table.columns.iter().filter(|column| !column.inherited);
    let storage = shown.filter_map(|column| {
        let storage = column.storage.as_ref()?.to_lowercase();
        Some(format!("alter column {} set storage {storage}", quoted(&column.name)))
    });
    let mut clauses: Vec<String> = storage.collect();
    if table.row_security {
        clauses.push("enable row level security".into());
    }
    if table.force_row_security {
        clauses.push("force row level security".into());
    }
    sql.extend(clauses.iter().map(|clause| alter_table(name, std::slice::from_ref(clause))));
    for (index, about) in table.indexes.iter().filter(|(_, about)| !about.inherited) {
        sql.extend(index_with_comment(name, index, about, ""));
    }
    sql.extend(comments(name, table));
    sql
}

fn create_table(name: &QName, table: &Table) -> String {
    let unlogged = if table.unlogged { "unlogged " } else { "" };
    let partition = table.partition_of.as_ref();
    let own = |column: &&Column| !column.inherited;
    let columns = table.columns.iter().filter(own).filter(|_| partition.is_none());
    let mut lines: Vec<String> = columns.map(column_definition).collect();
    let inline = table.constraints.iter().filter(|(_, about)| is_inline(about));
    let mut constraints: Vec<_> = inline.collect();
    constraints.sort_by_key(|(name, about)| (constraint_rank(&about.kind), (*name).clone()));
    lines.extend(constraints.into_iter().map(|(name, about)| {
        format!("constraint {} {}", quoted(name), constraint_definition(about))
    }));
    let body = match (lines.is_empty(), partition) {
        (true, Some(_)) => String::new(),
        (true, None) => " ()".into(),
        (false, _) => format!(" (\n    {}\n)", lines.join(",\n    ")),
    };
    let mut sql = format!("create {unlogged}table {}", name.sql());
    if let Some(of) = partition {
        sql += &format!(" partition of {}{body} {}", of.parent.sql(), lowered(&of.bound));
    } else {
        sql += &body;
    }
    if !table.inherits.is_empty() {
        let parents: Vec<String> = table.inherits.iter().map(QName::sql).collect();
        sql += &format!(" inherits ({})", parents.join(", "));
    }
    if let Some(by) = &table.partition_by {
        sql += &format!(" partition by {}", lowered(by));
    }
    if !table.options.is_empty() {
        sql += &format!(" with ({})", options(&table.options));
    }
    sql
}

/// What `create table` says itself.
pub(super) fn is_inline(constraint: &Constraint) -> bool {
    let foreign = matches!(constraint.kind, ConstraintKind::ForeignKey { .. });
    !foreign && constraint.validated && !constraint.inherited
}

fn constraint_rank(kind: &ConstraintKind) -> u8 {
    match kind {
        ConstraintKind::PrimaryKey { .. } => 0,
        ConstraintKind::Unique { .. } => 1,
        ConstraintKind::Check { .. } => 2,
        ConstraintKind::Exclusion => 3,
        ConstraintKind::ForeignKey { .. } => 4,
    }
}

/// Where columns that come from a parent differ from the parent's.
fn overrides(catalog: &Catalog, name: &QName, table: &Table) -> Vec<String> {
    let mut clauses = Vec::new();
    for own in table.columns.iter().filter(|column| column.inherited) {
        let inherited = parents(table)
            .filter_map(|parent| catalog.tables.get(parent))
            .find_map(|parent| column(parent, &own.name));
        let Some(inherited) = inherited else { continue };
        let key = in_primary_key(table, &own.name);
        clauses.extend(deviations(inherited, own, key));
    }
    clauses.into_iter().map(|clause| alter_table(name, &[clause])).collect()
}

/// The clauses that make a column of a parent this column of a table beneath. A column of a
/// primary key is not null without being told.
pub(super) fn deviations(inherited: &Column, own: &Column, key: bool) -> Vec<String> {
    let alter = format!("alter column {}", quoted(&own.name));
    let mut clauses = Vec::new();
    match &own.default {
        default if *default == inherited.default => {}
        Some(default) => clauses.push(format!("{alter} set default {}", lowered(default))),
        None => clauses.push(format!("{alter} drop default")),
    }
    if own.not_null && !inherited.not_null && !key {
        clauses.push(format!("{alter} set not null"));
    }
    if own.storage != inherited.storage {
        // A partition is born with the storage of its parent.
        let usual = || usual_storage(&own.data_type).to_owned();
        let storage = own.storage.as_deref().map_or_else(usual, str::to_lowercase);
        clauses.push(format!("{alter} set storage {storage}"));
    }
    clauses
}

fn in_primary_key(table: &Table, column: &String) -> bool {
    table.constraints.values().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::PrimaryKey { columns } if columns.contains(column))
    })
}

/// Of the table, its columns and the constraints made with it.
fn comments(name: &QName, table: &Table) -> Vec<String> {
    let mut sql = Vec::new();
    if table.comment.is_some() {
        sql.push(comment(&format!("table {}", name.sql()), table.comment.as_ref()));
    }
    for column in table.columns.iter().filter(|column| column.comment.is_some()) {
        sql.push(column_comment(name, &column.name, column.comment.as_ref()));
    }
    let inline = table.constraints.iter().filter(|(_, about)| is_inline(about));
    for (constraint, about) in inline.filter(|(_, about)| about.comment.is_some()) {
        sql.push(constraint_comment(name, constraint, about.comment.as_ref()));
    }
    sql
}

/// `comment on column …`
pub(super) fn column_comment(table: &QName, column: &str, text: Option<&String>) -> String {
    comment(&format!("column {}.{}", table.sql(), quoted(column)), text)
}

/// `comment on constraint …`
pub(super) fn constraint_comment(table: &QName, name: &str, text: Option<&String>) -> String {
    comment(&format!("constraint {} on {}", quoted(name), table.sql()), text)
}

/// A column as `create table` and `add column` have it.
pub(super) fn column_definition(column: &Column) -> String {
    let mut sql = format!("{} {}", quoted(&column.name), column.data_type);
    if let Some(collation) = &column.collation {
        sql += &format!(" collate {collation}");
    }
    if let Some(identity) = &column.identity {
        sql += &format!(" {}", identity_definition(identity));
        return sql;
    }
    if column.not_null {
        sql += " not null";
    }
    if let Some(default) = &column.default {
        sql += &format!(" default {}", lowered(default));
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored { "stored" } else { "virtual" };
        sql += &format!(" generated always as ({}) {kind}", lowered(&generated.expression));
    }
    sql
}

/// `generated … as identity (…)`, with the options that are not the usual ones.
pub(super) fn identity_definition(identity: &Identity) -> String {
    let kind = if identity.always { "always" } else { "by default" };
    let options = unusual_options(&identity.sequence).join(" ");
    let options = if options.is_empty() { options } else { format!(" ({options})") };
    format!("generated {kind} as identity{options}")
}

/// A sequence of that type that counts up from 1.
pub(super) fn usual_options(data_type: &str) -> SequenceOptions {
    let maximum = match data_type {
        "smallint" => i64::from(i16::MAX),
        "integer" => i64::from(i32::MAX),
        _ => i64::MAX,
    };
    SequenceOptions {
        data_type: data_type.to_owned(),
        start: 1,
        increment: 1,
        minimum: 1,
        maximum,
        cache: 1,
        cycle: false,
    }
}

/// The clauses for what is not usual, without the type.
pub(super) fn unusual_options(options: &SequenceOptions) -> Vec<String> {
    let usual = usual_options(&options.data_type);
    // What is usual depends on the direction; then all of it is said.
    let all = options.increment < 0;
    option_clauses(&usual, options, all)
}

/// The clauses that lead from one set of options to another, without the type.
pub(super) fn option_clauses(
    from: &SequenceOptions,
    to: &SequenceOptions,
    all: bool,
) -> Vec<String> {
    let numbers = [
        ("increment by", from.increment, to.increment),
        ("minvalue", from.minimum, to.minimum),
        ("maxvalue", from.maximum, to.maximum),
        ("start with", from.start, to.start),
        ("cache", from.cache, to.cache),
    ];
    let differing = numbers.into_iter().filter(|(_, from, to)| all || from != to);
    let mut clauses: Vec<String> = differing.map(|(word, _, to)| format!("{word} {to}")).collect();
    if from.cycle != to.cycle {
        clauses.push(if to.cycle { "cycle" } else { "no cycle" }.into());
    }
    clauses
}

/// What stands after `add constraint name`, without `not valid`.
pub(super) fn constraint_definition(constraint: &Constraint) -> String {
    match &constraint.kind {
        ConstraintKind::Check { expression, .. }
            if constraint.definition == format!("CHECK (({expression}))") =>
        {
            format!("check ({})", lowered(expression))
        }
        _ => lowered(&constraint.definition),
    }
}

/// `create index`, and its comment. `how` is empty or `concurrently `.
pub(super) fn index_with_comment(
    table: &QName,
    name: &str,
    index: &Index,
    how: &str,
) -> Vec<String> {
    let mut sql = vec![create_index(table, name, index, how)];
    if index.comment.is_some() {
        sql.push(index_comment(table, name, index.comment.as_ref()));
    }
    sql
}

/// `comment on index …`; an index is in its table's schema.
pub(super) fn index_comment(table: &QName, name: &str, text: Option<&String>) -> String {
    comment(&format!("index {}", QName::new(&table.schema, name).sql()), text)
}

/// `create index` alone.
pub(super) fn create_index(table: &QName, name: &str, index: &Index, how: &str) -> String {
    let unique = if index.unique { "unique " } else { "" };
    let definition = lowered(&index.definition);
    let definition = definition.strip_prefix("using btree ").unwrap_or(&definition);
    format!("create {unique}index {how}{} on {} {definition}", quoted(name), table.sql())
}

/// `create policy …`, and its comment.
pub(super) fn policy(table: &QName, name: &str, policy: &Policy) -> Vec<String> {
    let mut sql = format!("create policy {} on {}", quoted(name), table.sql());
    if !policy.permissive {
        sql += "\n    as restrictive";
    }
    if policy.command != "all" {
        sql += &format!("\n    for {}", policy.command);
    }
    if policy.roles.iter().any(|role| role != "public") {
        sql += &format!("\n    to {}", list(&policy.roles));
    }
    for (word, expression) in [("using", &policy.using), ("with check", &policy.check)] {
        if let Some(expression) = expression {
            sql += &format!("\n    {word} ({})", lowered(expression));
        }
    }
    let mut sql = vec![sql];
    if policy.comment.is_some() {
        let words = format!("policy {} on {}", quoted(name), table.sql());
        sql.push(comment(&words, policy.comment.as_ref()));
    }
    sql
}

/// `create trigger …`, whether it is enabled, and its comment.
pub(super) fn trigger(table: &QName, name: &str, trigger: &Trigger) -> Vec<String> {
    let mut sql = vec![lowered(&trigger.definition)];
    if trigger.enabled != 'O' {
        sql.push(alter_table(table, &[trigger_state(name, trigger.enabled)]));
    }
    if trigger.comment.is_some() {
        let words = format!("trigger {} on {}", quoted(name), table.sql());
        sql.push(comment(&words, trigger.comment.as_ref()));
    }
    sql
}

/// The clause of `alter table` for a state of a trigger.
pub(super) fn trigger_state(name: &str, enabled: char) -> String {
    let words = match enabled {
        'D' => "disable",
        'R' => "enable replica",
        'A' => "enable always",
        _ => "enable",
    };
    format!("{words} trigger {}", quoted(name))
}

/// `key = value, …`, as `with (…)` and `set (…)` have them.
pub(super) fn options(all: &std::collections::BTreeMap<String, String>) -> String {
    let option = |(key, value): (&String, &String)| {
        let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
        let plain = plain && !value.is_empty();
        let value = if plain { value.clone() } else { crate::catalog::name::literal(value) };
        format!("{key} = {value}")
    };
    all.iter().map(option).collect::<Vec<_>>().join(", ")
}

/// Whether a type of a column is one of these, or an array of one.
pub(super) fn is_of(data_type: &str, name: &QName) -> bool {
    crate::catalog::name::parts(&shape(data_type).base)
        .is_some_and(|parts| parts == [name.schema.as_str(), name.name.as_str()])
}
