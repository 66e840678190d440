//! Numbers and names of new migrations.

use time::OffsetDateTime;

use super::error::GenerateError;
use crate::revision::Revision;

/// How a new migration is numbered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbering {
    /// The next number.
    #[default]
    Sequence,
    /// The time in UTC, `YYYYMMDDHHMMSS`.
    Time,
}

/// The longest name of a migration, so that file names stay readable.
const LONGEST: usize = 60;

impl Numbering {
    /// The number after `newest`, always above it.
    pub(super) fn next(self, newest: i64) -> i64 {
        let following = newest.saturating_add(1);
        match self {
            Self::Sequence => following,
            Self::Time => following.max(now()),
        }
    }
}

/// The present as `YYYYMMDDHHMMSS`.
fn now() -> i64 {
    stamp(OffsetDateTime::now_utc())
}

fn stamp(at: OffsetDateTime) -> i64 {
    let date = i64::from(at.year()) * 10_000 + i64::from(u8::from(at.month())) * 100;
    let time = i64::from(at.hour()) * 10_000 + i64::from(at.minute()) * 100;
    (date + i64::from(at.day())) * 1_000_000 + time + i64::from(at.second())
}

/// A name that the user gave.
pub(super) fn checked(name: &str) -> Result<String, GenerateError> {
    let fits = !name.is_empty()
        && name.len() <= LONGEST
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if fits { Ok(name.to_owned()) } else { Err(GenerateError::Name { name: name.to_owned() }) }
}

/// A name from what is done: the first change, and that there are more.
pub(super) fn of(revision: &Revision) -> String {
    let first = revision.renames.first().map(ToString::to_string);
    let first = first.or_else(|| revision.steps.first().map(|step| step.what.clone()));
    let more = revision.renames.len() + revision.steps.len() > 1;
    let mut name: String = first
        .unwrap_or_default()
        .to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && *word != "public")
        .collect::<Vec<_>>()
        .join("_");
    name.truncate(LONGEST - "_and_more".len());
    if name.is_empty() {
        return "changes".to_owned();
    }
    if more { format!("{name}_and_more") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_of_the_calendar() {
        let at = |seconds| stamp(OffsetDateTime::from_unix_timestamp(seconds).unwrap());
        assert_eq!(at(951_782_400), 20_000_229_000_000);
        assert_eq!(at(1_798_761_599), 20_261_231_235_959);
    }

    #[test]
    fn a_number_is_always_above_the_newest() {
        assert_eq!(Numbering::Sequence.next(7), 8);
        assert_eq!(Numbering::Time.next(99_990_101_000_000), 99_990_101_000_001);
    }

    #[test]
    fn names_are_words() {
        assert!(checked("add_summary-2").is_ok());
        for wrong in ["", "a b", "a/b", "ä", &"x".repeat(61)] {
            assert!(checked(wrong).is_err(), "{wrong}");
        }
    }
}
