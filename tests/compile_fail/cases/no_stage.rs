//! The two halves in the wrong order.
//! says: `Device` is not a CPU stage for documents of type
//! says: a closure must name its argument's type

use std::time::Duration;

use gapless::{GpuStage, Pipeline, StageError};

/// A GPU half.
struct Device;

impl GpuStage<u64> for Device {
    type Output = Vec<u64>;
    type Ticket = Vec<u64>;

    fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
        Ok(batch.to_vec())
    }

    fn try_collect(&mut self, batch: &mut Vec<u64>, _: Duration) -> Result<Option<Vec<u64>>, StageError> {
        Ok(Some(std::mem::take(batch)))
    }
}

fn main() {
    let cpu = |number: &mut u64| *number * 2;
    #[cfg(not(mended))]
    let pipeline = Pipeline::new(Device, cpu);
    #[cfg(mended)]
    let pipeline = Pipeline::new(cpu, Device);
    pipeline.run(0..4_u64).for_each(drop);
}
