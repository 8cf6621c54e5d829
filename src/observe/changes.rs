//! What a change would bring: the run predicted once as it was, and once for each change.
//!
//! It says nothing where it cannot know: where the costs do not explain the time that the run took, or where
//! a change needs a cost that was not seen.

use std::fmt;

use super::predict::{Costs, Settings, predict_within};

/// A run in the terms of a prediction, so that it can be made again with a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rerun {
    /// What was measured.
    pub(crate) costs: Costs,
    /// Whether the cost of a batch of another size is known.
    pub(crate) other_sizes: bool,
    /// How it ran; `None` where it has not ended by itself, or ran in a way that is not predicted.
    pub(crate) settings: Option<Settings>,
    /// Tokens that there are at least, whatever the settings: plain items have many.
    pub(crate) least_tokens: usize,
    pub(crate) cores: Cores,
    /// Batches that the stage could have in flight, and devices that could work at once.
    pub(crate) deepest: usize,
    pub(crate) most_devices: usize,
    /// Whether the work of the devices is mostly what fills the cores.
    pub(crate) on_cpu: bool,
}

/// The cores that the process may use: nothing is faster than they are, however many threads share them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    pub(crate) count: usize,
    /// Processor time of the whole run.
    pub(crate) seconds: f64,
    /// Share of the CPU half's time that is processor time.
    pub(crate) cpu_share: f64,
}

impl Cores {
    /// How long they take for the whole run.
    fn least(&self) -> f64 {
        self.seconds / self.count.max(1) as f64
    }

    /// Workers that could work at once; others would wait for a core.
    fn workers(&self) -> usize {
        let most = self.count as f64 / self.cpu_share.max(1e-6);
        // A share that was measured is never quite 1.
        (most + 0.1).max(1.0) as usize
    }
}

/// A change, and what it would bring.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Change {
    /// What is changed, and nothing else.
    pub what: What,
    /// Seconds that the run would take with it: by its costs, and as much more or less as it took itself.
    pub seconds: f64,
    /// Seconds less than the run took; negative where it would cost time.
    pub saving_s: f64,
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum What {
    /// So many workers; never more than there are cores for.
    Workers(usize),
    /// So many documents a batch.
    BatchSize(usize),
    /// So many batches ahead.
    Ahead(usize),
    /// So many batches in flight on each device, where the GPU stage can do that.
    Depth(usize),
    /// A ramp.
    Ramp(bool),
    /// So many devices, where each computes on the CPU in a thread of its own: see
    /// [`Pipeline::on_devices`](crate::Pipeline::on_devices).
    Devices(usize),
    /// A GPU stage that takes this share of the time.
    GpuTime(f64),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workers(workers) => write!(f, "workers({workers})"),
            Self::BatchSize(documents) => write!(f, "batch_size({documents})"),
            Self::Ahead(batches) => write!(f, "ahead({batches})"),
            Self::Depth(batches) => write!(f, "a depth of {batches}"),
            Self::Ramp(ramp) => write!(f, "ramp({ramp})"),
            Self::Devices(devices) => write!(f, "{devices} of these devices"),
            Self::GpuTime(share) => write!(f, "a GPU {:.0} × as fast", 1.0 / share),
        }
    }
}

/// Steps that a prediction may take here: some ten milliseconds. A report is not to be waited for.
const STEPS: u64 = 100_000;
/// Share of the time that a run took which its costs must explain, either way.
const EXPLAINED: f64 = 0.2;

/// What one change each would bring to a run that took `wall` seconds.
pub(crate) fn changes(rerun: &Rerun, wall: f64) -> Vec<Change> {
    let Some(settings) = rerun.settings else { return Vec::new() };
    let Some(alone) = rerun.seconds(rerun.costs, settings) else { return Vec::new() };
    let before = alone.max(rerun.cores.least());
    if (wall - before).abs() > EXPLAINED * wall {
        return Vec::new();
    }
    // Costs that vary make a run longer or shorter than their means say, with the change as without it. What the
    // cores take for all of it does not vary.
    let varied = if before > 0.0 { wall / before } else { 1.0 };
    let change = |what| {
        let seconds = (varied * rerun.with(what, settings)?).max(rerun.cores.least());
        Some(Change { what, seconds, saving_s: wall - seconds })
    };
    rerun.worth_trying(&settings).into_iter().filter_map(change).collect()
}

impl Rerun {
    fn worth_trying(&self, settings: &Settings) -> Vec<What> {
        let Settings { workers, batch_size, ahead, depth, ramp, devices, .. } = *settings;
        let mut all = Vec::new();
        all.extend((workers < self.cores.workers()).then_some(What::Workers(workers + 1)));
        all.extend((depth < self.deepest).then_some(What::Depth(depth + 1)));
        all.extend((!self.on_cpu).then_some(What::GpuTime(0.5)));
        all.extend((devices < self.most_devices).then_some(What::Devices(devices + 1)));
        // Where plain items have more tokens than `ahead` asks for, a number given to it would take them away.
        if self.least_tokens <= settings.tokens(self.costs.then.is_some()) {
            all.push(What::Ahead(ahead + 1));
        }
        if self.other_sizes {
            all.extend([What::BatchSize(2 * batch_size), What::Ramp(!ramp)]);
            all.extend((batch_size > 1).then_some(What::BatchSize(batch_size / 2)));
        }
        all
    }

    /// Seconds with a change; `None` where they cannot be known.
    fn with(&self, what: What, settings: Settings) -> Option<f64> {
        let Costs { gpu_launch, gpu_item, .. } = self.costs;
        let (costs, settings) = match what {
            What::Workers(workers) => (self.costs, settings.workers(workers)),
            What::BatchSize(documents) => (self.costs, settings.batch_size(documents)),
            What::Ahead(batches) => (self.costs, settings.ahead(batches)),
            What::Depth(batches) => (self.costs, settings.depth(batches)),
            What::Ramp(ramp) => (self.costs, settings.ramp(ramp)),
            What::Devices(devices) => (self.costs, settings.devices(devices)),
            What::GpuTime(share) => (self.costs.gpu(share * gpu_launch, share * gpu_item), settings),
        };
        self.seconds(costs, settings)
    }

    fn seconds(&self, costs: Costs, settings: Settings) -> Option<f64> {
        let tokens = settings.tokens(costs.then.is_some()).max(self.least_tokens);
        let workers = settings.workers.min(self.cores.workers());
        Some(predict_within(&costs, &settings.with_tokens(tokens).workers(workers), STEPS)?.seconds)
    }
}
