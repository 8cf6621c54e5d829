//! A CPU half that returns a type of its own without a `Result`.
//! says: a function given to gapless cannot return `Photo`
//! says: any other value as `Ok::<_, gapless::Cause>(…)`

use gapless::Pipeline;

struct Photo(u64);

fn main() {
    #[cfg(not(mended))]
    let cpu = |number: &mut u64| Photo(*number);
    #[cfg(mended)]
    let cpu = |number: &mut u64| Ok::<_, gapless::Cause>(Photo(*number));
    let gpu = |batch: &[Photo]| batch.iter().map(|photo| photo.0).collect::<Vec<_>>();
    Pipeline::new(cpu, gpu).run(0..4_u64).for_each(drop);
}
