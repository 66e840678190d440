//! Keyset paging: pages that begin at a row's place in the order instead of an offset.
//! Owns limits, directions and the way on. Never: builds a whole query.

use avenire_sdk::prelude::*;

use crate::bindings::exports::avenire::chat::queries::{PageStart, Position};

/// The most rows a page has.
const MAX_LIMIT: u32 = 200;

/// The limit as the database takes it; `invalid` when it is 0 or too large.
pub(crate) fn check_limit(limit: u32) -> Result<i64, Failure> {
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(i64::from(limit));
    }
    Err(invalid("limit", format!("{limit} is not between 1 and {MAX_LIMIT}")))
}

/// Which rows a page is cut from, in the list's own order.
pub(crate) enum Cut {
    /// All.
    First,
    /// Those behind a place.
    After(Timestamp, String),
    /// Those in front of a place, nearest first: the page comes out turned round.
    Before(Timestamp, String),
}

impl From<PageStart> for Cut {
    fn from(start: PageStart) -> Self {
        match start {
            PageStart::First => Self::First,
            PageStart::After(Position { created_at, id }) => Self::After(created_at.into(), id),
            PageStart::Before(Position { created_at, id }) => Self::Before(created_at.into(), id),
        }
    }
}

impl Cut {
    fn is_turned(&self) -> bool {
        matches!(self, Self::Before(..))
    }
}

/// Makes a page of rows that were fetched one more than the limit: whether that one is
/// there says whether there is more. Returns the page in the list's order and the way on.
pub(crate) fn page<T>(mut rows: Vec<T>, limit: i64, cut: &Cut) -> (Vec<T>, Option<Position>)
where
    for<'row> Position: From<&'row T>,
{
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(Position::from) } else { None };
    if cut.is_turned() {
        rows.reverse();
    }
    (rows, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use avenire_sdk::wit::Timestamp as WitTimestamp;

    struct Row(i64);

    impl From<&Row> for Position {
        fn from(row: &Row) -> Self {
            Self { created_at: WitTimestamp { unix_micros: row.0 }, id: row.0.to_string() }
        }
    }

    fn rows(numbers: &[i64]) -> Vec<Row> {
        numbers.iter().copied().map(Row).collect()
    }

    fn numbers(rows: &[Row]) -> Vec<i64> {
        rows.iter().map(|row| row.0).collect()
    }

    #[test]
    fn the_row_over_the_limit_is_not_shown_but_tells_that_there_is_more() {
        let (shown, next) = page(rows(&[1, 2, 3]), 2, &Cut::First);
        assert_eq!(numbers(&shown), [1, 2]);
        assert_eq!(next.unwrap().id, "2");
    }

    #[test]
    fn a_page_that_fits_is_the_last() {
        let (shown, next) = page(rows(&[1, 2]), 2, &Cut::First);
        assert_eq!(numbers(&shown), [1, 2]);
        assert!(next.is_none());
    }

    #[test]
    fn paging_back_keeps_the_list_s_order_and_goes_on_from_its_far_end() {
        let cut = Cut::Before(Timestamp::from_unix_micros(9), "9".into());
        let (shown, next) = page(rows(&[8, 7, 6]), 2, &cut);
        assert_eq!(numbers(&shown), [7, 8]);
        assert_eq!(next.unwrap().id, "7");
    }

    #[test]
    fn limits_outside_the_documented_range_are_invalid() {
        assert!(check_limit(0).is_err());
        assert!(check_limit(201).is_err());
        assert_eq!(check_limit(200).unwrap(), 200);
    }
}
