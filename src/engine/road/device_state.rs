//! A device between two steps: its stage, what is on it, and what is known of it.
//!
//! Uses: `job`, `batch`, `blame`. Used by: `device`, which moves it on, and `idle_devices`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::batch::Batch;
use super::blame::Suspicion;
use super::job::Job;
use crate::engine::guard::{drop_each, drop_user};
use crate::engine::ledger::Ledger;
use crate::engine::seam::Moment;
use crate::observe::meters::DeviceMeter;
use crate::observe::spans::BatchSpan;
use crate::observe::stalls::Before;
use crate::stage::GpuStage;

pub(crate) type BatchOf<J> = Batch<<J as Job>::Document, <J as Job>::Prepared>;

pub(crate) struct Device<J: Job> {
    pub(super) gpu: J::Gpu,
    pub(super) depth: usize,
    pub(super) meter: Arc<DeviceMeter>,
    pub(super) max_wait: Option<Duration>,
    /// What is submitted before any other batch, oldest first: halves of a batch that was too large, and
    /// what a lost device owed.
    pub(super) parts: VecDeque<BatchOf<J>>,
    pub(super) in_flight: VecDeque<Flight<J>>,
    /// No batch will be cut.
    pub(super) drained: bool,
    /// Nothing will come from anywhere.
    pub(super) ended: bool,
    /// The device is lost for good.
    pub(super) given_up: bool,
    /// Losses since the device last answered for a batch.
    pub(super) fruitless: u32,
    /// Items of the largest batch that was lost.
    pub(super) largest: usize,
    pub(super) busy_since: Moment,
    pub(super) idle_since: Option<Moment>,
    /// How things stood then.
    pub(super) before: Before,
    /// How long the last batch took.
    pub(super) last_took: Duration,
    /// Looks in a row at a device that came back at once without a result.
    pub(super) vain_looks: u32,
    /// The device's own clock, where the run is recorded.
    pub(super) clock: Option<usize>,
    /// Memory of prepared items that the device is done with.
    pub(super) spare: Option<Vec<J::Prepared>>,
}

pub(super) struct Flight<J: Job> {
    pub(super) batch: BatchOf<J>,
    pub(super) ticket: <J::Gpu as GpuStage<J::Prepared>>::Ticket,
    pub(super) submitted: Moment,
    /// Which of those that may be in flight it is.
    pub(super) slot: usize,
    pub(super) span: BatchSpan,
}

impl<J: Job> Device<J> {
    pub(crate) fn new(
        ledger: &Ledger,
        gpu: J::Gpu,
        meter: &Arc<DeviceMeter>,
        max_wait: Option<Duration>,
    ) -> Self {
        let clock = ledger.recorder.as_ref().map(|recorder| {
            meter.times.keep_spans();
            recorder.new_clock()
        });
        Self {
            gpu,
            depth: meter.depth,
            meter: meter.clone(),
            max_wait,
            parts: VecDeque::new(),
            in_flight: VecDeque::with_capacity(meter.depth),
            drained: false,
            ended: false,
            given_up: false,
            fruitless: 0,
            largest: 0,
            busy_since: Moment::ZERO,
            idle_since: None,
            before: Before::default(),
            last_took: Duration::ZERO,
            vain_looks: 0,
            clock,
            spare: None,
        }
    }

    /// Whether nothing is on the device, and nothing waits for it here.
    pub(super) fn idles(&self) -> bool {
        self.in_flight.is_empty() && self.parts.is_empty()
    }

    /// Whether another batch may go to the device now. One that may be what loses the device runs alone.
    pub(super) fn has_room(&self) -> bool {
        let alone = |batch: &BatchOf<J>| batch.suspicion.runs_alone();
        self.in_flight.front().is_none_or(|flight| {
            self.in_flight.len() < self.depth
                && !alone(&flight.batch)
                && !self.parts.front().is_some_and(alone)
        })
    }

    /// Whether this batch says what others cost: one that was halved, or met a loss, does not.
    pub(super) fn is_typical(batch: &BatchOf<J>) -> bool {
        batch.part.is_whole() && batch.suspicion == Suspicion::default()
    }

    /// Drops the stage, once it owes nothing.
    pub(super) fn end(self) {
        let Self { gpu, spare, .. } = self;
        drop_each(spare.into_iter().flatten());
        drop_user(gpu);
    }
}
