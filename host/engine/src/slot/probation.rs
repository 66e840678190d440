//! When a new generation is worse than it may be. Pure arithmetic.
//! Never: takes a generation back; the slot does.

use std::time::Duration;

/// The terms on which a new generation serves at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probation {
    /// How long it lasts, from the generation's publication.
    pub time: Duration,
    /// So many calls must have ended before anything is concluded.
    pub calls: u64,
    /// More faults than so many in a thousand calls are too many.
    pub faults_per_mille: u16,
}

impl Default for Probation {
    /// Five minutes; more than a fifth of twenty calls or more.
    fn default() -> Self {
        Self { time: Duration::from_mins(5), calls: 20, faults_per_mille: 200 }
    }
}

/// What became of a generation's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that ended.
    pub calls: u64,
    /// Those of them that failed by the component's fault: a [`CallError`](crate::CallError) of
    /// [`Blame::Guest`](crate::Blame::Guest), or a statement that Postgres can not understand or
    /// does not allow (SQLSTATE class 42).
    pub faults: u64,
}

/// Too many faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What became of its calls.
    pub tally: Tally,
    /// What was allowed, in a thousand.
    pub faults_per_mille: u16,
    /// How long the generation had served.
    pub after: Duration,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tally: Tally { calls, faults }, faults_per_mille, after } = self;
        let allowed = f64::from(*faults_per_mille) / 10.0;
        let seconds = after.as_secs();
        write!(
            f,
            "{faults} of its first {calls} calls failed by its own fault within {seconds} s, \
             more than the {allowed} % that its probation allows"
        )
    }
}

impl Probation {
    /// Whether a generation that has served for `age` has failed. Not when the one before it was no
    /// better: then something else is wrong, and going back would not mend it.
    pub(super) fn judge(
        &self,
        age: Duration,
        tally: Tally,
        former: Option<Tally>,
    ) -> Option<Fault> {
        let Tally { calls, faults } = tally;
        let share = |tally: Tally| (u128::from(tally.faults), u128::from(tally.calls.max(1)));
        let (own, of) = share(tally);
        let over = own * 1000 > of * u128::from(self.faults_per_mille);
        let worse = former.is_none_or(|former| {
            let (theirs, all) = share(former);
            own * all > theirs * of
        });
        (age <= self.time && calls >= self.calls && faults > 0 && over && worse).then_some(Fault {
            tally,
            faults_per_mille: self.faults_per_mille,
            after: age,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn judge(calls: u64, faults: u64, former: Option<(u64, u64)>) -> bool {
        let former = former.map(|(calls, faults)| Tally { calls, faults });
        Probation::default().judge(MINUTE, Tally { calls, faults }, former).is_some()
    }

    #[test]
    fn few_calls_and_few_faults_conclude_nothing() {
        assert!(!judge(19, 19, None));
        assert!(!judge(20, 4, None));
        assert!(judge(20, 5, None));
        assert!(!judge(1000, 200, None));
        assert!(judge(1000, 201, None));
    }

    #[test]
    fn after_its_probation_a_generation_stays() {
        let tally = Tally { calls: 100, faults: 100 };
        let probation = Probation::default();
        assert!(probation.judge(probation.time, tally, None).is_some());
        assert!(probation.judge(probation.time + Duration::from_nanos(1), tally, None).is_none());
    }

    #[test]
    fn nothing_is_won_by_going_back_to_what_was_no_better() {
        assert!(judge(100, 50, Some((1000, 10))));
        assert!(!judge(100, 50, Some((10, 5))));
        assert!(judge(100, 51, Some((10, 5))));
    }

    #[test]
    fn a_fault_is_told_in_words() {
        let fault = Probation::default()
            .judge(Duration::from_secs(3), Tally { calls: 20, faults: 5 }, None)
            .unwrap();
        assert_eq!(
            fault.to_string(),
            "5 of its first 20 calls failed by its own fault within 3 s, \
             more than the 20 % that its probation allows"
        );
    }
}
