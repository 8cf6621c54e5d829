//! A run in the terms of a prediction: what it was asked to do, and what things cost in it.
//!
//! It measures nothing of its own; the counters of the run hold it all.

use std::sync::atomic::Ordering;

use super::figures::{caller_seconds, source_seconds};
use super::processor::{Processor, works};
use crate::engine::ledger::{Ledger, Predictable};
use crate::observe::changes::{Cores, Rerun};
use crate::observe::fit::Fit;
use crate::observe::meters::DeviceMeter;
use crate::observe::predict;

/// What things cost, and how to predict the run again; `None` before the first batch has left a device.
pub(super) fn rerun(ledger: &Ledger, processor: &Processor) -> Option<Rerun> {
    let facts = &ledger.facts;
    let mut fit = Fit::default();
    facts.devices.iter().for_each(|device| fit.merge(&device.fit()));
    let batch = fit.cost()?;
    let costs = batch.on(document_costs(ledger)?).times(processor.cpu_cost, device_cost(processor));
    let tokens = facts.predictable.map_or(0, |asked| asked.tokens);
    let formula = |asked: Predictable| asked.settings.tokens(facts.per_row);
    let more = facts.predictable.is_some_and(|asked| asked.tokens > formula(asked));
    Some(Rerun {
        costs,
        other_sizes: batch.knows_other_sizes(),
        cores: Cores { count: processor.cores, seconds: processor.seconds, cpu_share: processor.cpu },
        deepest: facts.devices.iter().map(|device| device.most_depth).min().unwrap_or(1),
        most_devices: most_devices(ledger, processor.cores),
        on_cpu: processor.of_devices > 0.5 * processor.seconds,
        settings: ended_by_itself(ledger),
        least_tokens: if more { tokens } else { 0 },
    })
}

/// What the time of the devices together has to be multiplied with to be their cost.
fn device_cost(processor: &Processor) -> f64 {
    let costs = &processor.device_costs;
    costs.iter().sum::<f64>() / costs.len().max(1) as f64
}

/// Devices that could work at once: as many as there are, or cores where each computes in a thread of its own.
fn most_devices(ledger: &Ledger, cores: usize) -> usize {
    let devices = &ledger.facts.devices;
    if devices.iter().all(|device| works(ledger, device)) { devices.len().max(cores) } else { devices.len() }
}

fn document_costs(ledger: &Ledger) -> Option<predict::Costs> {
    let (meters, facts) = (&ledger.meters, &ledger.facts);
    let accounts = ledger.books.accounts();
    let documents = (accounts.delivered + accounts.failed) as f64;
    let prepared = meters.prepared.load(Ordering::Relaxed) as f64;
    if documents == 0.0 || prepared == 0.0 {
        return None;
    }
    // While the run goes on more is prepared than is out; and an item may hold a batch of documents.
    let items: u64 = facts.devices.iter().map(|device| device.items.load(Ordering::Relaxed)).sum();
    let in_item = (accounts.delivered as f64 / items.max(1) as f64).max(1.0);
    let costs = predict::Costs::default()
        .source(source_seconds(ledger) / accounts.pulled as f64)
        .cpu(meters.prepare.get().as_secs_f64() / (prepared * in_item))
        .caller(caller_seconds(ledger) / ledger.books.batches_out().max(1) as f64);
    let then = meters.then.get().as_secs_f64() / documents;
    Some(if facts.per_row { costs.then(then) } else { costs })
}

/// The settings with the documents that went through; `None` unless the run has ended by itself.
fn ended_by_itself(ledger: &Ledger) -> Option<predict::Settings> {
    let accounts = ledger.books.accounts();
    let whole = accounts.pulled == accounts.delivered + accounts.failed;
    let lost = |device: &DeviceMeter| device.losses.load(Ordering::Relaxed) > 0;
    let ended = ledger.meters.ended.get().is_some();
    if !ended || !whole || ledger.facts.devices.iter().any(|device| lost(device)) {
        return None;
    }
    let predictable = ledger.facts.predictable?;
    Some(predict::Settings { documents: accounts.pulled, ..predictable.settings })
}
