//! Repeatable randomness: SplitMix64. Never: asks the machine for any.

/// A source of numbers that is the same for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0, below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// True so many times out of a hundred.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them; none of an empty list.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())) }
    }

    /// A position in a list; none in an empty one.
    pub(super) fn place<T>(&mut self, list: &[T]) -> Option<usize> {
        if list.is_empty() { None } else { Some(self.below(list.len())) }
    }

    /// Some number, so many times out of a hundred.
    pub(super) fn maybe(&mut self, percent: usize) -> Option<usize> {
        self.chance(percent).then(|| self.below(1000))
    }
}
