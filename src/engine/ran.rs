//! A run in the terms of a prediction: what it was asked to do, and what things cost in it.
//!
//! It measures nothing of its own; the counters of the run hold it all.

use std::sync::atomic::Ordering;

use super::caller::Caller;
use super::job::{After, Job};
use super::settings::Settings;
use crate::observe::changes::Rerun;
use crate::observe::fit::Fit;
use crate::observe::meters::DeviceMeter;
use crate::observe::predict;

/// What a run was asked to do, as far as it can be predicted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Predictable {
    settings: predict::Settings,
    tokens: usize,
}

impl Predictable {
    /// `None` where the run goes in a way whose changes are not predicted: everything in turn, items that are
    /// whole batches, no device, a live source, or settings that the run itself chooses.
    pub(crate) fn new<P>(
        settings: &Settings<P>,
        workers: usize,
        depths: &[usize],
        tokens: usize,
    ) -> Option<Self> {
        let depth = *depths.first()?;
        let live = settings.max_wait.is_some();
        if settings.direct
            || settings.whole_batches
            || live
            || settings.asked.anything()
            || workers == 0
            || depths.iter().any(|other| *other != depth)
        {
            return None;
        }
        let asked = predict::Settings::new(0)
            .batch_size(settings.batch_size)
            .workers(workers)
            .ahead(settings.ahead())
            .ramp(settings.ramp)
            .depth(depth)
            .devices(depths.len());
        Some(Self { settings: asked, tokens })
    }
}

impl<J: Job> Caller<J> {
    /// What things cost, and how to predict the run again; `None` before the first batch has left a device.
    pub(super) fn ran(&self) -> Option<Rerun> {
        let mut fit = Fit::default();
        self.devices.iter().for_each(|device| fit.merge(&device.fit()));
        let batch = fit.cost()?;
        let costs = batch.on(self.document_costs()?);
        let tokens = self.predictable.map_or(0, |asked| asked.tokens);
        let formula = |asked: Predictable| asked.settings.tokens(J::After::PER_ROW);
        let more = self.predictable.is_some_and(|asked| asked.tokens > formula(asked));
        Some(Rerun {
            costs,
            other_sizes: batch.knows_other_sizes(),
            settings: self.ended_by_itself(),
            least_tokens: if more { tokens } else { 0 },
        })
    }

    fn document_costs(&self) -> Option<predict::Costs> {
        let meters = &self.shared.meters;
        let accounts = self.shared.ledger.lock().accounts();
        let documents = (accounts.delivered + accounts.failed) as f64;
        let prepared = meters.prepared.load(Ordering::Relaxed) as f64;
        if documents == 0.0 || prepared == 0.0 {
            return None;
        }
        // While the run goes on more is prepared than is out; and an item may hold a batch of documents.
        let items: u64 = self.devices.iter().map(|device| device.items.load(Ordering::Relaxed)).sum();
        let in_item = (accounts.delivered as f64 / items.max(1) as f64).max(1.0);
        let costs = predict::Costs::default()
            .source(meters.source.get().as_secs_f64() / accounts.pulled as f64)
            .cpu(meters.prepare.get().as_secs_f64() / (prepared * in_item))
            .caller(self.caller_seconds() / self.batches_out().max(1) as f64);
        let then = meters.then.get().as_secs_f64() / documents;
        Some(if J::After::PER_ROW { costs.then(then) } else { costs })
    }

    /// The settings with the documents that went through; `None` unless the run has ended by itself.
    fn ended_by_itself(&self) -> Option<predict::Settings> {
        let accounts = self.shared.ledger.lock().accounts();
        let whole = accounts.pulled == accounts.delivered + accounts.failed;
        let lost = |device: &DeviceMeter| device.losses.load(Ordering::Relaxed) > 0;
        let ended = self.shared.meters.ended.get().is_some();
        if !ended || !whole || self.devices.iter().any(|device| lost(device)) {
            return None;
        }
        self.predictable.map(|asked| predict::Settings { documents: accounts.pulled, ..asked.settings })
    }
}
