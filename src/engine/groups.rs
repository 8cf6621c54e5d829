//! How many items a worker takes in one go.

use std::time::Duration;

/// Work that a group should hold: below this the engine's own cost shows.
const GROUP_WORK: Duration = Duration::from_micros(50);

/// How many items a group holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    /// Most, where measured time decides.
    pub(crate) most: usize,
    /// So many, where that was asked for.
    pub(crate) fixed: Option<usize>,
    /// Whether the feeder waits for a free worker.
    pub(crate) paced: bool,
}

impl Groups {
    /// Items for the next group: one at first, then about [`GROUP_WORK`] of measured work, where one item
    /// costs so many nanoseconds; `u64::MAX` before the first.
    pub(crate) fn size(self, cost: u64) -> usize {
        match (self.fixed, cost) {
            (Some(items), _) => items,
            (None, u64::MAX) => 1,
            (None, cost) => {
                let items = GROUP_WORK.as_nanos() as u64 / cost.max(1);
                usize::try_from(items).unwrap_or(usize::MAX).clamp(1, self.most)
            }
        }
    }
}
