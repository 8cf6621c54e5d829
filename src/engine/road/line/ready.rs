//! Batches that are cut and that no device has taken, and which devices still hold some.
//!
//! A device may be given up while others work: what it owes comes back here, and they take it. So a device is
//! done only when no batch follows and none of the others holds any.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Aftermath, Batch, Line, Wake};
use crate::engine::seam::Moment;
use crate::place::in_order;

pub(super) struct Ready<D, P> {
    batches: VecDeque<Batch<D, P>>,
    /// By their ranks: whether a device holds batches; `None` once it is given up.
    devices: Vec<Option<bool>>,
    /// Whether no batch is given out yet.
    opens_late: bool,
    ended: bool,
}

/// What a device comes to that asks for a batch.
#[expect(
    clippy::large_enum_variant,
    reason = "it goes to the device thread at once; a box would be an allocation a batch"
)]
pub(crate) enum Taken<D, P> {
    Batch(Batch<D, P>),
    /// None is there; where documents may wait so long only, it has to ask again by then.
    Nothing(Option<Duration>),
    /// No batch will be cut; another device may still give some back.
    Drained,
    /// Nothing will come from anywhere.
    Ended,
}

/// Batches that a device owes, the oldest first.
pub(crate) type Owed<D, P> = Vec<Batch<D, P>>;

/// How a device asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asks {
    pub(crate) rank: usize,
    /// Whether it holds batches now.
    pub(crate) holds: bool,
    /// With `max_wait`, where it idles: what has waited for longer is cut.
    pub(crate) overdue: Option<Duration>,
    /// Whether it idles while costs are learnt: it gets what stands.
    pub(crate) early: bool,
    pub(crate) now: Moment,
}

impl<D, P> Ready<D, P> {
    pub(super) fn new(devices: usize, opens_late: bool) -> Self {
        Self { batches: VecDeque::new(), devices: vec![Some(false); devices], opens_late, ended: false }
    }

    pub(super) fn push(&mut self, batch: Batch<D, P>, wake: &mut Wake) {
        self.batches.push_back(batch);
        *wake = match *wake {
            _ if self.opens_late => Wake::Nobody,
            Wake::Nobody => Wake::Devices(1),
            Wake::Devices(count) => Wake::Devices(count + 1),
            Wake::All => Wake::All,
        };
    }

    pub(super) fn end(&mut self, wake: &mut Wake) {
        self.ended = true;
        self.opens_late = false;
        *wake = Wake::All;
    }

    pub(super) fn close(&mut self) -> impl Iterator<Item = Batch<D, P>> {
        self.ended = true;
        self.opens_late = false;
        std::mem::take(&mut self.batches).into_iter()
    }

    /// Whether a device has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.batches.is_empty() && self.devices.contains(&Some(false))
    }

    fn take(&mut self, rank: usize) -> Option<Batch<D, P>> {
        let batch = if self.opens_late { None } else { self.batches.pop_front() }?;
        self.devices[rank] = Some(true);
        Some(batch)
    }

    /// Whether no device holds any batch.
    fn all_are_free(&self) -> bool {
        self.devices.iter().all(|holds| *holds != Some(true))
    }
}

impl<D, P> Line<D, P> {
    /// A batch for a device, which may give memory of an earlier one.
    pub(crate) fn take(&mut self, asks: Asks, spare: Option<Vec<P>>) -> (Taken<D, P>, Aftermath<D, P>) {
        let mut after = Aftermath::default();
        if let Some(spare) = spare {
            self.recycle(spare);
        }
        let held = self.ready.devices[asks.rank].replace(asks.holds) == Some(true);
        if let Some(batch) = self.give(asks.rank, &mut after) {
            return (Taken::Batch(batch), after);
        }
        if self.ready.ended {
            let ended = self.ready.all_are_free();
            if ended && held {
                after.wake = Wake::All;
            }
            return (if ended { Taken::Ended } else { Taken::Drained }, after);
        }
        if asks.early {
            after.early_is_over = !self.cuts.cutter.feed_idle(asks.rank);
            self.cut_if_full(&mut after);
        }
        let left = asks.overdue.map(|max_wait| self.cut_overdue(max_wait, asks.now, &mut after));
        match self.give(asks.rank, &mut after) {
            Some(batch) => (Taken::Batch(batch), after),
            None => (Taken::Nothing(left), after),
        }
    }

    pub(super) fn count_ready(&self) {
        self.ledger.backlog.batches.store(self.ready.batches.len() as u64, Ordering::Relaxed);
    }

    fn give(&mut self, rank: usize, after: &mut Aftermath<D, P>) -> Option<Batch<D, P>> {
        let batch = self.ready.take(rank)?;
        self.count_ready();
        self.cuts.cutter.was_taken(rank);
        self.cut_if_full(after);
        Some(batch)
    }

    /// Takes back what a device owes that is given up; gives it back where no other device is left.
    pub(crate) fn give_up(&mut self, rank: usize, owed: Owed<D, P>) -> (Option<Owed<D, P>>, Aftermath<D, P>) {
        let mut after = Aftermath::default();
        self.ready.devices[rank] = None;
        if self.ready.devices.iter().all(Option::is_none) {
            let all = owed.into_iter().chain(self.ready.batches.drain(..));
            return (Some(in_order(all, Batch::place)), after);
        }
        let cancels = self.ready.ended && self.closed && self.ledger.stopped();
        #[cfg(test)]
        let cancels = cancels || self.ledger.seam.has(crate::engine::seam::Planted::OwedIsCancelled);
        if cancels {
            after.cancelled.extend(owed.into_iter().map(|batch| batch.items));
        } else {
            let all = self.ready.batches.drain(..).chain(owed);
            self.ready.batches = in_order(all, Batch::place).into();
            self.count_ready();
        }
        after.wake = Wake::All;
        (None, after)
    }
}
