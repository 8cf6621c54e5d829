//! What a run will take.

use crate::observe::bound::Bottleneck;

/// What a run will take, computed by [`predict()`](super::predict()).
///
/// With several pipelines the times are those of the slowest, which has the largest share of the documents.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Prediction {
    /// Seconds from `run` to the end of the run.
    pub seconds: f64,
    /// The best time, in seconds, that any schedule could reach with these costs.
    pub bound_s: f64,
    /// What the run cannot be faster than.
    pub bottleneck: Bottleneck,
    /// Seconds until the first batch of results is handed over; 0 where there is none.
    pub first_result_s: f64,
    /// Items that may be in flight in one pipeline; batches, where a batch is one call of the CPU half. All
    /// documents of a pipeline, where the run is sequential.
    pub tokens: u64,
    /// Batches of all pipelines.
    pub batches: u64,
    /// Share of the run in which a worker works, from 0 to 1, averaged over the workers.
    pub cpu_busy: f64,
    /// Share of the run in which a device works, from 0 to 1, averaged over the devices of a pipeline.
    pub gpu_busy: f64,
    /// Seconds before the first batch is submitted to a device.
    pub fill_s: f64,
    /// Seconds in which the devices have no work, between the first batch and the last, averaged over the
    /// devices of a pipeline.
    pub stalls_s: f64,
    /// Seconds after the last batch has left its device.
    pub drain_s: f64,
    /// Bytes of the items in flight in one pipeline; `None` where the bytes of one are not known.
    pub memory_bytes: Option<u64>,
}
