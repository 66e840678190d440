//! Types that a user made: an enum, a composite type and a domain. Their OIDs are looked
//! up by the host.

use avenire_sdk::prelude::*;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql, WriteTuple};
use diesel::sql_types::{Array, Integer, Nullable, Record, SqlType, Text};
use std::io::Write;

use crate::bindings::exports::avenire::types_test::checks::RoundTrip;
use crate::round_trip::round_trip;

#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(name = "mood", schema = "public"))]
struct MoodType;

#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = MoodType)]
enum Mood {
    Sad,
    Happy,
}

impl ToSql<MoodType, Pg> for Mood {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(match self {
            Self::Sad => b"sad",
            Self::Happy => b"happy",
        })?;
        Ok(IsNull::No)
    }
}

impl FromSql<MoodType, Pg> for Mood {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            b"sad" => Ok(Self::Sad),
            b"happy" => Ok(Self::Happy),
            _ => Err("a mood that is not known".into()),
        }
    }
}

#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(name = "place"))]
struct PlaceType;

#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = PlaceType)]
struct Place {
    floor: i32,
    label: Option<String>,
}

impl ToSql<PlaceType, Pg> for Place {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        WriteTuple::<(Integer, Nullable<Text>)>::write_tuple(
            &(self.floor, self.label.as_deref()),
            out,
        )
    }
}

impl FromSql<PlaceType, Pg> for Place {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let (floor, label) = FromSql::<Record<(Integer, Nullable<Text>)>, Pg>::from_sql(value)?;
        Ok(Self { floor, label })
    }
}

#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(name = "positive"))]
struct PositiveType;

#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = PositiveType)]
struct Positive(i32);

impl ToSql<PositiveType, Pg> for Positive {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Integer, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<PositiveType, Pg> for Positive {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<Integer, Pg>::from_sql(value).map(Self)
    }
}

pub(crate) fn try_all(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "enum", MoodType, Mood, Mood::Happy => "happy");
    round_trip!(c, t, "enum[]: nulls inside", Array<Nullable<MoodType>>, Vec<Option<Mood>>,
        vec![Some(Mood::Sad), None] => "{sad,NULL}");
    round_trip!(c, t, "composite", PlaceType, Place,
        Place { floor: -1, label: Some("a,b".to_owned()) } => r#"(-1,"a,b")"#);
    round_trip!(c, t, "composite: null inside", PlaceType, Place,
        Place { floor: 2, label: None } => "(2,)");
    round_trip!(c, t, "composite[]", Array<PlaceType>, Vec<Place>,
        vec![Place { floor: 0, label: None }] => r#"{"(0,)"}"#);
    round_trip!(c, t, "domain", PositiveType, Positive, Positive(7) => "7");
    Ok(())
}
