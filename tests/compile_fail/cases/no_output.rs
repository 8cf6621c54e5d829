//! A GPU half that gives a type of its own, of which nothing is known.
//! says: `Histogram` is not known as the output of a GPU half
//! says: impl gapless::Output for Histogram {}

use gapless::{Cause, Pipeline};

struct Histogram([u32; 4]);

#[cfg(mended)]
impl gapless::Output for Histogram {}

fn main() {
    let cpu = |number: &mut u64| *number;
    let gpu = |batch: &[u64]| Ok::<_, Cause>(Histogram([batch.len() as u32; 4]));
    for batch in Pipeline::new(cpu, gpu).run(0..4_u64) {
        println!("{:?}", batch.unwrap().output().unwrap().0);
    }
}
