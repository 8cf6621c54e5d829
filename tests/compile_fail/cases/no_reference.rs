//! A closure that takes its document instead of borrowing it.
//! says: type mismatch in closure arguments
//! says: consider adjusting the signature so it borrows its argument

use gapless::Pipeline;

fn main() {
    #[cfg(not(mended))]
    let cpu = |number: u64| number * 2;
    #[cfg(mended)]
    let cpu = |number: &mut u64| *number * 2;
    let gpu = |batch: &[u64]| batch.to_vec();
    Pipeline::new(cpu, gpu).run(0..4_u64).for_each(drop);
}
