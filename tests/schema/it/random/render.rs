//! A sketch as the syntax tree of a schema module.

use avenire_definitions as tree;
use avenire_definitions::{
    Action, ConstraintKind, Deferrable, Definitions, Identity, IndexKey, Item, Module, Name,
    ObjectName, Reference, SequenceOptions, Type, TypeName,
};
use avenire_schema::catalog::name::quoted;

use super::sketch::{
    Base, Column, Constraint, Fill, Head, Id, Index, Key, Of, Part, Shape, Sketch, Table, Ty,
};
use super::types::{BIGINT, Family, TEXT, TYPES};

pub(super) fn render(sketch: &Sketch) -> Definitions {
    let mut items = Vec::new();
    for schema in &sketch.schemas {
        if schema.head.id != 0 || schema.head.comment.is_some() {
            let (name, comment) = (named(&schema.head.name), comment(schema.head.comment));
            items.push(Item::Schema(tree::Schema { name, comment, ..Default::default() }));
        }
    }
    types(sketch, &mut items);
    for sequence in &sketch.sequences {
        items.push(Item::Sequence(tree::Sequence {
            name: sketch.full(&sequence.head),
            options: SequenceOptions {
                start: sequence.it.start.map(signed),
                increment: sequence.it.increment.map(signed),
                cache: sequence.it.cache.map(signed),
                cycle: sequence.it.cycle,
                ..Default::default()
            },
            owned_by: sequence.it.owner.and_then(|(table, column)| {
                let table = sketch.table(table)?;
                Some((sketch.full(&table.head), named(&table.it.column(column)?.name)))
            }),
            comment: comment(sequence.head.comment),
            ..Default::default()
        }));
    }
    items.extend(sketch.tables.iter().map(|table| Item::Table(Box::new(sketch.table_tree(table)))));
    items.extend(sketch.views.iter().map(|view| Item::View(sketch.view_tree(view))));
    items.extend(sketch.functions.iter().map(|one| Item::Object(sketch.function_tree(one))));
    let module = Module { file: "schema.rs".into(), items, ..Module::default() };
    Definitions { modules: vec![module] }
}

fn types(sketch: &Sketch, items: &mut Vec<Item>) {
    for one in &sketch.enums {
        let value =
            |(_, word): &(Id, String)| tree::EnumValue { name: named(word), ..Default::default() };
        items.push(Item::Enum(tree::Enum {
            name: sketch.full(&one.head),
            values: one.it.iter().map(value).collect(),
            comment: comment(one.head.comment),
            ..Default::default()
        }));
    }
    for one in &sketch.domains {
        let ty = Ty { base: Base::Builtin(one.it.base), array: false };
        let check = |(name, number): &(String, usize)| tree::DomainCheck {
            name: Some(named(name)),
            expression: sketch.condition(ty, "value", *number),
        };
        items.push(Item::Domain(tree::Domain {
            docs: Vec::new(),
            name: sketch.full(&one.head),
            data_type: sketch.data_type(ty),
            collation: None,
            not_null: one.it.not_null,
            default: one.it.default.and_then(|number| sketch.default_of(ty, number)),
            checks: one.it.checks.iter().map(check).collect(),
            comment: comment(one.head.comment),
        }));
    }
    for one in &sketch.composites {
        let attribute = |(_, name, base): &(Id, String, usize)| {
            let ty = sketch.data_type(Ty { base: Base::Builtin(*base), array: false });
            tree::Column::new(name.as_str(), ty)
        };
        items.push(Item::Composite(tree::Composite {
            name: sketch.full(&one.head),
            attributes: one.it.iter().map(attribute).collect(),
            comment: comment(one.head.comment),
            ..Default::default()
        }));
    }
}

pub(super) fn named(name: &str) -> Name {
    Name::from(name)
}

pub(super) fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(0) + 1
}

pub(super) fn comment(number: Option<usize>) -> Option<String> {
    number.map(|number| format!("it's \\ number {number}"))
}

impl Sketch {
    pub(super) fn full(&self, head: &Head) -> ObjectName {
        ObjectName::new(self.schema(head.schema), head.name.as_str())
    }

    /// As SQL text has it: always with the schema.
    pub(super) fn sql(&self, head: &Head) -> String {
        format!("{}.{}", quoted(self.schema(head.schema)), quoted(&head.name))
    }

    pub(super) fn data_type(&self, ty: Ty) -> Type {
        let head = match ty.base {
            Base::Builtin(number) => {
                let builtin = &TYPES[number];
                let modifiers = builtin.modifiers.iter().map(|text| (*text).to_owned()).collect();
                let plain = Type::plain(builtin.name);
                return Type { modifiers, dimensions: usize::from(ty.array), ..plain };
            }
            Base::Enum(id) => self.enums.iter().map(|one| &one.head).find(|head| head.id == id),
            Base::Domain(id) => self.domain(id).map(|one| &one.head),
            Base::Composite(id) => {
                self.composites.iter().map(|one| &one.head).find(|head| head.id == id)
            }
        };
        let head = head.unwrap();
        let schema = Some(self.schema(head.schema)).filter(|schema| *schema != "public");
        let schema = schema.map(str::to_owned);
        let name = TypeName::Plain { schema, name: head.name.clone() };
        Type { dimensions: usize::from(ty.array), ..Type::of(name) }
    }

    pub(super) fn sql_type(&self, ty: Ty) -> String {
        match ty.base {
            Base::Builtin(number) => TYPES[number].name.to_owned(),
            Base::Enum(id) => {
                self.sql(&self.enums.iter().find(|one| one.head.id == id).unwrap().head)
            }
            _ => "text".to_owned(),
        }
    }

    fn table_tree(&self, table: &Of<Table>) -> tree::Table {
        let it = &table.it;
        let names =
            |ids: &[Id]| ids.iter().map(|id| named(&it.column(*id).unwrap().name)).collect();
        let constraints = it.constraints.iter();
        let (partition_by, partition_of) = match it.shape {
            Shape::Plain => (None, None),
            Shape::Partitioned(column) => {
                (Some(format!("range ({})", quoted(&it.column(column).unwrap().name))), None)
            }
            Shape::Partition(parent, number) => {
                let parent = self.full(&self.table(parent).unwrap().head);
                let bound = match number {
                    Some(number) => {
                        format!("for values from ({}) to ({})", number * 10, number * 10 + 10)
                    }
                    None => "default".to_owned(),
                };
                (None, Some(tree::Partition { parent, bound }))
            }
        };
        tree::Table {
            name: self.full(&table.head),
            unlogged: it.unlogged,
            columns: it.columns.iter().map(|column| self.column_tree(table, column)).collect(),
            constraints: constraints.map(|one| self.constraint(table, one, &names)).collect(),
            indexes: it.indexes.iter().map(|index| self.index(table, index, &names)).collect(),
            triggers: it.triggers.iter().map(|trigger| self.trigger(table, trigger)).collect(),
            policies: it.policies.iter().map(|policy| self.policy(table, policy)).collect(),
            row_security: it.row_security,
            force_row_security: it.force,
            partition_by,
            partition_of,
            options: fillfactor(it.fillfactor),
            comment: comment(table.head.comment),
            ..Default::default()
        }
    }

    pub(super) fn column_tree(&self, table: &Of<Table>, column: &Column) -> tree::Column {
        let is_text = self.family(column.ty) == Family::Text;
        let builtin = matches!(column.ty.base, Base::Builtin(_));
        let mut made = tree::Column {
            nullable: column.nullable,
            collation: (column.collate && is_text && builtin).then(|| Reference::new("C")),
            storage: column
                .storage
                .filter(|_| is_text && builtin)
                .map(|number| ["plain", "external", "main"][number % 3].to_owned()),
            comment: comment(column.comment),
            ..tree::Column::new(column.name.as_str(), self.data_type(column.ty))
        };
        match column.fill {
            Fill::Nothing => {}
            Fill::Default(number) => made.default = self.default_of(column.ty, number),
            Fill::Next(id) => {
                let sequence = self.sequences.iter().find(|one| one.head.id == id).unwrap();
                let name = self.sql(&sequence.head).replace('\'', "''");
                made.default = Some(format!("nextval('{name}')"));
            }
            Fill::Call(id) => {
                made.default = Some(format!("{}(1)", self.sql(&self.function(id).unwrap().head)));
            }
            Fill::Identity { always, start } => {
                let sequence =
                    SequenceOptions { start: start.map(signed), ..SequenceOptions::default() };
                made.identity = Some(Identity { always, sequence });
            }
            Fill::Generated(source, number) => {
                let from = table.it.column(source).unwrap();
                let name = quoted(&from.name);
                let (data_type, expression) = if self.family(from.ty) == Family::Whole {
                    (BIGINT, format!("{name}::bigint * 2 + {}", number % 9))
                } else {
                    (TEXT, format!("upper({name}::text) || '{}'", number % 9))
                };
                made.data_type =
                    self.data_type(Ty { base: Base::Builtin(data_type), array: false });
                made.generated = Some(tree::Generated { expression, stored: true });
            }
        }
        made
    }

    fn constraint(
        &self,
        table: &Of<Table>,
        constraint: &Constraint,
        names: &dyn Fn(&[Id]) -> Vec<Name>,
    ) -> tree::Constraint {
        let condition = |id: Id, number: usize| {
            let column = table.it.column(id).unwrap();
            self.condition(column.ty, &quoted(&column.name), number)
        };
        let kind = match &constraint.kind {
            Key::Primary(columns) => {
                ConstraintKind::PrimaryKey { columns: names(columns), include: Vec::new() }
            }
            Key::Unique { columns, include, nulls } => ConstraintKind::Unique {
                columns: names(columns),
                include: names(include),
                nulls_not_distinct: *nulls,
            },
            Key::Foreign { columns, table: to, referenced, delete, update } => {
                let to = self.table(*to).unwrap();
                let name = |id: &Id| named(&to.it.column(*id).unwrap().name);
                let action = |number: usize| match number % 4 {
                    0 => Action::Cascade,
                    1 => Action::Restrict,
                    _ => Action::NoAction,
                };
                ConstraintKind::ForeignKey {
                    columns: names(columns),
                    references: self.full(&to.head),
                    referenced: referenced.iter().map(name).collect(),
                    match_full: delete % 5 == 0,
                    on_delete: action(*delete),
                    on_update: action(*update),
                }
            }
            Key::Check(column, number) => {
                ConstraintKind::Check { expression: condition(*column, *number), no_inherit: false }
            }
            Key::CheckCall(column, function) => {
                let name = quoted(&table.it.column(*column).unwrap().name);
                let function = self.sql(&self.function(*function).unwrap().head);
                let expression = format!("{function}({name}::integer) > -1000");
                ConstraintKind::Check { expression, no_inherit: false }
            }
            Key::Exclude(column) => {
                let name = quoted(&table.it.column(*column).unwrap().name);
                ConstraintKind::Exclude(format!("using btree ({name} with =)"))
            }
        };
        let can_wait = !matches!(kind, ConstraintKind::Check { .. });
        let deferrable = match constraint.deferrable {
            1 if can_wait => Deferrable::Immediate,
            2 if can_wait => Deferrable::Deferred,
            _ => Deferrable::No,
        };
        let comment = comment(constraint.comment);
        let plain = tree::Constraint::new(Some(named(&constraint.name)), kind);
        tree::Constraint { deferrable, comment, ..plain }
    }

    pub(super) fn index(
        &self,
        table: &Of<Table>,
        index: &Index,
        names: &dyn Fn(&[Id]) -> Vec<Name>,
    ) -> tree::Index {
        let method = METHODS[index.method];
        let key = |part: &Part| {
            let column = table.it.column(part.column).unwrap();
            let expression = self.expression(column, &quoted(&column.name));
            let plain = match expression {
                Some(text) if part.expression => IndexKey::expression(text),
                _ => IndexKey::column(column.name.as_str()),
            };
            let nulls = part.nulls.filter(|_| method == "btree");
            IndexKey {
                descending: part.descending && method == "btree",
                nulls: nulls
                    .map(|first| if first { tree::Nulls::First } else { tree::Nulls::Last }),
                ..plain
            }
        };
        tree::Index {
            name: Some(named(&index.name)),
            unique: index.unique,
            method: (index.method > 0).then(|| method.to_owned()),
            keys: index.keys.iter().map(key).collect(),
            include: names(&index.include),
            nulls_not_distinct: index.nulls,
            options: if method == "btree" { fillfactor(index.fillfactor) } else { Vec::new() },
            predicate: index.predicate.map(|(id, number)| {
                let column = table.it.column(id).unwrap();
                self.condition(column.ty, &quoted(&column.name), number)
            }),
            comment: comment(index.comment),
            ..Default::default()
        }
    }

    /// All that can be said of a column's values, to see whether an edit left them as they are.
    pub(super) fn describe(&self, ty: Ty) -> String {
        let words = match ty.base {
            Base::Enum(id) => {
                let one = self.enums.iter().find(|one| one.head.id == id).unwrap();
                format!("{:?} {}", one.it, self.sql_type(ty))
            }
            Base::Domain(id) => format!("{:?}", self.domain(id).unwrap().it.base),
            Base::Composite(id) => {
                let one = self.composites.iter().find(|one| one.head.id == id).unwrap();
                format!("{:?}", one.it)
            }
            Base::Builtin(_) => String::new(),
        };
        format!("{ty:?} {words}")
    }
}

/// What an index can be.
pub(super) const METHODS: [&str; 4] = ["btree", "hash", "brin", "gin"];

pub(super) fn fillfactor(number: Option<usize>) -> Vec<(String, String)> {
    let value = number.map(|number| (50 + number % 50).to_string());
    value.map(|value| ("fillfactor".to_owned(), value)).into_iter().collect()
}
