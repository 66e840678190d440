//! Dates, times and intervals, in each of the Rust types that may hold them.

use avenire_sdk::prelude::*;
use diesel::data_types::{PgDate, PgInterval, PgTime, PgTimestamp};
use diesel::sql_types::{Date, Interval, Time, Timestamp as PlainTimestamp, Timestamptz};
use time::macros::{date, datetime, time};

use crate::bindings::exports::avenire::types_test::checks::RoundTrip;
use crate::round_trip::round_trip;

/// The first and the last microsecond that Postgres holds, counted from 2000-01-01
/// (PostgreSQL source, `src/include/datatype/timestamp.h`, `MIN_TIMESTAMP` and
/// `END_TIMESTAMP`).
const FIRST: i64 = -211_813_488_000_000_000;
const LAST: i64 = 9_223_371_331_199_999_999;

/// The first and the last microsecond that is a `Timestamp` of the SDK, counted from 1970.
const SDK_FIRST: i64 = FIRST + 946_684_800_000_000;
const SDK_LAST: i64 = i64::MAX - 1;

pub(crate) fn try_all(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    dates(c, t)?;
    timestamps(c, t)?;
    zoned(c, t)?;
    round_trip!(c, t, "interval", Interval, PgInterval, PgInterval::new(-1, 2, 14)
        => "1 year 2 mons 2 days -00:00:00.000001");
    Ok(())
}

fn dates(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "date: time", Date, time::Date, date!(2024 - 02 - 29) => "2024-02-29");
    let chrono_date = chrono::NaiveDate::from_ymd_opt(1999, 12, 31).unwrap_or_default();
    round_trip!(c, t, "date: chrono", Date, chrono::NaiveDate, chrono_date => "1999-12-31");
    round_trip!(c, t, "date: infinity", Date, PgDate, PgDate(i32::MAX) => "infinity");
    round_trip!(c, t, "date: -infinity", Date, PgDate, PgDate(i32::MIN) => "-infinity");
    // From 4714-11-24 BC to the year 5874897.
    round_trip!(c, t, "date: first", Date, PgDate, PgDate(-2_451_545) => "4714-11-24 BC");
    round_trip!(c, t, "date: last", Date, PgDate, PgDate(2_145_031_948) => "5874897-12-31");
    round_trip!(c, t, "time: time", Time, time::Time, time!(23:59:59.999_999)
        => "23:59:59.999999");
    let chrono_time = chrono::NaiveTime::from_hms_micro_opt(1, 2, 3, 4).unwrap_or_default();
    round_trip!(c, t, "time: chrono", Time, chrono::NaiveTime, chrono_time => "01:02:03.000004");
    round_trip!(c, t, "time: 24 hours", Time, PgTime, PgTime(86_400_000_000) => "24:00:00");
    Ok(())
}

fn timestamps(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "timestamp: time", PlainTimestamp, time::PrimitiveDateTime,
        datetime!(1969-07-20 20:17:40.000_001) => "1969-07-20 20:17:40.000001");
    let chrono_time = chrono::DateTime::from_timestamp_micros(-1).unwrap_or_default().naive_utc();
    round_trip!(c, t, "timestamp: chrono", PlainTimestamp, chrono::NaiveDateTime, chrono_time
        => "1969-12-31 23:59:59.999999");
    round_trip!(c, t, "timestamp: first", PlainTimestamp, PgTimestamp, PgTimestamp(FIRST)
        => "4714-11-24 00:00:00 BC");
    round_trip!(c, t, "timestamp: last", PlainTimestamp, PgTimestamp, PgTimestamp(LAST)
        => "294276-12-31 23:59:59.999999");
    round_trip!(c, t, "timestamp: SDK", PlainTimestamp, Timestamp, Timestamp::from_unix_micros(1)
        => "1970-01-01 00:00:00.000001");
    Ok(())
}

fn zoned(c: &mut HostConnection, t: &mut Vec<RoundTrip>) -> Result<(), Failure> {
    round_trip!(c, t, "timestamptz: time", Timestamptz, time::OffsetDateTime,
        datetime!(2026-01-31 12:00:00.000_001 +02:00) => "2026-01-31 10:00:00.000001",
        shown "(" " at time zone 'UTC')::text");
    let chrono_time = chrono::DateTime::from_timestamp_micros(1).unwrap_or_default();
    round_trip!(c, t, "timestamptz: chrono", Timestamptz, chrono::DateTime<chrono::Utc>, chrono_time
        => "1970-01-01 00:00:00.000001", shown "(" " at time zone 'UTC')::text");
    round_trip!(c, t, "timestamptz: first", Timestamptz, PgTimestamp, PgTimestamp(FIRST)
        => "4714-11-24 00:00:00 BC", shown "(" " at time zone 'UTC')::text");
    round_trip!(c, t, "timestamptz: last", Timestamptz, PgTimestamp, PgTimestamp(LAST)
        => "294276-12-31 23:59:59.999999", shown "(" " at time zone 'UTC')::text");
    round_trip!(c, t, "timestamptz: SDK's first", Timestamptz, Timestamp,
        Timestamp::from_unix_micros(SDK_FIRST)
        => "4714-11-24 00:00:00 BC", shown "(" " at time zone 'UTC')::text");
    round_trip!(c, t, "timestamptz: SDK's last", Timestamptz, Timestamp,
        Timestamp::from_unix_micros(SDK_LAST)
        => "294247-01-10 04:00:54.775806", shown "(" " at time zone 'UTC')::text");
    round_trip!(c, t, "timestamptz: infinity", Timestamptz, Timestamp, Timestamp::INFINITY
        => "infinity");
    round_trip!(c, t, "timestamptz: -infinity", Timestamptz, Timestamp, Timestamp::NEG_INFINITY
        => "-infinity");
    Ok(())
}
