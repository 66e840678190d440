//! Points in time as RFC 3339 text (RFC 3339, section 5.6) with microseconds.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The text of so many microseconds since 1970-01-01T00:00:00Z, or nothing when
/// RFC 3339 has no form for it (years outside of 0000–9999).
pub(super) fn format(micros: i64) -> Option<String> {
    match micros {
        i64::MAX => return Some("infinity".to_owned()),
        i64::MIN => return Some("-infinity".to_owned()),
        _ => {}
    }
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()?.format(&Rfc3339).ok()
}

/// Microseconds since 1970-01-01T00:00:00Z of a text with any offset. What is
/// finer than a microsecond is cut off, as Postgres' resolution is.
pub(super) fn parse(text: &str) -> Option<i64> {
    match text {
        "infinity" => return Some(i64::MAX),
        "-infinity" => return Some(i64::MIN),
        _ => {}
    }
    let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
    i64::try_from(nanos.div_euclid(1000)).ok()
}

#[cfg(test)]
mod tests {
    use super::{format, parse};

    #[test]
    fn a_timestamp_survives_the_way_there_and_back() {
        for micros in [0, 1, -1, 1_700_000_000_123_456, -62_167_219_200_000_000, i64::MAX, i64::MIN]
        {
            let text = format(micros).unwrap();
            assert_eq!(parse(&text), Some(micros), "{text}");
        }
    }

    #[test]
    fn offsets_are_understood_and_finer_digits_are_cut_off() {
        assert_eq!(parse("2026-01-31T12:00:00+01:00"), parse("2026-01-31T11:00:00Z"));
        assert_eq!(parse("1970-01-01T00:00:00.0000019Z"), Some(1));
        assert_eq!(parse("1969-12-31T23:59:59.9999999Z"), Some(-1));
        assert_eq!(parse("2026-01-31"), None);
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn years_that_rfc_3339_can_not_write_are_left_out() {
        assert_eq!(format(i64::MAX - 1), None);
    }
}
