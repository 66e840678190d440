//! Arrays, ranges and multiranges.

use avenire_sdk::prelude::*;
use bigdecimal::BigDecimal;
use diesel::data_types::{PgDate, PgTimestamp};
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Double, Integer, Jsonb, Multirange, Nullable, Numeric, Range, Text,
    Timestamp as PlainTimestamp, Timestamptz, Uuid as UuidType,
};
use std::ops::Bound::{self, Excluded, Included, Unbounded};
use uuid::Uuid;

use crate::bindings::exports::avenire::types_test::checks::RoundTrip;
use crate::round_trip::round_trip;

type Pair<T> = (Bound<T>, Bound<T>);

pub(crate) fn try_all(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    arrays(c, t)?;
    ranges(c, t)?;
    multiranges(c, t)
}

fn arrays(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "int4[]", Array<Integer>, Vec<i32>, vec![1, -2] => "{1,-2}");
    round_trip!(c, t, "int4[]: empty", Array<Integer>, Vec<i32>, Vec::new() => "{}");
    round_trip!(c, t, "int4[]: nulls inside", Array<Nullable<Integer>>, Vec<Option<i32>>,
        vec![None, Some(1), None] => "{NULL,1,NULL}");
    round_trip!(c, t, "text[]: nulls inside", Array<Nullable<Text>>, Vec<Option<String>>,
        vec![Some("a,\"b".to_owned()), None, Some(String::new()), Some("NULL".to_owned())]
        => r#"{"a,\"b",NULL,"","NULL"}"#);
    round_trip!(c, t, "bool[]", Array<Bool>, Vec<bool>, vec![true, false] => "{t,f}");
    round_trip!(c, t, "float8[]", Array<Double>, Vec<f64>, vec![f64::INFINITY, 0.5]
        => "{Infinity,0.5}");
    round_trip!(c, t, "uuid[]", Array<UuidType>, Vec<Uuid>, vec![Uuid::nil()]
        => "{00000000-0000-0000-0000-000000000000}");
    round_trip!(c, t, "jsonb[]", Array<Nullable<Jsonb>>, Vec<Option<Json>>,
        vec![Some(Json("[1]".to_owned())), None] => "{[1],NULL}");
    round_trip!(c, t, "timestamptz[]", Array<Nullable<Timestamptz>>, Vec<Option<Timestamp>>,
        vec![Some(Timestamp::INFINITY), None] => "{infinity,NULL}");
    round_trip!(c, t, "text[]: null", Nullable<Array<Text>>, Option<Vec<String>>, None => "null",
        shown "coalesce(" "::text, 'null')");
    Ok(())
}

fn ranges(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "int4range", Range<Integer>, Pair<i32>, (Included(1), Excluded(5))
        => "[1,5)");
    round_trip!(c, t, "int4range: empty", Range<Integer>, Pair<i32>, (Excluded(0), Excluded(0))
        => "empty");
    round_trip!(c, t, "int8range: unbounded", Range<BigInt>, Pair<i64>, (Unbounded, Unbounded)
        => "(,)");
    round_trip!(c, t, "numrange", Range<Numeric>, Pair<BigDecimal>,
        (Excluded(BigDecimal::from(1)), Included(BigDecimal::from(2))) => "(1,2]");
    round_trip!(c, t, "daterange", Range<Date>, Pair<PgDate>, (Included(PgDate(0)), Unbounded)
        => "[2000-01-01,)");
    round_trip!(c, t, "tsrange", Range<PlainTimestamp>, Pair<PgTimestamp>,
        (Included(PgTimestamp(0)), Excluded(PgTimestamp(1_000_000)))
        => r#"["2000-01-01 00:00:00","2000-01-01 00:00:01")"#);
    round_trip!(c, t, "tstzrange", Range<Timestamptz>, Pair<PgTimestamp>,
        (Included(PgTimestamp(i64::MIN)), Excluded(PgTimestamp(i64::MAX)))
        => "[-infinity,infinity)");
    round_trip!(c, t, "int4range[]", Array<Nullable<Range<Integer>>>, Vec<Option<Pair<i32>>>,
        vec![Some((Unbounded, Excluded(5))), None] => r#"{"(,5)",NULL}"#);
    Ok(())
}

fn multiranges(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "int4multirange", Multirange<Integer>, Vec<Pair<i32>>,
        vec![(Included(1), Excluded(2)), (Included(5), Excluded(9))] => "{[1,2),[5,9)}");
    round_trip!(c, t, "int8multirange: empty", Multirange<BigInt>, Vec<Pair<i64>>, Vec::new()
        => "{}");
    round_trip!(c, t, "nummultirange", Multirange<Numeric>, Vec<Pair<BigDecimal>>,
        vec![(Unbounded, Included(BigDecimal::from(1)))] => "{(,1]}");
    round_trip!(c, t, "datemultirange", Multirange<Date>, Vec<Pair<PgDate>>,
        vec![(Included(PgDate(0)), Excluded(PgDate(1)))] => "{[2000-01-01,2000-01-02)}");
    round_trip!(c, t, "tstzmultirange", Multirange<Timestamptz>, Vec<Pair<PgTimestamp>>,
        vec![(Unbounded, Excluded(PgTimestamp(i64::MAX)))] => "{(,infinity)}");
    Ok(())
}
