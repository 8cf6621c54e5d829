//! A pipeline without a GPU half: what is prepared goes straight to the caller.
//!
//! Uses: `stage`. Used by: `parallel`, which is its public face.

use std::time::Duration;

use super::Pipeline;
use crate::engine::job::AsItIs;
use crate::engine::settings::Settings;
use crate::stage::{CpuStage, GpuStage, StageError};

/// The device that is not there: it is never opened and never asked.
#[derive(Debug)]
pub(crate) enum NoDevice {}

impl<P: 'static> GpuStage<P> for NoDevice {
    type Output = ();
    type Ticket = ();

    fn submit(&mut self, _: &[P]) -> Result<(), StageError> {
        match *self {}
    }

    fn try_collect(&mut self, (): &mut (), _: Duration) -> Result<Option<()>, StageError> {
        match *self {}
    }
}

/// Documents that come out together at most; each comes out as soon as its turn has come.
const MOST_AT_ONCE: usize = 1 << 8;

impl<D, C> Pipeline<D, C, NoDevice>
where
    D: Send + 'static,
    C: CpuStage<D, Prepared = ()>,
{
    /// A pipeline whose CPU half is all there is; what it makes stands in the document.
    ///
    /// Tokens are the workers and `ahead`, in documents.
    pub(crate) fn without_device(cpu: C) -> Self {
        let mut pipeline = Self::assemble(cpu, Vec::new(), AsItIs(()));
        pipeline.settings = Settings { direct: true, batch_size: MOST_AT_ONCE, ..pipeline.settings };
        pipeline
    }
}
