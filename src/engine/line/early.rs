//! Cuts that measured costs ask for: small batches for a device that idles while costs are learnt, and
//! another size from the next cut on. What is decided stands in the `Cutter`; here it is carried out.

use super::{Aftermath, Line};
use crate::schedule::cutter::Early;

impl<D, P> Line<D, P> {
    /// A device has nothing to do: what stands is cut, now or as soon as it is enough. False where every
    /// batch waits until it is full by now.
    pub(crate) fn feed_idle(&mut self, device: usize) -> (bool, Aftermath<D, P>) {
        let mut after = Aftermath::default();
        let goes_on = self.cutter.feed_idle(device);
        self.cut_if_full(&mut after);
        (goes_on, after)
    }

    /// A device has taken a batch, while those that have nothing to do are fed early.
    pub(crate) fn was_taken(&mut self, device: usize) -> Aftermath<D, P> {
        let mut after = Aftermath::default();
        self.cutter.was_taken(device);
        self.cut_if_full(&mut after);
        after
    }

    /// Cuts at this size from now on, or where the open batch holds `limit` items.
    pub(crate) fn cut_at(&mut self, size: usize, limit: usize, early: Early) -> Aftermath<D, P> {
        let mut after = Aftermath::default();
        self.cutter.cut_at(size, limit, early);
        self.cut_if_full(&mut after);
        after
    }
}
