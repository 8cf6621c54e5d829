//! Rows of an output that has none.
//! says: `f32` has no rows: it belongs to the batch as a whole
//! says: `Batch::output` gives what it returned

use gapless::Pipeline;

fn main() {
    let cpu = |number: &mut u64| *number as f32;
    let gpu = |batch: &[f32]| batch.iter().sum::<f32>();
    for batch in Pipeline::new(cpu, gpu).run(0..4_u64) {
        let batch = batch.unwrap();
        #[cfg(not(mended))]
        batch.rows().for_each(drop);
        #[cfg(mended)]
        println!("{:?}", batch.output());
    }
}
