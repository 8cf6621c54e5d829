//! An error that is none.
//! says: a function given to gapless cannot return
//! says: whose error becomes a `gapless::Cause`: one that implements `std::error::Error + Send + Sync`

use gapless::parallel;

#[derive(Debug)]
struct Odd;

#[cfg(mended)]
impl std::error::Error for Odd {}

#[cfg(mended)]
impl std::fmt::Display for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("odd")
    }
}

fn main() {
    let even = |number: &mut u64| if *number % 2 == 0 { Ok(*number) } else { Err(Odd) };
    let _first = parallel(even, 0..4_u64).collect();
}
