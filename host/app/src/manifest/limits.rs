//! `limits = { … }`: sizes such as `"32MiB"`, times such as `"5s"`, counts.

use std::time::Duration;

use avenire_engine::Limits;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// One page of WebAssembly memory.
const MIN_MEMORY: usize = 64 << 10;

/// The limits that a manifest changes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct LimitsTable {
    #[serde(deserialize_with = "memory")]
    memory: Option<usize>,
    #[serde(deserialize_with = "time")]
    time: Option<Duration>,
    statements: Option<u32>,
    rows: Option<u64>,
    #[serde(deserialize_with = "size")]
    bytes: Option<u64>,
    #[serde(deserialize_with = "size")]
    statement_bytes: Option<u64>,
    handles: Option<u16>,
    #[serde(deserialize_with = "size")]
    transfer: Option<u64>,
    #[serde(deserialize_with = "count")]
    concurrency: Option<usize>,
    queue: Option<u32>,
    #[serde(deserialize_with = "size")]
    log: Option<u64>,
}

impl LimitsTable {
    pub(super) fn over_defaults(&self) -> Limits {
        let default = Limits::default();
        let bytes = |given: Option<u64>, default| {
            given.map_or(default, |n| usize::try_from(n).unwrap_or(usize::MAX))
        };
        Limits {
            memory: self.memory.unwrap_or(default.memory),
            time: self.time.unwrap_or(default.time),
            statements: self.statements.unwrap_or(default.statements),
            rows: self.rows.unwrap_or(default.rows),
            bytes: self.bytes.unwrap_or(default.bytes),
            statement_bytes: bytes(self.statement_bytes, default.statement_bytes),
            handles: self.handles.map_or(default.handles, usize::from),
            transfer: bytes(self.transfer, default.transfer),
            concurrency: self.concurrency.unwrap_or(default.concurrency),
            queue: self.queue.map_or(default.queue, |n| n as usize),
            log: bytes(self.log, default.log),
        }
    }
}

fn size<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(input)?;
    parse_size(&text).map(Some).ok_or_else(|| {
        D::Error::custom(format!("`{text}` is not a size; write `512KiB`, `32MiB` or `1GiB`"))
    })
}

fn memory<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    let bytes = size(input)?.unwrap_or(0);
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    if bytes < MIN_MEMORY {
        return Err(D::Error::custom("an instance needs at least 64KiB of memory"));
    }
    if bytes > Limits::MAX_MEMORY {
        return Err(D::Error::custom("an instance may have at most 1GiB of memory"));
    }
    Ok(Some(bytes))
}

pub(super) fn time<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(input)?;
    let time = parse_time(&text).ok_or_else(|| {
        D::Error::custom(format!("`{text}` is not a time; write `250ms`, `5s` or `2min`"))
    })?;
    if time.is_zero() {
        return Err(D::Error::custom("a call needs more than nothing: give it at least `1ms`"));
    }
    Ok(Some(time))
}

fn count<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    match u16::deserialize(input)? {
        0 => Err(D::Error::custom("at least 1 call must be allowed to run")),
        calls => Ok(Some(usize::from(calls))),
    }
}

/// A whole number with a unit: `B`, `kB`, `MB`, `GB` (powers of 1000), `KiB`,
/// `MiB`, `GiB` (powers of 1024).
fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
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
    number.checked_mul(factor)
}

/// A whole number with a unit: `ms`, `s`, `min`, `h`.
fn parse_time(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    // A day is far beyond what a query function may need.
    number.checked_mul(millis).filter(|&ms| ms <= 86_400_000).map(Duration::from_millis)
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_with_their_units() {
        assert_eq!(parse_size("32MiB"), Some(32 << 20));
        assert_eq!(parse_size("1 kB"), Some(1000));
        assert_eq!(parse_size("32"), None);
        assert_eq!(parse_size("99999999999GiB"), None);
        assert_eq!(parse_time("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_time("2min"), Some(Duration::from_mins(2)));
        assert_eq!(parse_time("-1s"), None);
        assert_eq!(parse_time("999999h"), None);
        assert_eq!(parse_time("18446744073709551615ms"), None);
    }
}
