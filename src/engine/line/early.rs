//! Cuts that measured costs ask for: small batches for a device that idles while costs are learnt, and
//! another size from the next cut on.

use super::{Aftermath, Line};

/// Whether a device that has nothing to do still gets small batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Early {
    Over,
    /// Until one is full.
    GoesOn,
    /// From one item on, until one is full.
    Anew,
}

impl<D, P> Line<D, P> {
    /// A device has nothing to do: what stands is cut, now or as soon as it is enough. False where every
    /// batch waits until it is full by now.
    ///
    /// Enough is 1, 2, 4, … items, so that there are few such batches however often a device asks.
    pub(crate) fn feed_idle(&mut self) -> (bool, Aftermath<D, P>) {
        let mut after = Aftermath::default();
        let Some(least) = self.early else { return (false, after) };
        self.size = least.min(self.cuts.size);
        if self.open.items.len() >= self.size {
            self.cut(&mut after);
        }
        (true, after)
    }

    /// Cuts at this size from now on, or where the open batch holds `limit` items.
    pub(crate) fn cut_at(&mut self, size: usize, limit: usize, early: Early) -> Aftermath<D, P> {
        let mut after = Aftermath::default();
        let small = self.size < self.cuts.size && (early != Early::Over || self.early.is_none());
        self.size = if small { self.size.min(size) } else { size };
        self.cuts.size = size;
        self.cuts.limit = limit;
        self.early = match early {
            Early::Over => None,
            Early::GoesOn => self.early,
            Early::Anew => Some(1),
        };
        if self.open.items.len() >= self.size || self.open.len() >= limit {
            self.cut(&mut after);
        }
        after
    }

    /// Items of the next batch, after one of so many.
    pub(super) fn size_after(&mut self, items: usize) -> usize {
        match self.early {
            None => (self.size * 2).min(self.cuts.size),
            Some(least) => {
                self.early = (items < self.cuts.size).then(|| if items == 0 { least } else { 2 * least });
                self.cuts.size
            }
        }
    }
}
