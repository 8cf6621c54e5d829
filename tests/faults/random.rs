//! Random numbers from a seed.

/// A stream of numbers that its seed decides.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        gapless_photos::random::next(&mut self.0)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn size(&mut self, range: std::ops::Range<u64>) -> usize {
        usize::try_from(range.start + self.below(range.end - range.start)).expect("it fits")
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn choose<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.size(0..among.len() as u64)]
    }
}
