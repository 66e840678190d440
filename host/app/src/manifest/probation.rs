//! `probation = { … }`: when a new generation is taken back by the host itself.

use std::time::Duration;

use avenire_engine::Probation;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::limits::time;

/// What a manifest changes of a probation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct ProbationTable {
    enabled: bool,
    #[serde(deserialize_with = "time")]
    time: Option<Duration>,
    #[serde(deserialize_with = "calls")]
    calls: Option<u64>,
    #[serde(deserialize_with = "faults")]
    faults: Option<u16>,
}

impl Default for ProbationTable {
    fn default() -> Self {
        Self { enabled: true, time: None, calls: None, faults: None }
    }
}

impl ProbationTable {
    pub(super) fn over_defaults(&self) -> Option<Probation> {
        let default = Probation::default();
        self.enabled.then(|| Probation {
            time: self.time.unwrap_or(default.time),
            calls: self.calls.unwrap_or(default.calls),
            faults_per_mille: self.faults.unwrap_or(default.faults_per_mille),
        })
    }
}

fn calls<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    match u32::deserialize(input)? {
        0 => Err(D::Error::custom("nothing is concluded before at least 1 call")),
        calls => Ok(Some(u64::from(calls))),
    }
}

/// A share between 0 and 1, as so many in a thousand.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
fn faults<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u16>, D::Error> {
    let share = f64::deserialize(input)?;
    if !(0.0..=1.0).contains(&share) {
        return Err(D::Error::custom("a share of calls is between 0 and 1, such as 0.2"));
    }
    Ok(Some((share * 1000.0).round() as u16))
}
