//! Policies, triggers, views and functions of a sketch as syntax trees.

use avenire_definitions as tree;
use avenire_definitions::{Fires, IndexKey, PolicyCommand};
use avenire_schema::catalog::name::quoted;

use super::render::{comment, named};
use super::sketch::{
    Base, Function, FunctionKind, Id, Of, Policy, Sketch, Source, Table, Trigger, Ty, View,
};
use super::types::BIGINT;

impl Sketch {
    pub(super) fn policy(&self, table: &Of<Table>, policy: &Policy) -> tree::Policy {
        let condition = |(id, number): (Id, usize)| {
            let column = table.it.column(id).unwrap();
            self.condition(column.ty, &quoted(&column.name), number)
        };
        let command = match policy.command % 5 {
            0 => PolicyCommand::All,
            1 => PolicyCommand::Select,
            2 => PolicyCommand::Insert,
            3 => PolicyCommand::Update,
            _ => PolicyCommand::Delete,
        };
        let roles = if policy.command > 4 { vec![named("current_user")] } else { Vec::new() };
        tree::Policy {
            name: named(&policy.name),
            restrictive: policy.restrictive,
            command,
            roles,
            using: policy.using.filter(|_| command != PolicyCommand::Insert).map(condition),
            check: policy
                .check
                .filter(|_| !matches!(command, PolicyCommand::Select | PolicyCommand::Delete))
                .map(condition),
            comment: comment(policy.comment),
            ..Default::default()
        }
    }

    pub(super) fn trigger(&self, table: &Of<Table>, trigger: &Trigger) -> tree::Trigger {
        let name = quoted(&trigger.name);
        let function = self.sql(&self.function(trigger.function).unwrap().head);
        let event = match (trigger.event % 4, trigger.column) {
            (0, _) => "before insert".to_owned(),
            (1, _) => "after delete".to_owned(),
            (_, Some(column)) => {
                format!("after update of {}", quoted(&table.it.column(column).unwrap().name))
            }
            (2, None) => "before insert or update".to_owned(),
            (_, None) => "after update".to_owned(),
        };
        let on = self.sql(&table.head);
        let definition = format!(
            "create trigger {name} {event} on {on} for each row execute function {function}()"
        );
        let fires = match trigger.fires {
            0 => Fires::Disabled,
            1 => Fires::Replica,
            2 => Fires::Always,
            _ => Fires::Origin,
        };
        tree::Trigger {
            docs: Vec::new(),
            name: named(&trigger.name),
            definition,
            fires,
            comment: None,
        }
    }

    pub(super) fn view_tree(&self, view: &Of<View>) -> tree::View {
        let (query, columns) = match &view.it.source {
            Source::View(id) => {
                let other = self.views.iter().find(|one| one.head.id == *id).unwrap();
                let bigint = self.data_type(Ty { base: Base::Builtin(BIGINT), array: false });
                let columns = vec![tree::Column::new("total", bigint)];
                (format!("select count(*) as total from {}", self.sql(&other.head)), columns)
            }
            Source::Table(id, chosen) => {
                let table = self.table(*id).unwrap();
                let column = |id: Id| table.it.column(id).unwrap();
                let list: Vec<String> = chosen
                    .iter()
                    .map(|(id, alias)| match alias {
                        Some(alias) => {
                            format!("{} as {}", quoted(&column(*id).name), quoted(alias))
                        }
                        None => quoted(&column(*id).name),
                    })
                    .collect();
                let filter = view.it.filter.map(|(id, number)| {
                    let column = column(id);
                    let condition = self.condition(column.ty, &quoted(&column.name), number);
                    format!(" where {condition}")
                });
                let columns = chosen.iter().map(|(id, alias)| {
                    let name = alias.clone().unwrap_or_else(|| column(*id).name.clone());
                    let made = self.column_tree(table, column(*id));
                    tree::Column { nullable: true, ..tree::Column::new(name, made.data_type) }
                });
                let from = self.sql(&table.head);
                let query =
                    format!("select {} from {from}{}", list.join(", "), filter.unwrap_or_default());
                (query, columns.collect())
            }
        };
        let barrier = view.it.barrier && !view.it.materialized;
        let key = |(name, id, unique): &(String, Id, bool)| {
            let Source::Table(table, chosen) = &view.it.source else { return None };
            let (_, alias) = chosen.iter().find(|(one, _)| one == id)?;
            let column = &self.table(*table)?.it.column(*id)?.name;
            Some(tree::Index {
                name: Some(named(name)),
                unique: *unique,
                keys: vec![IndexKey::column(alias.as_ref().unwrap_or(column).as_str())],
                ..Default::default()
            })
        };
        let indexes = view.it.indexes.iter().filter(|_| view.it.materialized).filter_map(key);
        tree::View {
            name: self.full(&view.head),
            materialized: view.it.materialized,
            query,
            columns,
            options: barrier
                .then(|| ("security_barrier".to_owned(), "true".to_owned()))
                .into_iter()
                .collect(),
            indexes: indexes.collect(),
            comment: comment(view.head.comment),
            ..Default::default()
        }
    }

    pub(super) fn function_tree(&self, function: &Of<Function>) -> tree::Object {
        let (name, number) = (self.sql(&function.head), function.it.variant);
        let (create, arguments, depends_on) = match function.it.kind {
            FunctionKind::Trigger => (
                format!(
                    "create function {name}() returns trigger language plpgsql as $$ begin \
                     perform {number}; return new; end $$"
                ),
                "",
                Vec::new(),
            ),
            FunctionKind::Number => (
                format!(
                    "create function {name}(x integer) returns integer language sql immutable as \
                     $$ select x + {number} $$"
                ),
                "integer",
                Vec::new(),
            ),
            FunctionKind::Count(table) => {
                let table = self.table(table).unwrap();
                (
                    format!(
                        "create function {name}() returns bigint language sql stable begin atomic \
                         select count(*) + {number} from {}; end",
                        self.sql(&table.head)
                    ),
                    "",
                    vec![self.full(&table.head)],
                )
            }
        };
        tree::Object {
            name: named(&format!("make_{}", function.head.id)),
            depends_on,
            create: vec![create],
            drop: Some(format!("drop function {name}({arguments})")),
            ..Default::default()
        }
    }
}
