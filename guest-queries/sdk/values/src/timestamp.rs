//! Points in time as Postgres keeps them: whole microseconds and the two infinities.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Timestamp as PlainTimestamp, Timestamptz};
use std::io::Write;

/// Microseconds from the Unix epoch to Postgres' own, 2000-01-01T00:00:00Z (PostgreSQL
/// source, `src/include/datatype/timestamp.h`, `POSTGRES_EPOCH_JDATE`).
const UNIX_TO_POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// A point in time: microseconds since 1970-01-01T00:00:00Z, negative before.
///
/// `i64::MIN` is Postgres' `-infinity`, `i64::MAX` its `infinity`. Everything that
/// `timestamptz` holds up to the year 294247 fits; its last thirty years can not be
/// counted in 64 bits from 1970 and are an error when loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamptz)]
#[diesel(sql_type = PlainTimestamp)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before all other points in time.
    pub const NEG_INFINITY: Self = Self(i64::MIN);
    /// After all other points in time.
    pub const INFINITY: Self = Self(i64::MAX);

    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whether this is neither of the infinities.
    pub const fn is_finite(self) -> bool {
        self.0 != i64::MIN && self.0 != i64::MAX
    }

    fn to_postgres(self) -> Option<i64> {
        if self.is_finite() { self.0.checked_sub(UNIX_TO_POSTGRES_EPOCH) } else { Some(self.0) }
    }

    fn from_postgres(micros: i64) -> Option<Self> {
        if micros == i64::MIN || micros == i64::MAX {
            return Some(Self(micros));
        }
        micros.checked_add(UNIX_TO_POSTGRES_EPOCH).map(Self)
    }

    fn write(self, out: &mut Output<'_, '_, Pg>) -> serialize::Result {
        let micros = self.to_postgres().ok_or("timestamp is before the range of timestamptz")?;
        out.write_all(&micros.to_be_bytes())?;
        Ok(IsNull::No)
    }

    fn read(value: &[u8]) -> deserialize::Result<Self> {
        let bytes = value.try_into().map_err(|_| "a timestamp is not eight bytes long")?;
        Self::from_postgres(i64::from_be_bytes(bytes))
            .ok_or_else(|| "timestamp is after the year 294247".into())
    }
}

impl ToSql<Timestamptz, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        self.write(out)
    }
}

impl FromSql<Timestamptz, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Self::read(value.as_bytes())
    }
}

impl ToSql<PlainTimestamp, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        self.write(out)
    }
}

impl FromSql<PlainTimestamp, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Self::read(value.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_postgres_epoch_is_the_year_2000() {
        let epoch = Timestamp::from_unix_micros(UNIX_TO_POSTGRES_EPOCH);
        assert_eq!(epoch.to_postgres(), Some(0));
        assert_eq!(Timestamp::from_postgres(0), Some(epoch));
    }

    #[test]
    fn infinities_stay_infinite_both_ways() {
        for infinity in [Timestamp::NEG_INFINITY, Timestamp::INFINITY] {
            assert_eq!(infinity.to_postgres(), Some(infinity.unix_micros()));
            assert_eq!(Timestamp::from_postgres(infinity.unix_micros()), Some(infinity));
        }
    }

    #[test]
    fn what_64_bits_can_not_count_is_refused_instead_of_wrapped() {
        // The largest timestamptz, one microsecond before 294277-01-01.
        assert_eq!(Timestamp::from_postgres(9_223_371_331_199_999_999), None);
        assert_eq!(Timestamp::from_unix_micros(i64::MIN + 1).to_postgres(), None);
        assert!(Timestamp::read(&[0; 7]).is_err());
    }
}
