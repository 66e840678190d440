//! What a component says of the tables it was compiled against, so that a host can compare it
//! with the live database before the component is let in.

use crate::builtin::printed;
use crate::parse::Block;
use crate::syntax::{Column, Item, Type};

/// The tables, views and enums of one `schema!` block.
///
/// A component carries one JSON document of this shape a block, each on a line of its own, in the
/// wasm custom section [`SECTION`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Description {
    /// The version of this shape: [`VERSION`].
    pub version: u32,
    /// Tables and views, in the source's order.
    pub relations: Vec<Relation>,
    /// Enumerated types, in the source's order.
    pub enums: Vec<EnumShape>,
}

/// The version of the shape that this crate writes. A reader refuses what is later.
pub const VERSION: u32 = 1;

/// The name of the custom section.
pub const SECTION: &str = "avenire:schema";

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Relation {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its columns as far as the component knows them, in the source's order.
    pub columns: Vec<ColumnShape>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// Its type. Built-in ones as `format_type` prints them, such as `character varying(255)`;
    /// those of the application with their schema; what was written as SQL as it was written.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub data_type: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether an insert may leave it out: it is nullable, has a default, or makes its own value.
    pub optional: bool,
}

/// An enumerated type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EnumShape {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// In order.
    pub values: Vec<String>,
}

impl EnumShape {
    /// How [`ColumnShape::data_type`] names it.
    pub fn type_name(&self) -> String {
        format!("{}.{}", printed(&self.schema), printed(&self.name))
    }
}

impl Description {
    /// Every text in it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let relations = self.relations.iter().flat_map(|relation| {
            let columns = relation.columns.iter().flat_map(|one| [&one.name, &one.data_type]);
            [&relation.schema, &relation.name].into_iter().chain(columns)
        });
        let enums = self.enums.iter();
        let enums = enums.flat_map(|one| [&one.schema, &one.name].into_iter().chain(&one.values));
        relations.chain(enums).map(String::as_str)
    }

    /// What a block says.
    pub fn of(block: &Block) -> Self {
        let mut description = Self { version: VERSION, relations: Vec::new(), enums: Vec::new() };
        for item in &block.items {
            let (name, columns) = match item {
                Item::Table(table) => (&table.name, &table.columns),
                Item::View(view) => (&view.name, &view.columns),
                Item::Enum(item) => {
                    description.enums.push(EnumShape {
                        schema: item.name.schema.clone(),
                        name: item.name.name.clone(),
                        values: item.values.iter().map(|value| value.name.text.clone()).collect(),
                    });
                    continue;
                }
                _ => continue,
            };
            description.relations.push(Relation {
                schema: name.schema.clone(),
                name: name.name.clone(),
                columns: columns.iter().map(shape).collect(),
            });
        }
        description
    }

    /// As it stands in a component: JSON on one line.
    pub fn to_json(&self) -> String {
        let relations = array(&self.relations, |relation| {
            let columns = array(&relation.columns, |column| {
                format!(
                    r#"{{"name":{},"type":{},"nullable":{},"optional":{}}}"#,
                    text(&column.name),
                    text(&column.data_type),
                    column.nullable,
                    column.optional
                )
            });
            let (schema, name) = (text(&relation.schema), text(&relation.name));
            format!(r#"{{"schema":{schema},"name":{name},"columns":{columns}}}"#)
        });
        let enums = array(&self.enums, |item| {
            let values = array(&item.values, |value| text(value));
            let (schema, name) = (text(&item.schema), text(&item.name));
            format!(r#"{{"schema":{schema},"name":{name},"values":{values}}}"#)
        });
        let version = self.version;
        format!(r#"{{"version":{version},"relations":{relations},"enums":{enums}}}"#)
    }
}

fn array<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(","))
}

/// A string as JSON writes it (RFC 8259, section 7).
fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn shape(column: &Column) -> ColumnShape {
    let optional = column.nullable
        || column.default.is_some()
        || column.identity.is_some()
        || column.generated.is_some();
    ColumnShape {
        name: column.name.text.clone(),
        data_type: Type::canonical(&column.data_type),
        nullable: column.nullable,
        optional,
    }
}
