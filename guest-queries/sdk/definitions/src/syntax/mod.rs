//! The syntax tree of schema modules. Everything in it can be made by hand, as `pull` does from a
//! catalog. Never: reads source text, judges what it says.

mod items;
mod name;
mod parts;
mod table;
mod types;

pub use items::{
    Composite, Domain, DomainCheck, Enum, EnumValue, Extension, Item, Module, Object, Schema,
    Sequence, Use, UseKind, View,
};
pub use name::{Location, Name, ObjectName, Reference};
pub use parts::{
    Action, Constraint, ConstraintKind, Deferrable, Fires, Index, IndexKey, KeyValue, Nulls,
    OperatorClass, Policy, PolicyCommand, Trigger,
};
pub use table::{Column, Field, Generated, Identity, Partition, SequenceOptions, Table};
pub use types::{Type, TypeName};
