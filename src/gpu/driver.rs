//! What is asked of a device that is open. Behind this stands wgpu, and whoever asks knows none of its types: they are
//! so deep that a compiler gives up on seeing that what holds them may go to another thread.

use std::any::Any;
use std::fmt::Debug;
use std::time::Duration;

use super::bandwidth::Bandwidth;
use super::facts::Facts;
use super::graph::Graph;
use super::kept::Shared;
use super::plan::Plan;
use super::runner::Runner;
use crate::stage::StageError;

/// How batches go through a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFlight {
    /// Batches in flight.
    pub(super) depth: usize,
    /// How long a batch may take, if that is set.
    pub(super) deadline: Option<Duration>,
    /// Most work of a submission, if that is set.
    pub(super) submission: Option<Duration>,
}

impl Default for InFlight {
    fn default() -> Self {
        Self { depth: 3, deadline: None, submission: None }
    }
}

pub(super) trait Driver: Any + Debug + Send + Sync {
    fn facts(&self) -> &Facts;

    /// Buffers that were made on the device that is there now.
    fn buffers_made(&self) -> u64;

    /// The plan with every variant that was chosen before.
    fn chosen(&self, plan: Plan) -> Plan;

    /// A program on this device, which is made again if it is lost.
    fn ring(
        &self,
        graph: &Graph,
        plan: Plan,
        flight: InFlight,
        shared: &Shared,
    ) -> Result<Runner, StageError>;

    /// How fast it moves so many bytes, a multiple of 8.
    fn bandwidth(&self, bytes: u64) -> Result<Bandwidth, StageError>;
}
