//! A GPU half for another type than the CPU half prepares.
//! says: type mismatch in closure arguments
//! says: to implement `GpuStage<u64>`

use gapless::Pipeline;

fn main() {
    let cpu = |number: &mut u64| *number * 2;
    #[cfg(not(mended))]
    let gpu = |batch: &[u32]| batch.to_vec();
    #[cfg(mended)]
    let gpu = |batch: &[u64]| batch.to_vec();
    Pipeline::new(cpu, gpu).run(0..4_u64).for_each(drop);
}
