//! A `Result` whose error nothing tells.
//! says: type annotations needed
//! says: cannot infer type of the type parameter `E`

use gapless::parallel;

fn main() {
    #[cfg(not(mended))]
    let double = |number: &mut u64| Ok(*number * 2);
    #[cfg(mended)]
    let double = |number: &mut u64| *number * 2;
    let _numbers = parallel(double, 0..4_u64).collect();
}
