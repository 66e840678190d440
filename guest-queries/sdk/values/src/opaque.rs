//! Values of types that have no Rust type of their own.

use diesel::deserialize::{self, FromSql, FromSqlRow};

use diesel::expression::{AsExpression, TypedExpressionType};
use diesel::internal::derives::as_expression::Bound;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Nullable, SingleValue, SqlType};
use std::io::Write;

/// The bytes of a value in Postgres' binary format (the type's `send` function), as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, FromSqlRow)]
pub struct Opaque(pub Vec<u8>);

/// An SQL type whose values are [`Opaque`]; `schema!` implements it for the types that Diesel
/// does not know.
pub trait OpaqueType: SqlType + SingleValue {}

impl<T: OpaqueType> FromSql<T, Pg> for Opaque {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(value.as_bytes().to_vec()))
    }
}

impl<T: OpaqueType> ToSql<T, Pg> for Opaque {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.0)?;
        Ok(IsNull::No)
    }
}

impl<T: OpaqueType + TypedExpressionType> AsExpression<T> for Opaque {
    type Expression = Bound<T, Self>;

    fn as_expression(self) -> Self::Expression {
        Bound::new(self)
    }
}

impl<'a, T: OpaqueType + TypedExpressionType> AsExpression<T> for &'a Opaque {
    type Expression = Bound<T, &'a Opaque>;

    fn as_expression(self) -> Self::Expression {
        Bound::new(self)
    }
}

impl<T: OpaqueType> AsExpression<Nullable<T>> for Opaque
where
    Nullable<T>: TypedExpressionType,
{
    type Expression = Bound<Nullable<T>, Self>;

    fn as_expression(self) -> Self::Expression {
        Bound::new(self)
    }
}

impl<T: OpaqueType> ToSql<Nullable<T>, Pg> for Opaque {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<T, Pg>::to_sql(self, out)
    }
}

impl<'a, T: OpaqueType> AsExpression<Nullable<T>> for &'a Opaque
where
    Nullable<T>: TypedExpressionType,
{
    type Expression = Bound<Nullable<T>, &'a Opaque>;

    fn as_expression(self) -> Self::Expression {
        Bound::new(self)
    }
}
