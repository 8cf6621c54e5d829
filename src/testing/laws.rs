//! Each law, checked with stages of its own.

use std::collections::VecDeque;
use std::ops::Range;
use std::thread;

use super::StageCheck;
use super::broken::{BrokenLaw, Checked, Law, broken, ensure};
use super::probe::{Probe, told};
use crate::error::guard::guard;
use crate::stage::{GpuStage, Rows, StageError};

/// Batches in a row, for each that may be in flight.
const ROUNDS: usize = 3;

impl<P, G> StageCheck<'_, P, G>
where
    P: Sync,
    G: GpuStage<P, Output: Rows>,
{
    /// The output of each item alone: what its row is everywhere else.
    pub(super) fn alone(&mut self) -> Checked<Vec<G::Output>> {
        let said = "three items or more are needed, to see their order";
        ensure(Law::Items, self.items.len() >= 3, || said.into())?;
        let mut probe = self.open_for(1)?;
        let alone: Vec<_> = self.items.chunks(1).map(|item| probe.run(item)).collect::<Checked<_>>()?;
        for (at, pair) in alone.windows(2).enumerate() {
            let differ = !(self.same)((&pair[0], 0), (&pair[1], 0));
            ensure(Law::Items, differ, || format!("items {at} and {} give the same row", at + 1))?;
        }
        Ok(alone)
    }

    fn open(&mut self) -> Checked<Probe<G>> {
        self.open_for(self.items.len())
    }

    fn open_for(&mut self, max_batch: usize) -> Checked<Probe<G>> {
        Probe::open(self.made()?, max_batch, self.patience)
    }

    fn made(&mut self) -> Checked<G> {
        guard(|| (self.make)()).or_else(|panic| broken(Law::Panics, format!("make {panic}")))
    }

    /// Rows of a batch of these items are those that they have alone.
    fn compare(&self, output: &G::Output, items: Range<usize>, alone: &[G::Output], law: Law) -> Checked {
        let size = items.len();
        for (index, item) in items.enumerate() {
            let is = |other: &G::Output| (self.same)((output, index), (other, 0));
            if is(&alone[item]) {
                continue;
            }
            let which = format!("row {index} of a batch of {size} is not that of its item");
            let elsewhere = alone.iter().any(is);
            return match (law, elsewhere) {
                (Law::Sizes, true) => broken(Law::Order, format!("{which}, but of another")),
                (_, true) => broken(law, format!("{which}, but of another")),
                (_, false) => broken(law, format!("{which} alone")),
            };
        }
        Ok(())
    }

    /// One stage, every size, and the largest once more.
    pub(super) fn any_size(&mut self, alone: &[G::Output]) -> Checked {
        let (mut probe, all) = (self.open()?, self.items.len());
        for size in (1..=all).chain([all]) {
            for first in (0..all).step_by(size) {
                let items = first..all.min(first + size);
                let output = probe.run(&self.items[items.clone()])?;
                self.compare(&output, items, alone, Law::Sizes)?;
            }
        }
        Ok(())
    }

    pub(super) fn in_flight(&mut self, alone: &[G::Output]) -> Checked {
        let (mut probe, all) = (self.open()?, self.items.len());
        let depth = probe.depth()?;
        let mut flying = VecDeque::new();
        for number in 0..=ROUNDS * depth {
            // Two batches of one size, so that one could stand for the other.
            let items = number % 2..number % 2 + all - 1;
            flying.push_back((probe.submit(&self.items[items.clone()])?, items));
            if flying.len() == depth {
                self.land(&mut probe, &mut flying, alone, Law::InFlight)?;
            }
            let now = probe.depth()?;
            ensure(Law::Depth, now == depth, || format!("it was {depth} and became {now}"))?;
        }
        while !flying.is_empty() {
            self.land(&mut probe, &mut flying, alone, Law::InFlight)?;
        }
        Ok(())
    }

    /// Collects the oldest batch.
    fn land(
        &self,
        probe: &mut Probe<G>,
        flying: &mut VecDeque<(G::Ticket, Range<usize>)>,
        alone: &[G::Output],
        law: Law,
    ) -> Checked {
        let Some((mut ticket, items)) = flying.pop_front() else { return Ok(()) };
        let output = probe.collect(&mut ticket, items.len())?;
        self.compare(&output, items, alone, law)
    }

    /// The stage works as it did.
    fn works(&self, probe: &mut Probe<G>, alone: &[G::Output], law: Law) -> Checked {
        let all = 0..self.items.len();
        let output = probe.run(self.items).map_err(|broken| BrokenLaw::of(law, &broken))?;
        self.compare(&output, all, alone, law)
    }

    pub(super) fn accepts(&mut self, alone: &[G::Output]) -> Checked {
        let mut probe = self.open()?;
        for (at, item) in self.items.iter().enumerate() {
            if let Err(cause) = probe.call("accepts", |stage| stage.accepts(item))? {
                return broken(Law::Accepts, format!("item {at} was refused: {cause}"));
            }
        }
        for (at, item) in self.refused.iter().enumerate() {
            let accepted = probe.call("accepts", |stage| stage.accepts(item))?.is_ok();
            ensure(Law::Accepts, !accepted, || format!("item {at} that is to be refused was accepted"))?;
        }
        self.works(&mut probe, alone, Law::Accepts)
    }

    /// Opened here, submitted there, collected elsewhere.
    pub(super) fn threads(&mut self, alone: &[G::Output]) -> Checked {
        let (mut probe, items) = (self.open()?, self.items);
        let submitted = elsewhere(move || probe.submit(items).map(|ticket| (probe, ticket)));
        let (mut probe, mut ticket) = submitted.map_err(|broken| BrokenLaw::of(Law::Threads, &broken))?;
        let collected = elsewhere(move || {
            let output = probe.collect(&mut ticket, items.len());
            output.map(|output| (probe, ticket, output))
        });
        let (probe, ticket, output) = collected.map_err(|broken| BrokenLaw::of(Law::Threads, &broken))?;
        self.compare(&output, 0..items.len(), alone, Law::Threads)?;
        elsewhere(move || quietly("a ticket, and then its stage", || drop((ticket, probe.stage))))
    }

    pub(super) fn drops(&mut self, alone: &[G::Output]) -> Checked {
        let stage = self.made()?;
        quietly("a stage that was not opened", || drop(stage))?;
        let Probe { stage, .. } = self.open()?;
        quietly("a stage that was opened", || drop(stage))?;
        for asked in [false, true] {
            for stage_first in [false, true] {
                self.drop_in_flight(asked, stage_first)?;
            }
        }
        let mut probe = self.open()?;
        let output = probe.run(self.items)?;
        quietly("a stage whose output is kept", || drop(probe.stage))?;
        self.compare(&output, 0..self.items.len(), alone, Law::Drops)?;
        quietly("an output without its stage", || drop(output))
    }

    /// Drops a stage and its tickets while batches are in flight, and where results were asked for and may be there.
    fn drop_in_flight(&mut self, asked: bool, stage_first: bool) -> Checked {
        let mut probe = self.open()?;
        let depth = probe.depth()?;
        let mut tickets = (0..depth).map(|_| probe.submit(self.items)).collect::<Checked<Vec<_>>>()?;
        if let Some(oldest) = tickets.first_mut().filter(|_| asked) {
            let _not_wanted =
                probe.call("try_collect", |stage| stage.try_collect(oldest, std::time::Duration::ZERO))?;
        }
        let stage = probe.stage;
        if stage_first {
            quietly("a stage with batches in flight", || drop(stage))?;
            drop_all("a ticket without its stage", tickets)
        } else {
            drop_all("a ticket of a batch in flight", tickets)?;
            quietly("a stage whose tickets were dropped", || drop(stage))
        }
    }

    pub(super) fn failures(&mut self, alone: &[G::Output]) -> Checked {
        for batch in self.failing.clone() {
            let mut probe = self.open()?;
            let mut flying = VecDeque::new();
            // Where another may be in flight, one that works is.
            if probe.depth()? > 1 {
                flying.push_back((probe.submit(self.items)?, 0..self.items.len()));
            }
            let submitted = probe.try_submit(batch)?;
            self.land(&mut probe, &mut flying, alone, Law::Failures)?;
            let failed = match submitted {
                Ok(mut ticket) => probe.try_collect(&mut ticket)?.err(),
                Err(error) => Some(error),
            };
            match failed {
                None => return broken(Law::Failures, "a batch that is to fail gave a result"),
                Some(error @ StageError::Lost(_)) => {
                    return broken(Law::Failures, format!("a batch that is to fail: {}", told(&error)));
                }
                Some(StageError::Batch(_) | StageError::TooLarge(_)) => {}
            }
            self.works(&mut probe, alone, Law::Failures)?;
        }
        Ok(())
    }

    /// A stage that says that it can be made again is as it was, also where its device was there.
    pub(super) fn reopens(&mut self, alone: &[G::Output]) -> Checked {
        let mut probe = self.open()?;
        let depth = probe.depth()?;
        let tickets = (0..depth).map(|_| probe.submit(self.items)).collect::<Checked<Vec<_>>>()?;
        drop_all("a ticket of a batch in flight", tickets)?;
        match probe.call("reopen", GpuStage::reopen)? {
            Ok(()) => self.is_as_it_was(&mut probe, depth, alone),
            Err(StageError::Lost(cause)) => {
                broken(Law::Loss, format!("reopen: the device that is there is lost: {cause}"))
            }
            // It cannot be made again, which is right unless it was said how it loses its device.
            Err(_) => Ok(()),
        }
    }

    fn is_as_it_was(&self, probe: &mut Probe<G>, depth: usize, alone: &[G::Output]) -> Checked {
        let now = probe.depth()?;
        ensure(Law::Depth, now == depth, || format!("it was {depth} and is {now} after reopen"))?;
        self.works(probe, alone, Law::Loss)
    }

    pub(super) fn loss(&mut self, alone: &[G::Output]) -> Checked {
        let Some(mut lose) = self.lose.take() else { return Ok(()) };
        let mut probe = self.open()?;
        let depth = probe.depth()?;
        let mut before = probe.submit(self.items)?;
        probe.call("the function given to loses", |stage| lose(stage))?;
        // What was in flight may have been done before.
        let told_before = match probe.try_collect(&mut before)? {
            Ok(output) => {
                self.compare(&output, 0..self.items.len(), alone, Law::Loss)?;
                false
            }
            Err(error) => is_loss(&error)?,
        };
        quietly("the ticket of a lost device", || drop(before))?;
        if !told_before {
            let error = match probe.try_submit(self.items)? {
                Ok(mut ticket) => probe.try_collect(&mut ticket)?.err(),
                Err(error) => Some(error),
            };
            let Some(error) = error else { return broken(Law::Loss, "a lost device gives results") };
            is_loss(&error)?;
        }
        match probe.call("reopen", GpuStage::reopen)? {
            Ok(()) => self.is_as_it_was(&mut probe, depth, alone),
            Err(error) => broken(Law::Loss, format!("it could not be made again: {}", told(&error))),
        }
    }
}

fn is_loss(error: &StageError) -> Checked<bool> {
    let said = || format!("a lost device is not told as StageError::Lost; {}", told(error));
    ensure(Law::Loss, matches!(error, StageError::Lost(_)), said)?;
    Ok(true)
}

/// Calls this on a thread of its own.
fn elsewhere<T: Send>(call: impl FnOnce() -> Checked<T> + Send) -> Checked<T> {
    thread::scope(|scope| {
        let made = scope.spawn(call).join();
        made.unwrap_or_else(|_| broken(Law::Panics, "on another thread"))
    })
}

/// Drops what may panic when it is dropped.
fn quietly(what: &str, drop: impl FnOnce()) -> Checked {
    guard(drop).or_else(|panic| broken(Law::Drops, format!("{what}: it {panic}")))
}

/// Drops each for itself, also behind one that panics.
fn drop_all<T>(what: &str, values: Vec<T>) -> Checked {
    let dropped: Vec<Checked> = values.into_iter().map(|value| quietly(what, || drop(value))).collect();
    dropped.into_iter().collect()
}
