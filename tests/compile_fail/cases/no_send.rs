//! A CPU half that holds what must stay on one thread.
//! says: `Rc<u64>` cannot be shared between threads safely
//! says: to implement `CpuStage<u64>`

use gapless::Pipeline;

fn main() {
    #[cfg(not(mended))]
    let factor = std::rc::Rc::new(2_u64);
    #[cfg(mended)]
    let factor = std::sync::Arc::new(2_u64);
    let cpu = move |number: &mut u64| *number * *factor;
    let gpu = |batch: &[u64]| batch.to_vec();
    Pipeline::new(cpu, gpu).run(0..4_u64).for_each(drop);
}
