//! A closure that does not name the type of its document.
//! says: type annotations needed
//! says: consider giving this closure parameter an explicit type

use gapless::Pipeline;

fn main() {
    #[cfg(not(mended))]
    let cpu = |number| *number * 2;
    #[cfg(mended)]
    let cpu = |number: &mut u64| *number * 2;
    let gpu = |batch: &[u64]| batch.to_vec();
    Pipeline::new(cpu, gpu).run(0..4_u64).for_each(drop);
}
