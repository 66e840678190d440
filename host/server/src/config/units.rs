//! Sizes such as `"1MiB"` and times such as `"10s"` in the configuration.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A size in bytes, written as a whole number with a unit: `B`, `kB`, `MB`, `GB` (powers of 1000),
/// `KiB`, `MiB`, `GiB` (powers of 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub usize);

/// A time, written as a whole number with a unit: `ms`, `s`, `min`, `h`, `d`; at most 365 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        size(&text).map(Self).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is not a size; write `512KiB`, `32MiB` or `1GiB`"))
        })
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        time(&text).map(Self).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is not a time; write `250ms`, `5s` or `2min`"))
        })
    }
}

fn size(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(factor)?).ok()
}

fn time(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).filter(|&ms| ms <= 365 * 86_400_000).map(Duration::from_millis)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_with_their_units() {
        assert_eq!(size("1MiB"), Some(1 << 20));
        assert_eq!(size("64 kB"), Some(64_000));
        assert_eq!(size("64"), None);
        assert_eq!(size("99999999999GiB"), None);
        assert_eq!(time("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(time("24h"), Some(Duration::from_hours(24)));
        assert_eq!(time("-1s"), None);
        assert_eq!(time("18446744073709551615ms"), None);
    }
}
