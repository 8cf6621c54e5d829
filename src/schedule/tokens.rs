//! How many items may be in flight, and when one leaves room for another.
//!
//! # The law of the tokens
//! - A token is taken for an item before it is pulled from the source. The end of the source is found with a
//!   token in hand too, so the last batch waits for one if it is not full.
//! - It comes back when the batch that the item is in is handed to the caller, whether the item is good or
//!   failed. What was taken and not used, since the source had ended, comes back at once.
//! - Nothing else bounds what is in flight: every queue is as long as its tokens allow.

/// Documents a batch where that was left open.
pub(crate) const BATCH_SIZE: usize = 16;
/// Batches ahead where that was left open.
pub(crate) const AHEAD: usize = 2;
/// Batches ahead that gapless chooses at most, where that is left to it.
pub(crate) const MOST_AHEAD: usize = 8;
/// Documents in flight beyond which a number is a mistake in the units and not a wish.
pub(crate) const MOST_TOKENS: usize = 1 << 24;
/// Items ahead, at least, where that was left open and there is no device: enough to take tiny ones in groups.
const ITEMS_AHEAD: usize = 64;
/// Tokens that plain items have at least.
const PLAIN_TOKENS: usize = 512;
/// Bytes that plain items may take for it in all, with documents, prepared items and results.
const PLAIN_BYTES: usize = 64 << 10;

/// Batches in flight beside those ahead: on the devices, whose depths these are in all, the one that is being
/// filled, and one in `then`.
pub(crate) fn beside(depths: usize, then: bool) -> usize {
    depths.saturating_add(1 + usize::from(then))
}

/// Tokens for so many batches of this size; never fewer than two batches and four items a worker.
pub(crate) fn for_batches(batches: usize, size: usize, workers: usize) -> usize {
    batches.saturating_mul(size).max(size.saturating_mul(2)).max(workers.saturating_mul(4))
}

/// Tokens where an item is a whole batch: each worker makes one, some are ahead, and the devices hold theirs.
pub(crate) fn for_whole_batches(workers: usize, ahead: usize, depths: usize) -> usize {
    workers.saturating_add(ahead).saturating_add(depths)
}

/// Tokens without a device: an item a worker, and those ahead. `chunk` are the items that a worker takes in one
/// go, where that was set.
pub(crate) fn without_device(workers: usize, ahead: Option<usize>, chunk: Option<usize>) -> usize {
    let chunks = (2 * workers).saturating_mul(chunk.unwrap_or(2));
    workers.saturating_add(ahead.unwrap_or(chunks.max(ITEMS_AHEAD))).max(1)
}

/// Tokens that items have at least where `ahead` was left open, with so many bytes an item on its whole way;
/// 0 where the bytes are not known, since something of the item may own memory.
pub(crate) fn for_plain_items(bytes: Option<usize>) -> usize {
    bytes.map_or(0, |bytes| (PLAIN_BYTES / bytes.max(1)).min(PLAIN_TOKENS))
}

/// What is in flight at most, and when a batch is cut for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Good and failed items at which a batch is cut, whatever else it waits for: the tokens that items of any
    /// kind have.
    pub(crate) limit: usize,
    pub(crate) tokens: usize,
}

impl Room {
    /// `items` follow from the settings, `least` are for items of this kind, and `most` are there at all.
    pub(crate) fn new(items: usize, least: usize, most: usize) -> Self {
        let limit = items.min(most);
        Self { limit, tokens: limit.max(least).min(most) }
    }
}

/// The tokens of one run, counted.
#[derive(Clone, Debug)]
pub(crate) struct Purse {
    total: usize,
    free: usize,
}

impl Purse {
    pub(crate) fn new(total: usize) -> Self {
        Self { total, free: total }
    }

    /// Tokens that can be taken now.
    pub(crate) fn available(&self) -> usize {
        self.free
    }

    /// Takes between 1 and `want` tokens; `None` where none can be taken.
    pub(crate) fn take(&mut self, want: usize) -> Option<usize> {
        let taken = Some(want.min(self.available())).filter(|taken| *taken > 0)?;
        self.free -= taken;
        Some(taken)
    }

    /// A batch of so many good and failed items was handed to the caller.
    pub(crate) fn give_back(&mut self, good: usize, failed: usize) {
        self.give(good + failed);
    }

    /// Tokens that were taken and not used.
    pub(crate) fn give(&mut self, tokens: usize) {
        self.free += tokens;
        debug_assert!(self.free <= self.total, "more tokens came back than were taken");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_for_what_is_ahead_on_the_devices_being_filled_and_in_then() {
        assert_eq!(for_batches(AHEAD + beside(1, false), 16, 4), 64);
        assert_eq!(for_batches(AHEAD + beside(2 + 3, true), 16, 4), 9 * 16);
        assert_eq!(for_batches(1, 16, 4), 32, "two batches at least");
        assert_eq!(for_batches(4, 1, 8), 32, "four items a worker at least");
        assert_eq!(for_whole_batches(4, 2, 3), 9);
    }

    #[test]
    fn without_a_device_tokens_are_for_items() {
        assert_eq!(without_device(4, Some(3), None), 7);
        assert_eq!(without_device(4, None, None), 4 + 64);
        assert_eq!(without_device(4, None, Some(100)), 4 + 800);
        assert_eq!(without_device(0, Some(0), None), 1);
    }

    #[test]
    fn plain_items_have_more_tokens_while_they_are_small() {
        let tokens = [None, Some(0), Some(8), Some(128), Some(1024), Some(1 << 20)].map(for_plain_items);
        assert_eq!(tokens, [0, 512, 512, 512, 64, 0]);
    }

    #[test]
    fn more_tokens_move_no_cut_and_memory_bounds_both() {
        assert_eq!(Room::new(64, 512, usize::MAX), Room { limit: 64, tokens: 512 });
        assert_eq!(Room::new(64, 0, usize::MAX), Room { limit: 64, tokens: 64 });
        assert_eq!(Room::new(64, 512, 100), Room { limit: 64, tokens: 100 });
        assert_eq!(Room::new(64, 512, 10), Room { limit: 10, tokens: 10 });
    }

    #[test]
    fn what_was_taken_comes_back_with_its_batch() {
        let mut purse = Purse::new(5);
        assert_eq!([purse.take(3), purse.take(3), purse.take(3)], [Some(3), Some(2), None]);
        purse.give_back(2, 1);
        assert_eq!(purse.available(), 3);
    }
}
