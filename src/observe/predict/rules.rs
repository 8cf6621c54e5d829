//! The rules of one pipeline: costs in whole nanoseconds, and where the cuts fall.

use super::{Costs, Settings, Way};
use crate::schedule::cutter::{Begin, Cutter};

/// Nanoseconds since the start, or between two moments. Wide enough for any costs and any number of documents.
pub(super) type Time = u128;

/// What one pipeline does.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Documents of this pipeline.
    pub(super) documents: u64,
    /// Items: documents, or batches where a batch is one call.
    pub(super) items: u64,
    /// Items a batch.
    pub(super) batch: u64,
    pub(super) ramp: bool,
    pub(super) tokens: usize,
    pub(super) workers: usize,
    pub(super) devices: usize,
    pub(super) depth: usize,
    /// Documents an item; the last item may hold fewer.
    documents_per_item: u64,
    /// Of a document.
    pub(super) source: Time,
    pub(super) cpu: Time,
    pub(super) then: Option<Time>,
    /// Of a batch.
    pub(super) caller: Time,
    gpu: [f64; 2],
}

/// Where the cuts fall: the position alone decides.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cuts {
    /// Items of the first batches, which are smaller than a full one.
    pub(super) ramp: Vec<u64>,
    /// Full batches after them.
    pub(super) full: u64,
    /// Items of the last batch where it is not full, else 0.
    pub(super) last: u64,
}

impl Rules {
    pub(super) fn new(costs: &Costs, settings: &Settings, documents: u64) -> Self {
        let whole = settings.way == Way::PerBatch;
        let per_item = if whole { settings.batch_size as u64 } else { 1 };
        Self {
            documents,
            items: documents.div_ceil(per_item),
            batch: if whole { 1 } else { settings.batch_size as u64 },
            ramp: settings.ramp,
            tokens: settings.tokens(costs.then.is_some()),
            workers: settings.workers,
            devices: settings.devices,
            depth: settings.depth.max(1),
            documents_per_item: per_item,
            source: nanos(costs.source),
            cpu: nanos(costs.cpu),
            then: costs.then.map(nanos),
            caller: nanos(costs.caller),
            gpu: [costs.gpu_launch, costs.gpu_item],
        }
    }

    /// Time of a device for a batch of so many documents.
    pub(super) fn gpu(&self, documents: u64) -> Time {
        nanos(self.gpu[0] + self.gpu[1] * documents as f64)
    }

    /// Documents of the item at this position.
    pub(super) fn weight(&self, position: u64) -> u64 {
        self.documents_per_item.min(self.documents - position * self.documents_per_item)
    }

    /// Documents of a batch of so many items that ends before this position.
    pub(super) fn documents_in(&self, items: u64, end: u64) -> u64 {
        if self.documents_per_item == 1 { items } else { self.weight(end - 1) }
    }

    /// What decides where the cuts fall, before the first.
    pub(super) fn cutter(&self) -> Cutter {
        let begin = if self.ramp { Begin::Ramp } else { Begin::Full };
        Cutter::new(self.batch as usize, self.tokens, begin)
    }

    pub(super) fn cuts(&self) -> Cuts {
        let (mut left, mut ramp, mut cutter) = (self.items, Vec::new(), self.cutter());
        while cutter.size() < cutter.full() && left >= cutter.size() as u64 {
            let size = cutter.size();
            ramp.push(size as u64);
            left -= size as u64;
            cutter.was_cut(size);
        }
        let full = if cutter.size() == cutter.full() { left / self.batch } else { 0 };
        Cuts { ramp, full, last: left - full * self.batch }
    }

    /// Work of all devices together.
    pub(super) fn device_work(&self) -> Time {
        let cuts = self.cuts();
        let full = cuts.full.min(self.documents / (self.batch * self.documents_per_item));
        let ramp: Time = cuts.ramp.iter().map(|size| self.gpu(*size)).sum();
        let rest =
            self.documents - cuts.ramp.iter().sum::<u64>() - full * self.batch * self.documents_per_item;
        let last = if rest > 0 { self.gpu(rest) } else { 0 };
        ramp + Time::from(full) * self.gpu(self.batch * self.documents_per_item) + last
    }
}

impl Cuts {
    pub(super) fn batches(&self) -> u64 {
        self.ramp.len() as u64 + self.full + u64::from(self.last > 0)
    }
}

pub(super) fn nanos(seconds: f64) -> Time {
    (seconds * 1e9).round() as Time
}

pub(super) fn seconds(time: Time) -> f64 {
    time as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(documents: u64, batch_size: usize, ramp: bool) -> Cuts {
        let settings = Settings::new(documents).batch_size(batch_size).ramp(ramp);
        Rules::new(&Costs::default(), &settings, documents).cuts()
    }

    #[test]
    fn a_ramp_doubles_until_the_batch_is_full() {
        assert_eq!(cuts(100, 16, false), Cuts { ramp: vec![], full: 6, last: 4 });
        assert_eq!(cuts(100, 16, true), Cuts { ramp: vec![1, 2, 4, 8], full: 5, last: 5 });
        assert_eq!(cuts(100, 12, true), Cuts { ramp: vec![1, 2, 4, 8], full: 7, last: 1 });
        assert_eq!(cuts(5, 16, true), Cuts { ramp: vec![1, 2], full: 0, last: 2 });
        assert_eq!(cuts(0, 16, true), Cuts { ramp: vec![], full: 0, last: 0 });
    }

    #[test]
    fn the_work_of_the_devices_counts_every_batch_as_it_is_cut() {
        let costs = Costs::default().gpu(1.0, 0.5);
        let work =
            |settings: &Settings| seconds(Rules::new(&costs, settings, settings.documents).device_work());
        let settings = Settings::new(37).batch_size(16);
        assert_eq!(work(&settings), 3.0 + 0.5 * 37.0);
        assert_eq!(work(&settings.way(Way::PerBatch)), 3.0 + 0.5 * 37.0);
        assert_eq!(work(&settings.ramp(true)), 6.0 + 0.5 * 37.0, "1, 2, 4, 8, 16 and 6");
    }
}
