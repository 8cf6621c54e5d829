//! A program as the GPU half of a pipeline.

use std::time::Duration;

use super::{MOST_IN_FLIGHT, Program};
use crate::error::Cause;
use crate::gpu::item::{Item, Items};
use crate::gpu::kept::Lent;
use crate::gpu::runner::{ProgramTicket, opened_again};
use crate::gpu::tensors::Tensors;
use crate::stage::{DeviceInfo, DeviceKind, DeviceTimes, GpuStage, StageError};

impl<I: Item> GpuStage<I> for Program {
    type Output = Tensors;
    type Ticket = ProgramTicket;

    fn open(&mut self, max_batch: usize) -> Result<(), Cause> {
        // What is open goes back, to be taken again.
        self.open = None;
        // A setting that failed left the inputs as they were: it is the cause, and not what is read.
        self.check_settings()?;
        I::ELEMENT.map_or(Ok(()), |element| self.takes(element))?;
        let lent = Lent::new(&self.kept, max_batch, || self.start(max_batch));
        let lent = self.open.insert(lent.map_err(|error| error.cause().clone())?);
        self.times = DeviceTimes::new(lent.runner().plan().labels());
        lent.runner().tell(&self.times);
        self.max_batch = max_batch;
        Ok(())
    }

    /// Whether the item has the shapes of the program's inputs.
    fn accepts(&self, item: &I) -> Result<(), Cause> {
        Self::accepts(self, item)
    }

    /// 1 on the twins: a batch is done when `submit` returns.
    fn depth(&self) -> usize {
        self.in_flight()
    }

    /// The twins run a batch while it is submitted, and a device takes as many as [`Program::depth`] allows.
    fn most_depth(&self) -> usize {
        if self.gpu.info().kind == DeviceKind::Twin { 1 } else { MOST_IN_FLIGHT }
    }

    /// The twins of a program use one core each.
    fn split(&self) -> Option<Self> {
        (self.gpu.info().kind == DeviceKind::Twin).then(|| self.on(&self.gpu))
    }

    fn device(&self) -> DeviceInfo {
        self.gpu.info().clone()
    }

    fn times(&self) -> DeviceTimes {
        self.times.clone()
    }

    fn submit(&mut self, batch: &[I]) -> Result<ProgramTicket, StageError> {
        self.check(batch)?;
        match &mut self.open {
            Some(open) => open.runner().submit(&Items(batch)),
            None => Err(StageError::Batch(Cause::msg("the program was not opened"))),
        }
    }

    fn try_collect(
        &mut self,
        ticket: &mut ProgramTicket,
        wait: Duration,
    ) -> Result<Option<Tensors>, StageError> {
        match &mut self.open {
            Some(open) => open.runner().try_collect(&mut ticket.0, wait),
            None => Err(opened_again()),
        }
    }

    /// Opens the program again, on the device that took the place of the lost one: another program may have
    /// made it already, else it is made now. What was learnt about how long batches take starts anew.
    fn reopen(&mut self) -> Result<(), StageError> {
        // What the lost device held goes before the new one needs room.
        if let Some(lost) = self.open.take() {
            lost.give_up();
        }
        let lent = Lent::new(&self.kept, self.max_batch, || self.start(self.max_batch))?;
        self.open.insert(lent).runner().tell(&self.times);
        Ok(())
    }
}
