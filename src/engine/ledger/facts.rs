//! What does not change while a run goes on.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::settings::Settings;
use crate::observe::decision::Decision;
use crate::observe::meters::DeviceMeter;
use crate::observe::predict;

pub(crate) struct Facts {
    /// Workers of this run; 0 where the caller does their work.
    pub(crate) workers: usize,
    /// Documents that there are in all, where that is known.
    pub(crate) total: Option<u64>,
    pub(crate) devices: Vec<Arc<DeviceMeter>>,
    /// How long the stages took to open, before the run.
    pub(crate) opening: Duration,
    /// Cores that the process may use, and processor time that it had used when the run started.
    pub(crate) cores: usize,
    pub(crate) process_time: Option<Duration>,
    /// Whether the source is live: its documents come when they come.
    pub(crate) live: bool,
    /// Whether the source is a run, and whether the caller is one.
    pub(crate) from_run: bool,
    pub(crate) to_run: bool,
    /// Whether rows are worked on after the device.
    pub(crate) per_row: bool,
    /// Whether threads do all the work, and the caller only takes results.
    pub(crate) only_takes: bool,
    /// What the run was asked to do, where that can be predicted.
    pub(crate) predictable: Option<Predictable>,
    /// What was chosen before the run started.
    pub(crate) chosen: Vec<Decision>,
}

/// What a run was asked to do, as far as it can be predicted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Predictable {
    pub(crate) settings: predict::Settings,
    pub(crate) tokens: usize,
}

impl Predictable {
    /// `None` where the run goes in a way whose changes are not predicted: items that are whole batches, no
    /// device, a live source, devices that the workers run, or settings that the run itself chooses.
    pub(crate) fn new(settings: &Settings, workers: usize, depths: &[usize], tokens: usize) -> Option<Self> {
        let depth = *depths.first()?;
        let live = settings.max_wait.is_some();
        if settings.without_device
            || settings.whole_batches
            || live
            || settings.asked.anything()
            || settings.on_workers
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
